"""A suite's run-time folder on this node: what lies in it (docs/house.md), by name. Standard library only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from typing import NamedTuple


class Folder(NamedTuple):
    """The run-time folder of one suite of one logical host. Its path is also the mark of the suite's processes."""

    path: str

    @property
    def mark(self) -> str:
        """What `BANSHO_MARK` is for the suite's processes."""
        return self.path

    @property
    def record(self) -> str:
        """The status record."""
        return f"{self.path}/record"

    @property
    def control(self) -> str:
        """The control socket."""
        return f"{self.path}/control.sock"

    @property
    def lock(self) -> str:
        """Held by the process manager and its guardian, for as long as one of them lives."""
        return f"{self.path}/spmd.lock"

    @property
    def order_lock(self) -> str:
        """Held by a command while it brings a process manager up, or clears away after one."""
        return f"{self.path}/order.lock"

    @property
    def log(self) -> str:
        """The process manager's own log."""
        return f"{self.path}/spmd.log"

    @property
    def cgroup_file(self) -> str:
        """One line: the folder of the suite's control group."""
        return f"{self.path}/cgroup"

    def notify(self, service: str) -> str:
        """A service's notify socket."""
        return f"{self.path}/notify/{service}"

    def create(self) -> None:
        """Makes the folder and the one of the notify sockets; services of another user must pass through."""
        for path in (self.path, f"{self.path}/notify"):
            os.makedirs(path, mode=0o755, exist_ok=True)  # noqa: PTH103 - pathlib costs 5 ms

    def give(self, name: str, user: int, group: int) -> None:
        """Makes a service's own folder beside the suites' ones, for that user alone. Raises OSError."""
        path = f"{os.path.dirname(self.path)}/{name}"  # noqa: PTH120
        os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
        if os.geteuid() == 0:
            os.chown(path, user, group)

    def cgroup(self) -> str | None:
        """The suite's control group, or None where it has none."""
        with suppress(OSError), open(self.cgroup_file, encoding="utf-8") as file:  # noqa: PTH123
            return file.read().strip() or None
        return None

    def write_cgroup(self, group: str | None) -> None:
        """Remembers the suite's control group."""
        with open(self.cgroup_file, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(f"{group or ''}\n")

    def clear(self) -> None:
        """Removes what only a living process manager needs."""
        sockets = os.listdir(f"{self.path}/notify") if os.path.isdir(f"{self.path}/notify") else []  # noqa: PTH112, PTH208
        for path in (*map(self.notify, sockets), self.control, self.cgroup_file, self.record):
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108


@contextmanager
def locked(path: str) -> Iterator[int]:
    """Holds the lock file at `path`, waiting for it; gives its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
