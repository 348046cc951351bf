"""What one action leaves for another, on this node: that a monitor was there, that a failure has been told, and which
file system the shared disk was.
"""

import contextlib
import time
from pathlib import Path

from bansho.cluster.agent.deadline import Deadline
from bansho.cluster.errors import OutOfTime
from bansho.process.folder import Folder

MONITORED, TOLD, DISK = "monitored", "told", "disk"
RECOVERS_WITHIN = 10.0
"""Seconds after a failure was told within which the cluster stops the suite, and so ends whatever monitors it."""


class Notes:
    """The notes in a suite's run-time folder. One that cannot be left is done without."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def forget(self) -> None:
        """Forgets those of monitors: a new life of the suite begins."""
        for name in (MONITORED, TOLD):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)

    def keep_disk(self, device: int | None) -> None:
        """Keeps the number of the shared disk's file system, for a stop without it. None: another may get it next."""
        with contextlib.suppress(OSError):
            if device is None:
                (self._folder / DISK).unlink(missing_ok=True)
            else:
                Folder(self._folder).create()
                (self._folder / DISK).write_text(f"{device}\n")

    @property
    def disk(self) -> int | None:
        """That number; None where it is not known."""
        try:
            return int((self._folder / DISK).read_text())
        except (OSError, ValueError):
            return None

    def tell_once(self, deadline: Deadline) -> None:
        """To be called before a failure is told. Where one was just told, waits for its recovery, which ends us.

        The cluster counts each answer that differs from the monitor's last one, and those of two monitors apart: a
        suite that is first half down and then down, before the cluster has stopped it, would be two failures.
        """
        with contextlib.suppress(OutOfTime):
            deadline.pause(self._recovers_in())
        with contextlib.suppress(OSError):
            Folder(self._folder).create()
            (self._folder / TOLD).write_text(f"{time.monotonic()}\n")

    def _recovers_in(self) -> float:
        try:
            told = float((self._folder / TOLD).read_text())
        except (OSError, ValueError):
            return 0.0
        since = time.monotonic() - told
        return RECOVERS_WITHIN - since if 0 <= since < RECOVERS_WITHIN else 0.0
