"""Starting a process manager: the first thing that a start does, so that its interpreter is loaded beside ours.

`begin` comes before the command has looked at more than its argument's form; what it starts checks everything itself.
Imports `os`, `sys` and `fcntl` alone, and so works with plain paths: `pathlib` costs more than all that is done here.
"""

import os
import sys
from fcntl import LOCK_EX, LOCK_NB, flock

READY = 3
"""The descriptor on which a process manager says that it listens."""
HELD = 63
"""The descriptor on which a process manager has its lock, and a postmaster its controller's: so the fronts in sh know
that the process that a record names still lives."""
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "BANSHO_ETC", "BANSHO_RUN")
"""Taken over from whoever started the suite, where set. A cluster's own variables are none of a service's business."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MARK = "BANSHO_MARK"
"""In the environment of every process of a suite: the suite's run-time folder, which names node, host and suite."""
WITHOUT_CGROUP = "BANSHO_WITHOUT_CGROUP"
"""Set in the environment, it takes the control groups away: the tests run each mechanism."""
ORDER_LOCK, MANAGER_LOCK, LOG = "order.lock", "spmd.lock", "spmd.log"
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class Begun:
    """A process manager that was just started, under the order lock, which this holds until `first_line`."""

    def __init__(self, lock: int, reader: int) -> None:
        self._lock, self._reader = lock, reader

    def first_line(self) -> str:
        """What it says: "listening", or why it is none; "" when it ended without a word."""
        with os.fdopen(self._reader, encoding="utf-8", errors="replace") as line:
            said = line.readline().strip()
        os.close(self._lock)
        return said


def begin(suite: str, arguments: list[str]) -> Begun | None:
    """Starts a process manager at once where `arguments` are one host's name and nothing of the suite is there.

    None wherever there is any doubt, or another order is under way: `bringup` sees to it then, in its own time.
    """
    if len(arguments) != 1 or not arguments[0][:1].isalnum() or not NAME.issuperset(arguments[0]):
        return None
    host = arguments[0]
    if not os.path.isfile(f"{os.environ.get('BANSHO_ETC') or '/etc/bansho'}/logical-hosts/{host}.toml"):  # noqa: PTH113
        return None
    try:
        return _begin(f"{os.environ.get('BANSHO_RUN') or '/run/bansho'}/{host}/{suite}", suite, host)
    except OSError:
        return None


def _begin(folder: str, suite: str, host: str) -> Begun | None:
    make_folder(folder)
    lock = _lock(f"{folder}/{ORDER_LOCK}")
    if lock is None:
        return None
    if not free(f"{folder}/{MANAGER_LOCK}"):
        os.close(lock)
        return None
    return Begun(lock, spawn(folder, suite, host))


def make_folder(folder: str) -> None:
    """Makes a suite's run-time folder and the one of the notify sockets; services of another user must pass through."""
    before = os.umask(0o022)
    try:
        os.makedirs(f"{folder}/notify", exist_ok=True)  # noqa: PTH103
    finally:
        os.umask(before)


def _lock(path: str) -> int | None:
    """A descriptor that holds the lock file; None where somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def free(path: str) -> bool:
    """Whether nobody holds the lock file now."""
    descriptor = _lock(path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


def spawn(folder: str, suite: str, host: str) -> int:
    """Starts a process manager in a session of its own; returns the descriptor to read its first line from."""
    reader, writer = os.pipe()
    log = os.open(f"{folder}/{LOG}", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    places = {0: null, 1: log, 2: log, READY: writer}
    program = "from bansho.process.daemon import main; main()"
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-c", program, suite, host, str(READY)],
        of_manager(folder),
        file_actions=[(os.POSIX_SPAWN_DUP2, given, number) for number, given in places.items()],
        setsid=True,
    )
    for descriptor in (writer, log, null):
        os.close(descriptor)
    return reader


def of_manager(mark: str) -> dict[str, str]:
    """A process manager's environment."""
    without = {name: os.environ[name] for name in (WITHOUT_CGROUP,) if name in os.environ}
    return kept() | without | {MARK: mark}


def kept() -> dict[str, str]:
    """The part of this process's environment that a process of a suite keeps."""
    return {"PATH": PATH} | {name: os.environ[name] for name in KEPT if name in os.environ}
