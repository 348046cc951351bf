"""A suite's run-time folder on this node: what lies in it (docs/house.md), by name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import NamedTuple

from bansho.process import spawning


class Folder(NamedTuple):
    """The run-time folder of one suite of one logical host. Its path is also the mark of the suite's processes."""

    path: Path

    @property
    def mark(self) -> str:
        """What `BANSHO_MARK` is for the suite's processes."""
        return str(self.path)

    @property
    def record(self) -> Path:
        """The status record."""
        return self.path / "record"

    @property
    def control(self) -> Path:
        """The control socket."""
        return self.path / "control.sock"

    @property
    def lock(self) -> Path:
        """Held by the process manager and its guardian, for as long as one of them lives."""
        return self.path / spawning.MANAGER_LOCK

    @property
    def order_lock(self) -> Path:
        """Held by a command while it brings a process manager up, or clears away after one."""
        return self.path / spawning.ORDER_LOCK

    @property
    def well(self) -> Path:
        """Held by the process manager while all is well."""
        return self.path / "well"

    @property
    def log(self) -> Path:
        """The process manager's own log."""
        return self.path / spawning.LOG

    @property
    def cgroup_file(self) -> Path:
        """One line: the folder of the suite's control group."""
        return self.path / "cgroup"

    def notify(self, service: str) -> Path:
        """A service's notify socket."""
        return self.path / "notify" / service

    def create(self) -> None:
        """Makes the folder and the one of the notify sockets; services of another user must be able to pass through."""
        spawning.make_folder(str(self.path))

    def give(self, name: str, user: int, group: int) -> None:
        """Makes a service's own folder beside the suites' ones, for that user alone. Raises OSError."""
        path = self.path.with_name(name)
        path.mkdir(mode=0o700, exist_ok=True)
        os.chown(path, user, group)
        self._given.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            (self._given / name).symlink_to(path)

    @property
    def _given(self) -> Path:
        """Links to the folders that were given to services."""
        return self.path / "given"

    def cgroup(self) -> Path | None:
        """The suite's control group, or None where it has none."""
        with suppress(OSError):
            line = self.cgroup_file.read_text().strip()
            return Path(line) if line else None
        return None

    def write_cgroup(self, group: Path | None) -> None:
        """Remembers the suite's control group."""
        self.cgroup_file.write_text(f"{group or ''}\n")

    def clear(self) -> None:
        """Removes what only a living process manager needs, and the records that services left in their own folders.

        What lies there is a service's user's: what cannot be removed, such as a folder, stays and hinders nobody.
        """
        for path in (*self.path.glob("notify/*"), self.control, self.cgroup_file, *self.path.glob("record*")):
            path.unlink(missing_ok=True)
        for path in self._given.glob("*/record*"):
            with suppress(OSError):
                path.unlink()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`, waiting for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)
