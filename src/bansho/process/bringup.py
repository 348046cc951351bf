"""Bringing a process manager up: join the one that listens, or start one and wait until it does. Nothing polls.

For commands: the caller bounds it by `deadline`.
"""

import os
import sys
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.process import control, daemon, environment
from bansho.process.errors import ManagerSilent
from bansho.process.folder import Folder, locked

READY = 3
"""The descriptor on which a process manager says that it listens."""


class Refused(BanshoError):
    """Raised when the process manager said why it cannot take over; its text is that error's line, id included."""

    def __init__(self, line: str) -> None:
        super().__init__(reason=line)
        self.args = (line,)


def folder_of(host: LogicalHost, suite: str) -> Folder:
    """The suite's run-time folder on this node."""
    return Folder(host.node.suite(suite))


def bring_up(host: LogicalHost, suite: str) -> None:
    """Returns when a process manager of the suite listens.

    Raises LeftoversLive, ManagerSilent or Refused. One caller at a time; the others find what the first one started.
    """
    folder = folder_of(host, suite)
    folder.create()
    with locked(folder.order_lock):
        if control.listening(folder.control):
            return
        await_end(host, suite)
        line = _spawn(host, suite, folder)
        if line == "listening":
            return
        if line:
            raise Refused(line)
        raise ManagerSilent(name=host.name, suite=suite, log=folder.log)


def await_end(host: LogicalHost, suite: str) -> None:
    """Returns when the process manager that does not listen any more has gone. Raises LeftoversLive if only it has."""
    folder = folder_of(host, suite)
    if not _free(folder.lock):
        if not any(process.is_daemon for process in daemon.living(folder)):
            daemon.check_leftovers(folder, host.name, suite)
        with locked(folder.lock):
            pass


def _free(path: Path) -> bool:
    """Whether nobody holds the lock file now."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _spawn(host: LogicalHost, suite: str, folder: Folder) -> str:
    """Starts a process manager in a session of its own; returns its first line, "" when it ended without one."""
    reader, writer = os.pipe()
    log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    places = {0: null, 1: log, 2: log, READY: writer}
    command = [sys.executable, "-I", "-m", "bansho.process.daemon", suite, host.name, str(READY)]
    os.posix_spawn(
        sys.executable,
        command,
        environment.of_manager(folder.mark),
        file_actions=[(os.POSIX_SPAWN_DUP2, given, number) for number, given in places.items()],
        setsid=True,
    )
    for descriptor in (writer, log, null):
        os.close(descriptor)
    with os.fdopen(reader, encoding="utf-8", errors="replace") as line:
        return line.readline().strip()
