"""Bringing a process manager up: join the one that listens, or start one and wait until it does. Nothing polls.

For commands: the caller bounds it by `deadline`.
"""

import os

from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.process import control, daemon, spawning
from bansho.process.errors import ManagerSilent
from bansho.process.folder import Folder, locked
from bansho.process.spawning import Begun


class Refused(BanshoError):
    """Raised when the process manager said why it cannot take over; its text is that error's line, id included."""

    def __init__(self, line: str) -> None:
        super().__init__(reason=line)
        self.args = (line,)


def folder_of(host: LogicalHost, suite: str) -> Folder:
    """The suite's run-time folder on this node."""
    return Folder(host.node.suite(suite))


def bring_up(host: LogicalHost, suite: str, begun: Begun | None = None) -> None:
    """Returns when a process manager of the suite listens; `begun` is one that was started already.

    Raises LeftoversLive, ManagerSilent or Refused. One caller at a time; the others find what the first one started.
    """
    folder = folder_of(host, suite)
    if begun:
        _check(begun.first_line(), host, suite, folder)
        return
    folder.create()
    with locked(folder.order_lock):
        if control.listening(folder.control):
            return
        await_end(host, suite)
        with os.fdopen(spawning.spawn(folder.mark, suite, host.name), encoding="utf-8", errors="replace") as line:
            _check(line.readline().strip(), host, suite, folder)


def _check(first_line: str, host: LogicalHost, suite: str, folder: Folder) -> None:
    if not first_line:
        raise ManagerSilent(name=host.name, suite=suite, log=folder.log)
    if first_line != "listening":
        raise Refused(first_line)


def await_end(host: LogicalHost, suite: str) -> None:
    """Returns when the process manager that does not listen any more has gone. Raises LeftoversLive if only it has."""
    folder = folder_of(host, suite)
    if not spawning.free(str(folder.lock)):
        if not any(process.is_daemon for process in daemon.living(folder)):
            daemon.check_leftovers(folder, host.name, suite)
        with locked(folder.lock):
            pass
