"""A logical host under software that moves its address and says so on each node, as keepalived does; it fences nobody.

Notify scripts run beside each other, and of two that are started shortly after one another either may come first. So
none of them is an order: each waits for the one under way and then looks whether this node has the logical address.
The address is set or taken away before the script is started, so the last one to look has seen how it ended. A node
where that failed is barred until the failure window has passed, so that two nodes that both cannot start do not throw
the logical host to each other for ever.
"""

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bansho.cluster.adapter import orders
from bansho.cluster.adapter.errors import BARRED, AddressUnknown, DiskNotReleased, DiskNotTaken
from bansho.cluster.adapter.host import Host
from bansho.cluster.agent import shared
from bansho.cluster.conventions import Finding
from bansho.cluster.errors import AgentError
from bansho.cluster.model import Kind, Resource
from bansho.logicalhost.mounts import is_mounted
from bansho.logicalhost.places import NodePlaces

MASTER, RELEASED = "master", "released"
PAUSE = 0.5
"""Seconds between two attempts to mount a disk that another node may still hold."""


class Role:
    """What this node has last made of one logical host: files below /run, so nothing of it outlives a boot.

    `last` holds the role that was last taken up, `lock` is held (flock) while one is, and `barred` holds since when
    that had failed, in seconds of CLOCK_BOOTTIME.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        folder = NodePlaces.of(host.model.name).root / "role"
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._last, self._lock, self._barred = folder / "last", folder / "lock", folder / "barred"

    def remember(self, role: str) -> None:
        """Writes down which role is taken up."""
        new = self._last.with_suffix(".new")
        new.write_text(role, encoding="ascii")
        new.replace(self._last)

    def is_master(self) -> bool:
        """Whether this node was last made the master."""
        return _text(self._last) == MASTER

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until no role is being taken up, and keeps others waiting."""
        with self._open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def is_busy(self) -> bool:
        """Whether a role is being taken up."""
        with self._open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def bar(self) -> None:
        """Bars this node from now on."""
        self._barred.write_text(f"{_now():.0f}", encoding="ascii")

    def barred_for(self) -> float:
        """Seconds for which this node stays barred; 0 where it is not."""
        since = _text(self._barred)
        return max(0.0, float(since) + self.host.model.failure_window - _now()) if since else 0.0

    def _open(self) -> IO[str]:
        return self._lock.open("a", encoding="ascii")


def settle(host: Host) -> Finding:
    """The role of this node may have changed. With the logical address it mounts the shared disk, where there is one,
    and starts; without it, it stops and gives the disk back. A SIGTERM does not end it.
    """
    role = Role(host)
    with _to_the_end(), role.alone():
        found = _settle(role)
        if found is not Finding.DONE:
            role.bar()
        return found


@contextmanager
def _to_the_end() -> Iterator[None]:
    """Whoever started this sends SIGTERM when it ends itself, and does so while the suites are stopped for that reason.

    The script in front ignores it until Python is loaded. Here it is caught: what is started has it as it was.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _settle(role: Role) -> Finding:
    try:
        is_here = has_address(role.host)
    except AddressUnknown as error:
        orders.report(error)
        role.remember(RELEASED)
        _give_back(role.host)
        return Finding.NOT_DONE
    role.remember(MASTER if is_here else RELEASED)
    return _take(role.host) if is_here else _give_back(role.host)


def track(host: Host) -> Finding:
    """Whether this node may be or stay the master: a standby may, and so may one that is taking up a role, which has
    its own time limits.
    """
    role = Role(host)
    if barred := role.barred_for():
        orders.report(BARRED(name=host.model.name, seconds=f"{barred:.0f}"))
        return Finding.FAILED
    # In this order: whoever is seen as the master with nothing under way has finished becoming it.
    if not role.is_master() or role.is_busy():
        return Finding.HEALTHY
    return orders.monitor(host)


def has_address(host: Host) -> bool:
    """Whether the logical address is on this node, on any of its interfaces. Raises AddressUnknown."""
    ip = next(each.parameters["ip"] for each in host.model.resources if each.kind is Kind.ADDRESS)
    try:
        shown = subprocess.run(["ip", "-o", "address", "show", "to", ip], capture_output=True, text=True, check=False)
    except OSError as error:
        raise AddressUnknown(ip=ip, said=error.strerror) from None
    if shown.returncode != 0:
        raise AddressUnknown(ip=ip, said=shown.stderr.strip())
    return bool(shown.stdout.strip())


def _take(host: Host) -> Finding:
    try:
        for disk in _disks(host):
            mount(disk, patience=_others_stop(host))
    except AgentError as error:
        orders.report(error)
        return Finding.NOT_DONE
    return orders.start(host)


def _give_back(host: Host) -> Finding:
    found = orders.stop(host)
    try:
        for disk in _disks(host):
            unmount(disk)
    except AgentError as error:
        orders.report(error)
        return Finding.NOT_DONE
    return found


def _disks(host: Host) -> list[Resource]:
    return [each for each in host.model.resources if each.kind is Kind.DISK]


def _others_stop(host: Host) -> float:
    """Seconds that the node before us may need to stop and to give the disk back."""
    return sum(each.limits["stop"].seconds for each in [*host.resources, *_disks(host)])


def mount(disk: Resource, patience: float) -> None:
    """Mounts the disk; tries again for `patience` seconds, while another node may hold it. Raises DiskNotTaken."""
    facts, end = disk.parameters, time.monotonic() + patience
    options = ("-o", facts["options"]) if "options" in facts else ()
    while not is_mounted(facts["directory"]):
        said = _ran("mount", "-t", facts["fstype"], *options, facts["device"], facts["directory"])
        if said and time.monotonic() >= end:
            raise DiskNotTaken(device=facts["device"], directory=facts["directory"], said=said)
        time.sleep(PAUSE if said else 0)


def unmount(disk: Resource) -> None:
    """Unmounts the disk. Raises DiskNotReleased, naming who holds it."""
    directory = disk.parameters["directory"]
    said = _ran("umount", directory) if is_mounted(directory) else ""
    if said:
        services, persons = shared.holders(directory)
        raise DiskNotReleased(directory=directory, said=said, holders=", ".join(services + persons) or "nobody seen")


def _ran(*command: str) -> str:
    """What a command that failed said; empty where it did not fail."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or f"{command[0]} ended with {done.returncode}") if done.returncode else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
