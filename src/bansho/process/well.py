"""A lock that the process manager holds for as long as all is well: whoever waits for it learns at once when that ends.

The kernel lets it go with its holder, so the process manager's own death is told like that of a service. Nobody needs
it: it only wakes, and what is the matter stands in the status record, which is written before.
"""

import os
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path


class Well:
    """The lock file at `path`; whoever may order the suite may wait for it (`flock --shared`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def show(self, well: bool) -> None:
        """Takes the lock, or lets it go. Where somebody is just being woken, the next call takes it. Raises OSError."""
        if well and self._held is None:
            self._held = _take(self._path)
        elif not well and self._held is not None:
            flock(self._held, LOCK_UN)  # and not by closing alone: a child that is just being made has a copy
            os.close(self._held)
            self._held = None


def _take(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
