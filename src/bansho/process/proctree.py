"""A suite's processes, found in /proc: whatever became of their session, group, parent, name or environment.

A process is the suite's when its environment carries the suite's mark, when it is in the suite's control group, or when
it descends from such a process. The guardian collects every orphan of the suite (`guardian`), so a process that cleared
its environment and left its parent is still a descendant. A process with another suite's mark is never ours, nor what
descends from it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from bansho.process import fresh, identity, spawning
from bansho.process.identity import Stat

MARK, SERVICE = spawning.MARK, "BANSHO_SERVICE"
LOOKS = 10
"""How often /proc is listed again while there are new processes: a look at hundreds takes longer than one may live."""
DAEMON, GUARDIAN = "_spmd", "_guard"
"""End the program names of a process manager and of its guardian."""
ENVIRONMENT_BYTES = 1 << 20


class Process(NamedTuple):
    """A process, and what its environment says of it."""

    stat: Stat
    mark: str | None
    service: str | None

    @property
    def is_manager(self) -> bool:
        """Whether it is a process manager or its guardian: no service's, and marked.

        One that is about to end has no environment any more, but still its name.
        """
        return self.service is None and (self.mark is not None or self.stat.program.endswith((DAEMON, GUARDIAN)))

    @property
    def is_guardian(self) -> bool:
        """Whether it is the guardian, beyond doubt: what is one by its name alone may be anything."""
        return self.mark is not None and self.is_manager and self.stat.program.endswith(GUARDIAN)

    @property
    def is_daemon(self) -> bool:
        """Whether it is a process manager itself."""
        return self.is_manager and not self.stat.program.endswith(GUARDIAN)


def snapshot() -> dict[int, Process]:
    """Every living process on this node by its pid; those too that were started while we looked."""
    seen: set[int] = set()
    found: dict[int, Process] = {}
    for _ in range(LOOKS):
        fresh = set(identity.pids()) - seen
        if not fresh:
            break
        seen |= fresh
        found |= {pid: process for pid in fresh if (process := _process(pid))}
    return found


def _process(pid: int) -> Process | None:
    stat = identity.stat(pid)
    if stat is None or stat.ended:
        return None
    variables = environment(pid)
    return Process(stat, variables.get(MARK), variables.get(SERVICE))


def environment(pid: int) -> dict[str, str]:
    """The two variables of a process that name its suite and service, as far as it has them and we may look."""
    try:
        content = fresh.content(f"/proc/{pid}/environ", ENVIRONMENT_BYTES)
    except OSError:
        return {}
    if MARK.encode() not in content:
        return {}
    pairs = (line.decode(errors="surrogateescape").partition("=") for line in content.split(b"\0"))
    return {name: value for name, _, value in pairs if name in {MARK, SERVICE}}


def members(processes: Mapping[int, Process], mark: str, grouped: Collection[int] = ()) -> dict[int, Process]:
    """The processes of the suite with `mark`; `grouped` are the pids in its control group. Pure."""
    seeds = {pid for pid, process in processes.items() if process.mark == mark} | set(grouped)
    return _with_descendants(processes, seeds, mark)


def of_service(
    processes: Mapping[int, Process], mark: str, service: str, grouped: Collection[int] = ()
) -> dict[int, Process]:
    """The processes of one service of that suite; `grouped` are the pids in the service's control group. Pure."""
    seeds = {pid for pid, process in processes.items() if (process.mark, process.service) == (mark, service)}
    return _with_descendants(processes, seeds | set(grouped), mark)


def sessions(processes: Mapping[int, Process], found: Collection[int]) -> set[int]:
    """The sessions of the `found` in which nobody else is. Nobody else can come in: a session is inherited. Pure."""
    others = {process.stat.session for pid, process in processes.items() if pid not in found}
    return {processes[pid].stat.session for pid in found} - others


def _with_descendants(processes: Mapping[int, Process], seeds: Iterable[int], mark: str) -> dict[int, Process]:
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.stat.parent, []).append(pid)
    found: dict[int, Process] = {}
    waiting = [pid for pid in seeds if pid in processes]
    while waiting:
        pid = waiting.pop()
        process = processes[pid]
        if pid not in found and process.mark in {None, mark}:
            found[pid] = process
            waiting += children.get(pid, ())
    return found


def describe(processes: Iterable[Process]) -> str:
    """The processes as a person reads them: "postgres (pid 17), sh (pid 4)"."""
    return ", ".join(f"{process.stat.program} (pid {process.stat.pid})" for process in processes)
