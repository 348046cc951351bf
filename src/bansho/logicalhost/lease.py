"""The lease: one owner of the shared directory (CONTRACT 5).

Fencing by the cluster software is the first line; this one is for when it failed. The file has two blocks. The *claim*
says who owns the directory and with which epoch; it is written only when ownership changes. The *beat* is rewritten by
the owner all the time. They are apart so that an owner that was frozen between looking and writing, and wakes up after
a takeover, can spoil a beat at most, never the claim.

A node may claim when the lease is free, or when the beat stood still while the node itself watched (`LEASE_LOST`; one
beat is enough where the beat is old by the wall clock as well). Then it writes the claim with the next epoch, waits
`LEASE_SETTLE`, and owns the directory if its claim still stands: of two that claim at once the later writer wins, and
the other one sees that. Whoever writes to the directory holds a `Guard`.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any, NamedTuple

from bansho.contract import limits
from bansho.logicalhost import block, history
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.errors import LeaseDamaged, LeaseHeld, LeaseLost, SharedDirectoryAbsent
from bansho.logicalhost.mounts import is_mounted
from bansho.logicalhost.node import Identity, identity

CLAIM, BEAT = 0, 1


class Lease(NamedTuple):
    """Who owns a shared directory, and the owner's last sign of life."""

    node: str
    boot_id: str
    epoch: int
    held: bool
    """False: the owner gave it back; the next one need not wait."""
    beat: int
    """Counts up while the owner lives."""
    beaten_at: float
    """The owner's wall clock at its last beat, in seconds since 1970."""

    @property
    def owner(self) -> Identity:
        """The owning node, in one of its lives."""
        return Identity(self.node, self.boot_id)

    def looks_old(self, now: float) -> bool:
        """Whether the beat is old by the wall clock `now`. A beat from the future is a clock's fault: not old."""
        return now - self.beaten_at > limits.LEASE_LOST


def available(host: LogicalHost) -> None:
    """Raises SharedDirectoryAbsent unless the shared directory is mounted here and was set up."""
    reason = _absence(host)
    if reason:
        raise SharedDirectoryAbsent(name=host.name, path=host.shared.root, reason=reason)


def _absence(host: LogicalHost) -> str:
    if host.disk and not is_mounted(host.disk.mount_point):
        return f"nothing is mounted at {host.disk.mount_point}"
    if not host.shared.root.is_dir():
        return "no such directory"
    if not host.shared.conf.is_dir():
        return "it has no conf/"
    return ""


def read(directory: Path) -> Lease | None:
    """The lease of a shared directory, or None where nobody ever took it. Raises LeaseDamaged or OSError."""
    path = directory / "lease"
    try:
        with block.opened(path, os.O_RDONLY) as descriptor:
            return _read(descriptor)
    except FileNotFoundError:
        return None
    except (block.DamagedBlock, KeyError) as error:
        raise LeaseDamaged(path=path, reason=error) from None


def _read(descriptor: int) -> Lease | None:
    claim = block.read(descriptor, CLAIM)
    if claim is None:
        return None
    beat = block.read(descriptor, BEAT) or {}
    if beat.get("epoch") != claim["epoch"]:
        beat = {"beat": 0, "at": claim["at"]}
    return Lease(claim["node"], claim["boot_id"], claim["epoch"], claim["held"], beat["beat"], beat["at"])


def held_elsewhere(directory: Path) -> Lease | None:
    """The lease if another node holds it and its beat looks alive; for a status, which has no time to watch."""
    lease = read(directory)
    if lease is None or not lease.held or lease.owner == identity() or lease.looks_old(time.time()):
        return None
    return lease


def acquire(host: LogicalHost) -> Lease:
    """Makes this node the owner, and returns the lease; blocks for at most about two seconds.

    A node that owns it already joins with the same epoch. Raises SharedDirectoryAbsent, LeaseHeld, LeaseDamaged.
    """
    available(host)
    with _one_at_a_time(host):
        lease = read(host.shared.root)
        if lease and lease.held and lease.owner == identity():
            return lease
        if lease and lease.held and _lives(host.shared.root, lease):
            raise LeaseHeld(name=host.name, path=host.shared.root, owner=lease.node, epoch=lease.epoch)
        return _claim(host, lease)


@contextmanager
def _one_at_a_time(host: LogicalHost) -> Iterator[None]:
    """Among the process managers of this node; the lock is the kernel's and never outlives its holder."""
    host.node.root.mkdir(mode=0o711, parents=True, exist_ok=True)
    with host.node.lease_lock.open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _lives(directory: Path, lease: Lease) -> bool:
    """Whether the owner's beat moves while we watch."""
    patience = 1.2 * limits.LEASE_BEAT if lease.looks_old(time.time()) else limits.LEASE_LOST
    until = time.monotonic() + patience
    while time.monotonic() < until:
        time.sleep(limits.LEASE_BEAT / 5)
        if read(directory) != lease:
            return True
    return False


