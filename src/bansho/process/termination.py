"""Forced termination: end every process of a suite, without asking it, and prove that none is left (CONTRACT 3.4).

First all are stopped, until a look at /proc finds no new one: what stands still neither forks nor flees. What forks
faster than anyone can look is stopped by its process group, once one of it stands still: the kernel's signal to a
group reaches who is just being forked too. Then all are killed, by their control group where they have one, and one by
one by their identity. What is left is named.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bansho.process import cgroup, identity, proctree, record
from bansho.process.folder import Folder
from bansho.process.identity import Stat
from bansho.process.proctree import Process

LIMIT = 5.0
"""Seconds until what still lives is given up and named."""
FREEZE_LIMIT = 3.0
"""Seconds until what never stands still is killed as it runs."""
ROUND = 0.7
"""Seconds that killed processes are waited for before the next look, which names them: they must not hide the rest."""
STOPPED = "T"
STANDING = frozenset("TtDZXx")
"""States in which a process does not run: it cannot fork."""


class Look(NamedTuple):
    """The processes to end, as they are now, by their pids; the sessions in which nobody else is; who is ended last."""

    members: Mapping[int, Process]
    sessions: Collection[int] = ()
    last: Collection[int] = ()

    @property
    def due(self) -> list[Stat]:
        """Those to be ended now: the last ones when they are alone."""
        stats = [process.stat for process in self.members.values()]
        return [stat for stat in stats if stat.pid not in self.last] or stats


Scan = Callable[[], Look]
"""Looks for the processes to end."""


class Survivor(NamedTuple):
    """A process that could not be ended."""

    pid: int
    program: str
    why: str


def suite_scan(folder: Folder, spared: Collection[int] = ()) -> Scan:
    """Finds the processes of the suite, but for those `spared` and this one.

    Without a control group the guardian comes last: an orphan that no look has caught is its child, and nobody else's.
    """
    group = folder.cgroup()

    def scan() -> Look:
        grouped = cgroup.processes(group) if group else _recorded(folder)
        snapshot = proctree.snapshot()
        found = proctree.members(snapshot, folder.mark, grouped)
        wanted = {pid: process for pid, process in found.items() if pid not in spared and pid != os.getpid()}
        last = {pid for pid, process in wanted.items() if process.is_guardian and not group}
        return Look(wanted, proctree.sessions(snapshot, wanted.keys() - last), last)

    return scan


def _recorded(folder: Folder) -> set[int]:
    """The process manager that the record names, while it lives: another user may not read its environment."""
    with suppress(record.Damage):
        found = record.read(folder.record)
        if found and found.boot_id == identity.boot_id() and identity.lives(found.pid, found.ticks):
            return {found.pid}
    return set()


def service_scan(folder: Folder, service: str, group: Path | None) -> Scan:
    """Finds the processes of one service, whose control group is `group`."""

    def scan() -> Look:
        grouped = cgroup.processes(group) if group else ()
        snapshot = proctree.snapshot()
        found = proctree.of_service(snapshot, folder.mark, service, grouped)
        return Look(found, proctree.sessions(snapshot, found))

    return scan


def unheard(_: Survivor) -> None:
    """Nobody is told of what lingers."""


def end(
    scan: Scan, group: Path | None = None, limit: float = LIMIT, lingering: Callable[[Survivor], object] = unheard
) -> list[Survivor]:
    """Ends all that `scan` finds and all in the control group `group`; returns those left after `limit` seconds.

    `lingering` hears of each that has not ended `ROUND` seconds after it was killed, once.
    """
    until = time.monotonic() + limit
    named: set[int] = set()
    while True:
        found, groups = _freeze(scan, min(until, time.monotonic() + FREEZE_LIMIT))
        _kill(found, groups, group, min(until, time.monotonic() + ROUND))
        left = scan().due or (scan().due if found else [])  # a second look at least: one can be slipped through
        if not left or time.monotonic() >= until:
            return [_survivor(stat) for stat in left if _lives(stat)]
        for stat in filter(_lives, left):
            if stat.pid not in named and (stat.pid, stat.ticks) in {(each.pid, each.ticks) for each in found}:
                named.add(stat.pid)
                lingering(_survivor(stat))


def _kill(found: Sequence[Stat], groups: Mapping[int, Stat], group: Path | None, until: float) -> None:
    """Kills them all, and waits until each has ended, at most until then."""
    for number, held in groups.items():
        _signal_group(number, held, signal.SIGKILL)
    if group:
        cgroup.kill(group)
    for stat in found:
        identity.send(stat, signal.SIGKILL)
    for stat in found:
        _wait(stat, until)


def _freeze(scan: Scan, until: float) -> tuple[list[Stat], dict[int, Stat]]:
    """Stops all that `scan` finds, until there is no new one and all stand still.

    Returns all that were found, and the process groups that were stopped as such, each with one who stands in it.
    """
    seen: dict[tuple[int, int], Stat] = {}
    stopped: set[int] = set()
    while True:
        look = scan()
        now = {(stat.pid, stat.ticks): stat for stat in look.due}
        new = [stat for key, stat in now.items() if key not in seen]
        seen.update(now)
        groups = _groups(look)
        restless = {stat.group for stat in new} | groups.keys() - stopped
        for number in groups.keys() & restless:
            _signal_group(number, groups[number], signal.SIGSTOP)
        stopped.update(groups)
        for stat in new:  # in no such group: who has a stop of its own to come passes the group's on to no child
            if stat.group not in groups:
                identity.send(stat, signal.SIGSTOP)
        standing = all(stat.state in STANDING for stat in now.values())
        if (not new and standing) or time.monotonic() >= until:
            return [stat for key, stat in seen.items() if stat.pid not in look.last or key in now], groups


def _groups(look: Look) -> dict[int, Stat]:
    """The process groups that are wholly to be ended, each with one of it who stands still: so it cannot end."""
    return {
        stat.group: stat for stat in look.due if stat.group and stat.state == STOPPED and stat.session in look.sessions
    }


def _signal_group(number: int, held: Stat, sign: signal.Signals) -> None:
    """Reaches who is just being forked, too. While `held` stands in the group, its number is no other one's."""
    with suppress(OSError), identity.opened(held):
        now = identity.stat(held.pid)
        if now and (now.state, now.group) == (STOPPED, number):
            os.killpg(number, sign)


def _wait(stat: Stat, until: float) -> None:
    """Waits until the process has ended, at most until then."""
    with suppress(OSError), identity.opened(stat) as descriptor:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, until - time.monotonic()) * 1000)


def _lives(stat: Stat) -> bool:
    """Whether it is more than a zombie now, which holds nothing: on a busy node a killed one ends in its own time."""
    return identity.lives(stat.pid, stat.ticks)


def _survivor(stat: Stat) -> Survivor:
    now = identity.stat(stat.pid) or stat
    return Survivor(stat.pid, stat.program, f"{_reason(now)} (state {now.state})")


def _reason(stat: Stat) -> str:
    if stat.state == "D":
        return "it waits in the kernel and cannot be killed"
    try:
        with suppress(ProcessLookupError):  # it ended just now, too late
            os.kill(stat.pid, 0)
    except PermissionError:
        return "this user has no right to end it"
    return "it outlived SIGKILL"


def leave_group(group: Path) -> None:
    """Takes this process out of the group that is about to be killed."""
    if os.getpid() in cgroup.processes(group):
        cgroup.leave(group.parent)
