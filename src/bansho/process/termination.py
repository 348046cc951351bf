"""Forced termination: end every process of a suite, without asking it, and prove that none is left (CONTRACT 3.4).

First all are stopped, until a look at /proc finds no new one: what stands still neither forks nor flees. Then all are
killed, by their control group where they have one, and one by one by their identity. What is left is named.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bansho.process import cgroup, identity, proctree, record
from bansho.process.folder import Folder
from bansho.process.identity import Stat
from bansho.process.proctree import Process

LIMIT = 5.0
"""Seconds until what still lives is given up and named."""
FREEZE_LIMIT = 2.0
STANDING = frozenset("TtDZXx")
"""States in which a process does not run: it cannot fork."""

Scan = Callable[[], Mapping[int, Process]]
"""Finds the processes to end, as they are now."""


class Survivor(NamedTuple):
    """A process that could not be ended."""

    pid: int
    program: str
    why: str


def suite_scan(folder: Folder, spared: Collection[int] = ()) -> Scan:
    """Finds the processes of the suite, but for those `spared` and this one."""
    group = folder.cgroup()

    def scan() -> Mapping[int, Process]:
        grouped = cgroup.processes(group) if group else _recorded(folder)
        found = proctree.members(proctree.snapshot(), folder.mark, grouped)
        return {pid: process for pid, process in found.items() if pid not in spared and pid != os.getpid()}

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

    def scan() -> Mapping[int, Process]:
        grouped = cgroup.processes(group) if group else ()
        return proctree.of_service(proctree.snapshot(), folder.mark, service, grouped)

    return scan


def end(scan: Scan, group: Path | None = None, limit: float = LIMIT) -> list[Survivor]:
    """Ends all that `scan` finds and all in the control group `group`; returns those left after `limit` seconds."""
    until = time.monotonic() + limit
    while True:
        found = _freeze(scan, min(until, time.monotonic() + FREEZE_LIMIT))
        if group:
            cgroup.kill(group)
        for stat in found:
            _signal(stat, signal.SIGKILL)
        for stat in found:
            _wait(stat, until)
        left = scan() or (scan() if found else {})  # the second look of two at least: one can be slipped through
        if not left or time.monotonic() >= until:
            return [_survivor(process.stat) for process in left.values() if _lives(process.stat)]


def _freeze(scan: Scan, until: float) -> list[Stat]:
    """Stops all that `scan` finds, until there is no new one and all stand still; returns all that were found."""
    seen: dict[tuple[int, int], Stat] = {}
    while True:
        now = {(process.stat.pid, process.stat.ticks): process.stat for process in scan().values()}
        new = [stat for key, stat in now.items() if key not in seen]
        seen.update(now)
        for stat in new:
            _signal(stat, signal.SIGSTOP)
        standing = all(stat.state in STANDING for stat in now.values())
        if (not new and standing) or time.monotonic() >= until:
            return list(seen.values())


def _signal(stat: Stat, number: signal.Signals) -> None:
    with suppress(OSError), _opened(stat) as descriptor:
        signal.pidfd_send_signal(descriptor, number)


def _wait(stat: Stat, until: float) -> None:
    """Waits until the process has ended, at most until then."""
    with suppress(OSError), _opened(stat) as descriptor:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(max(0.0, until - time.monotonic()) * 1000)


@contextmanager
def _opened(stat: Stat) -> Iterator[int]:
    """A descriptor of this very process: opened first, then looked at again, so that no reused pid passes.

    Raises ProcessLookupError where it has ended.
    """
    descriptor = os.pidfd_open(stat.pid)
    try:
        if not identity.lives(stat.pid, stat.ticks):
            raise ProcessLookupError
        yield descriptor
    finally:
        os.close(descriptor)


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
