"""What this node has of the logical host: processes, disk, address, and what is left where nothing may be left."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from bansho.drill import census
from bansho.drill.census import Found, Remains
from bansho.drill.site.here import Here
from bansho.lab.watch import Held, What
from bansho.process import cgroup, holders, identity, proctree

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
ANYWHERE = "00000000"


def processes(here: Here) -> tuple[Found, ...]:
    """The living processes of the logical host's suites; those of other logical hosts have other marks."""
    marks = {str(here.host.node.suite(suite)): suite for suite in here.host.suites}
    pids = (int(path.name) for path in PROC.iterdir() if path.name.isdigit())
    return tuple(found for pid in pids if (found := _process(pid, marks)))


def _process(pid: int, marks: dict[str, str]) -> Found | None:
    variables = proctree.environment(pid)
    suite = marks.get(variables.get(proctree.MARK, ""))
    stat = identity.stat(pid) if suite else None
    if suite is None or stat is None or stat.ended:
        return None
    return Found(pid, stat.ticks, stat.parent, stat.program, suite, variables.get(proctree.SERVICE, ""))


def held(here: Here) -> Held:
    """Which of disk and address this node has."""
    address = re.compile(rf"\|-- {re.escape(here.host.ip)}\n\s+/32 host LOCAL")
    routes = (PROC / "self/net/fib_trie").read_text()
    found: dict[What, bool] = {"disk": bool(mounts(here)), "address": address.search(routes) is not None}
    return frozenset(what for what, has in found.items() if has)


def mounts(here: Here) -> tuple[str, ...]:
    """Where the shared disk's mount point is mounted; nothing where the definition names no disk."""
    disk = here.host.disk
    lines = (PROC / "self/mountinfo").read_text().splitlines()
    return tuple(line.split()[4] for line in lines if disk and line.split()[4] == disk.mount_point)


def remains(here: Here) -> Remains:
    """What is left on this node, where the logical host does not run."""
    return Remains(
        here.node,
        tuple(f"{each.program} {each.pid}" for each in processes(here)),
        tuple(_holders(here)),
        tuple(port for port in (here.host.ports.event_service, here.host.ports.console) if _listens(here, port)),
        mounts(here),
        tuple(groups(here)),
        tuple(_files(here)),
    )


def _holders(here: Here) -> Iterator[str]:
    """Who has something open on the disk's device, by its number: its name is gone with the mount."""
    with suppress(OSError):
        device = os.stat(here.host.disk.device).st_rdev if here.host.disk else 0  # noqa: PTH116 - of a string
        if device:
            yield from map(census.held, holders.holders_on(device))


def _listens(here: Here, port: int) -> bool:
    """Whether anybody listens at the logical address, or at every address; another logical host may have the port."""
    addresses = {ANYWHERE, _hexadecimal(here.host.ip)}
    for line in (PROC / "self/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        address, _, number = local.partition(":")
        if state == census.LISTENING and number == f"{port:04X}" and address in addresses:
            return True
    return False


def _hexadecimal(ip: str) -> str:
    """An IPv4 address as /proc/net/tcp shows it, in the processor's order of bytes; others stand elsewhere."""
    address = ip_address(ip)
    return address.packed[::-1].hex().upper() if isinstance(address, IPv4Address) else ""


def groups(here: Here) -> Iterator[str]:
    """The control groups of its suites."""
    for suite in here.host.suites:
        yield from sorted(str(path) for path in CGROUPS.rglob(f"{cgroup.PREFIX}{here.name}.{suite}.*"))


def _files(here: Here) -> Iterator[str]:
    for pattern in ("*/record*", "*/control.sock", "*/notify/*"):
        root = here.host.node.root
        yield from sorted(str(path.relative_to(root.parent)) for path in root.glob(pattern))


def written(here: Here) -> dict[str, tuple[int, int]]:
    """What a status must not touch where the logical host does not run: its run-time folder, the empty mount point."""
    if mounts(here):
        return {}
    disk = here.host.disk
    folders = [here.host.node.root, *([Path(disk.mount_point)] if disk else [])]
    found: dict[str, tuple[int, int]] = {}
    for path in (path for folder in folders for path in folder.rglob("*")):
        with suppress(FileNotFoundError):  # it was removed just now
            state = path.lstat()
            found[str(path)] = (state.st_mtime_ns, state.st_size)
    return found
