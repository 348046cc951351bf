"""The process manager: one daemon for one suite of one logical host.

    main() with SUITE HOST READY-DESCRIPTOR in sys.argv

It writes "listening" to the descriptor once it takes orders, or why it does not. First, while nothing big is imported
yet, it takes the suite's lock, makes its control group and puts the guardian in its own place; `management` does the
rest. Its environment must carry the suite's mark (`spawning.of_manager`).
"""

import os
import sys
from contextlib import suppress
from fcntl import F_DUPFD_CLOEXEC, LOCK_EX, LOCK_NB, fcntl, flock
from pathlib import Path

from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.process import cgroup, guardian, priority, proctree, spawning, unexpected
from bansho.process.errors import AlreadyManaged, LeftoversLive, SuiteNotHere
from bansho.process.folder import Folder
from bansho.process.proctree import DAEMON, Process

UNUSED = ("ssl", "typing_extensions")
"""Modules that asyncio and msgspec import where there are such, and need not have: a tenth of a start's time."""


def main() -> None:
    """Runs the process manager until its suite has been stopped."""
    os.chdir("/")
    os.umask(0o022)
    suite, host, ready = sys.argv[1], sys.argv[2], int(sys.argv[3])
    folder = Folder(Path(os.environ[proctree.MARK]))
    unexpected.watch(str(folder.log), host=host, suite=suite)
    try:
        group = _take_over(folder, host, suite)
    except BanshoError as error:
        tell(ready, str(error))
        sys.exit(1)
    program = program_of(suite)
    guardian.stand(program, group, ready)
    guardian.name(program)
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    priority.rise(priority.MANAGER)
    _manage(host, suite, folder, group, ready, nice)


def _manage(name: str, suite: str, folder: Folder, group: Path | None, ready: int, nice: int) -> None:
    """Becomes the process manager proper; the shared directory is looked at while asyncio is imported."""
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type] # None: "there is no such module"
    from bansho.logicalhost import definition
    from bansho.process.environment import Site
    from bansho.process.preparation import Preparation

    unexpected.watch_threads()
    try:
        host = definition.load(name)
        if suite not in host.suites:
            raise SuiteNotHere(name=name, suite=suite)
    except BanshoError as error:
        tell(ready, str(error))
        os._exit(1)
    preparation = Preparation(host, suite)
    from bansho.process import management

    management.run(host, Site(host.name, suite, folder, host.shared_directory, group, nice), preparation, ready)


def tell(ready: int, line: str) -> None:
    """Says something to whoever started us. One who has lost patience and left changes nothing."""
    with suppress(BrokenPipeError):
        os.write(ready, f"{line}\n".encode())


def program_of(suite: str) -> str:
    """The name that the process manager runs under: `jbs_spmd`, `jco_spmd` (given)."""
    return COMMANDS[suite].status.removesuffix("_status") if suite in COMMANDS else suite[:10] + DAEMON


def _take_over(folder: Folder, host: str, suite: str) -> Path | None:
    """Makes this process the suite's only manager; returns its control group. Raises AlreadyManaged, LeftoversLive."""
    folder.create()
    _lock(folder, host, suite)
    check_leftovers(folder, host, suite)
    old = folder.cgroup()
    if old:
        cgroup.remove(old)
    group = cgroup.create(f"{host}.{suite}")
    folder.write_cgroup(group)
    return group


def _lock(folder: Folder, host: str, suite: str) -> None:
    """Takes the suite's lock for as long as this process or the guardian lives: both keep the descriptor open."""
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        raise AlreadyManaged(name=host, suite=suite, path=folder.lock) from None
    with suppress(OSError):  # so many descriptors may not be allowed
        fcntl(descriptor, F_DUPFD_CLOEXEC, spawning.HELD)


def living(folder: Folder) -> list[Process]:
    """What lives of the suite, this process apart."""
    group = folder.cgroup()
    found = proctree.members(proctree.snapshot(), folder.mark, cgroup.processes(group) if group else ())
    return [process for pid, process in found.items() if pid != os.getpid()]


def check_leftovers(folder: Folder, host: str, suite: str) -> None:
    """Raises LeftoversLive where services live; to be called when no process manager can."""
    left = [process for process in living(folder) if not process.is_manager]
    if left:
        killall = COMMANDS[suite].killall if suite in COMMANDS else "forced termination"
        raise LeftoversLive(name=host, suite=suite, processes=proctree.describe(left), killall=killall)
