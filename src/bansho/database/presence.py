"""Whether a controller lives on this node, and what it is doing: a file that it holds locked. The kernel keeps the
lock, so a dead controller never looks alive and nothing has to be removed by hand."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bansho.database.account import Account
from bansho.database.errors import ControllerRuns
from bansho.database.state import Phase
from bansho.logicalhost.definition import LogicalHost
from bansho.process.spawning import HELD

FLOCK = "hhqqi4x"
"""`struct flock` of Linux on 64 bits: type, whence, start, length, pid."""
WIDTH = max(len(phase.value) for phase in Phase)


def path_of(host: LogicalHost) -> Path:
    """The file's place, beside the postmaster's socket."""
    return host.node.database_socket / "controller"


class Presence(NamedTuple):
    """A controller's sign that it lives."""

    descriptor: int

    def show(self, phase: Phase) -> None:
        """One write of one width, so that a reader never sees half a word."""
        os.pwrite(self.descriptor, phase.value.ljust(WIDTH).encode(), 0)


@contextmanager
def claim(host: LogicalHost, account: Account) -> Iterator[Presence]:
    """Is this node's only controller of `host`'s database, starting. Raises ControllerRuns.

    The descriptor is `HELD` wherever that is free; it is for the postmaster to inherit.
    """
    descriptor = _moved(os.open(path_of(host), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    try:
        account.give(descriptor)
        _lock(host, descriptor)
        presence = Presence(descriptor)
        presence.show(Phase.STARTING)
        yield presence
    finally:
        os.close(descriptor)


def _moved(descriptor: int) -> int:
    """The same file on `HELD` or above; where so many descriptors are not allowed, as it is.

    To be called before the lock is taken: the kernel gives that up with any descriptor of the file that is closed.
    """
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HELD)
    except OSError:
        return descriptor
    os.close(descriptor)
    return moved


def _lock(host: LogicalHost, descriptor: int) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ControllerRuns(name=host.name, pid=_holder(descriptor)) from None


def look(host: LogicalHost) -> Phase | None:
    """The living controller's phase, or None. Takes no lock, so it never stands in one's way. Raises OSError."""
    try:
        descriptor = os.open(path_of(host), os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        if not _holder(descriptor):
            return None
        word = os.pread(descriptor, WIDTH, 0).decode().strip()
        return Phase(word) if word else Phase.STARTING
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int:
    """The process that holds the lock; 0 where nobody does."""
    question = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return 0 if kind == fcntl.F_UNLCK else pid
