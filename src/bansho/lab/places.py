"""Where a lab's files are, and who may build or end it.

A lab named NAME is the folder /run/bansho-lab/NAME. Its `lock` is held (flock) by the power daemon for as long as the
lab lives, so that a lab is up exactly when the lock is taken, whatever happened to the process that started it.
"""

import fcntl
import os
from pathlib import Path
from typing import NamedTuple

from bansho.lab.errors import LabExists

RUN = Path("/run/bansho-lab")


class Places(NamedTuple):
    """One lab's files on the host; mode 0700, since its sockets give root on the nodes."""

    root: Path

    @classmethod
    def of(cls, name: str) -> "Places":
        """The places of the lab `name`."""
        return cls(RUN / name)

    @property
    def lock(self) -> Path:
        """Held while the lab lives."""
        return self.root / "lock"

    @property
    def spec(self) -> Path:
        """What was asked for (`bansho.lab.spec.Spec`, JSON)."""
        return self.root / "spec.json"

    @property
    def running(self) -> Path:
        """What came of it (`bansho.lab.spec.Running`, JSON); written by the power daemon."""
        return self.root / "running.json"

    @property
    def store(self) -> Path:
        """Mount point of the tmpfs with the nodes' disks and the shared disk; empty outside the lab."""
        return self.root / "store"

    @property
    def files(self) -> Path:
        """The files that each node gets at boot, numbered, and their `manifest`."""
        return self.root / "files"

    @property
    def log(self) -> Path:
        """The power log, one JSON object a line."""
        return self.root / "power.log"

    def socket(self, who: str) -> Path:
        """The power daemon's socket for `who`: a node, or `operator`."""
        return self.root / f"{who}.sock"

    def pid(self, node: str) -> Path:
        """The host's pid of the node's pid 1; absent exactly while the node is off and all its processes are gone."""
        return self.root / f"{node}.pid"

    @property
    def daemon(self) -> Path:
        """The host's pid of the power daemon, pid 1 of the lab."""
        return self.pid("power")

    def console(self, node: str) -> Path:
        """What the node, or `power`, printed."""
        return self.root / f"{node}.console"


def alive(places: Places) -> bool:
    """Whether the lab is up, coming up, or going down."""
    try:
        os.close(lock(places))
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def claim(places: Places) -> int:
    """Makes the folder of a new lab and takes its lock; the descriptor holds it.

    Raises LabExists where another one has it. Leftovers of a dead lab are the caller's to clear away.
    """
    places.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return lock(places, os.O_CREAT)
    except BlockingIOError:
        raise LabExists(name=places.root.name) from None
    except FileNotFoundError:  # the folder was removed meanwhile
        return claim(places)


def lock(places: Places, flags: int = 0) -> int:
    """Takes the lock of a lab that is not alive. Raises BlockingIOError where it is, FileNotFoundError without one."""
    while True:
        descriptor = os.open(places.lock, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if places.lock.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
            os.close(descriptor)  # removed between open and lock
        except OSError:
            os.close(descriptor)
            raise


def last_line(console: Path) -> str:
    """The last that a node, or the power daemon, said."""
    lines = console.read_text(errors="replace").splitlines() if console.exists() else []
    return lines[-1] if lines else "it said nothing"