def _claim(host: LogicalHost, before: Lease | None) -> Lease:
    me = identity()
    epoch = (before.epoch if before else history.last_epoch(host.shared)) + 1
    record = {"node": me.node, "boot_id": me.boot_id, "epoch": epoch, "held": True, "at": time.time()}
    _write(host.shared.lease, CLAIM, record)
    time.sleep(limits.LEASE_SETTLE)
    lease = read(host.shared.root)
    if lease is None or lease.owner != me or lease.epoch != epoch:
        raise LeaseHeld(
            name=host.name, path=host.shared.root, owner=lease.node if lease else "?", epoch=lease.epoch if lease else 0
        )
    history.mark(host.shared, "lease", epoch=epoch, previous=before.node if before else None, **_last_seen(before))
    return lease


def _last_seen(before: Lease | None) -> dict[str, Any]:
    """When the owner before showed itself last, by its own clock, and whether it gave the lease back in order."""
    return {"silent_since": before.beaten_at, "given_back": not before.held} if before else {}


def _write(path: Path, index: int, record: dict[str, Any]) -> None:
    with block.opened(path, os.O_RDWR | os.O_CREAT) as descriptor:
        if os.fstat(descriptor).st_size < 2 * block.SIZE:
            os.posix_fallocate(descriptor, 0, 2 * block.SIZE)
            os.fchmod(descriptor, 0o644)  # whatever our umask: services of other users stand guard by it
        block.write(descriptor, index, record)


def release(host: LogicalHost, suite: str) -> bool:
    """Gives the lease back if `suite` was the last one of this host on this node; returns whether it did.

    Called when nothing of `suite` is left. Another suite whose record is still there may live: the lease stays.
    """
    with _one_at_a_time(host):
        if any(_has_record(host, other) for other in host.suites if other != suite):
            return False
        lease = read(host.shared.root)
        if lease is None or not lease.held or lease.owner != identity():
            return False
        record = {"node": lease.node, "boot_id": lease.boot_id, "epoch": lease.epoch, "held": False, "at": time.time()}
        _write(host.shared.lease, CLAIM, record)
        return True


def _has_record(host: LogicalHost, suite: str) -> bool:
    with suppress(OSError):
        return identity().boot_id in (host.node.suite(suite) / "record").read_text(errors="replace")
    return False


class KeeperState(Enum):
    """What a keeper knows about its lease."""

    HELD = "held"
    STALLED = "stalled"
    """The shared directory does not answer, or is gone."""
    LOST = "lost"
    """Another node owns it. This never changes back."""


class Keeper:
    """Beats a lease from a thread of its own, so that a disk that hangs holds up nobody else.

    `changed` is called in that thread with each new state. A thread that hangs in the disk cannot call: `state` finds
    that out from the time of the last beat, so whoever relies on it asks now and then.
    """

    def __init__(self, host: LogicalHost, lease: Lease, changed: Callable[[KeeperState], None]) -> None:
        self._host, self._lease, self._changed = host, lease, changed
        self._beat = lease.beat
        self._last = time.monotonic()
        self._seen = KeeperState.HELD
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def start(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def stop(self, patience: float = 1.0) -> None:
        """Ends the beat. Waits for the thread no longer than `patience` seconds: it may hang in the disk."""
        self._stopping.set()
        self._thread.join(patience)

    @property
    def state(self) -> KeeperState:
        """The state now, a hanging disk included."""
        if self._seen is KeeperState.HELD and time.monotonic() - self._last > limits.LEASE_STALLED:
            return KeeperState.STALLED
        return self._seen

    def _run(self) -> None:
        while self._seen is not KeeperState.LOST and not self._stopping.is_set():
            self._note(self._once())
            self._stopping.wait(limits.LEASE_BEAT)

    def _once(self) -> KeeperState:
        try:
            available(self._host)
            now = read(self._host.shared.root)
            if now is None or now.epoch != self._lease.epoch or now.owner != self._lease.owner:
                return KeeperState.LOST
            self._beat += 1
            beat = {"epoch": self._lease.epoch, "beat": self._beat, "at": time.time()}
            _write(self._host.shared.lease, BEAT, beat)
        except (OSError, SharedDirectoryAbsent, LeaseDamaged):
            return KeeperState.STALLED
        self._last = time.monotonic()
        return KeeperState.HELD

    def _note(self, state: KeeperState) -> None:
        if state is not self._seen:
            self._seen = state
            self._changed(state)


class Guard:
    """Stands before every write to the shared directory: `check()` raises once another node took over.

    It looks at the disk at most every `interval` seconds. The clock runs on while a node is frozen or suspended, so the
    first write after waking up is always preceded by a look. Epoch 0 is a physical host's: nothing to guard.
    """

    def __init__(self, directory: Path, epoch: int, interval: float = 0.1) -> None:
        self._directory, self._epoch, self._interval = directory, epoch, interval
        self._looked = -interval

    def check(self) -> None:
        """Raises LeaseLost, or LeaseDamaged, or OSError where the disk fails."""
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        if self._epoch == 0 or now - self._looked < self._interval:
            return
        lease = read(self._directory)
        if lease is None or lease.epoch != self._epoch:
            raise LeaseLost(
                path=self._directory,
                mine=self._epoch,
                now=lease.epoch if lease else "none",
                owner=lease.node if lease else "none",
            )
        self._looked = now
