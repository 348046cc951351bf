"""Which processes of the suites live on which node, looked at from outside the nodes, and what they hold.

The lab's nodes are pid namespaces of this machine, so its own /proc shows what a frozen or cut-off node runs too.
Whose a process is, its environment says. Where that was cleared or overwritten, as by each child of PostgreSQL's first
process, the suite's control group says it, or whom it descends from. Not the program's name: a node that joins asks
PostgreSQL for its version.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bansho.contract.suites import COMMANDS
from bansho.lab.errors import NodeOff
from bansho.lab.lab import Lab
from bansho.lab.node import Node
from bansho.process import cgroup, holders, identity, proctree
from bansho.process.holders import Holder
from bansho.process.identity import Stat

MANAGERS = {COMMANDS[suite].status.removesuffix("_status"): suite for suite in COMMANDS}
"""Program name of a process manager -> its suite."""
GUARD = "_guard"
POSTGRES = "postgres"
"""The program of PostgreSQL's processes."""
SERVICE_GROUP = "service."
"""Begins the name of a service's control group."""
LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp (the kernel's include/net/tcp_states.h)."""


class Owner(NamedTuple):
    """Whose a process is. `service` is "" for process manager and guardian."""

    suite: str
    service: str


class Found(NamedTuple):
    """A living process of a suite. `service` is "" for process manager and guardian; `pid` is this machine's."""

    pid: int
    ticks: int
    parent: int
    program: str
    suite: str
    service: str

    @property
    def is_manager(self) -> bool:
        """Whether it is a process manager itself."""
        return not self.service and self.program in MANAGERS

    @property
    def is_guardian(self) -> bool:
        """Whether it is a process manager's guardian."""
        return not self.service and self.program.endswith(GUARD)


Census = Mapping[str, tuple[Found, ...]]
"""Node -> the suites' processes on it; only nodes that have power."""


def take(lab: Lab) -> dict[str, tuple[Found, ...]]:
    """The suites' processes of every node that has power, now."""
    namespaces = {space: node.name for node in lab.nodes if (space := _namespace(node))}
    pids: dict[str, list[int]] = {name: [] for name in namespaces.values()}
    for pid in _pids():
        if node := namespaces.get(_link(pid, "ns/pid")):
            pids[node].append(pid)
    return {name: _of_node(lab, name, each) for name, each in pids.items()}


def _of_node(lab: Lab, node: str, pids: Iterable[int]) -> tuple[Found, ...]:
    """The suites' processes among all of a node's."""
    living: list[Stat] = []
    known = _grouped(Path(lab.spec.cgroup, node)) if lab.spec.cgroup else {}
    for pid in pids:
        stat = identity.stat(pid)
        if stat and not stat.ended:
            living.append(stat)
            if owner := told_owner(stat):
                known[pid] = owner
    return belonging(living, known)


def belonging(living: Sequence[Stat], known: Mapping[int, Owner]) -> tuple[Found, ...]:
    """The living processes whose owner is `known` by their pid, and all that descend from those. Pure."""
    parents = {stat.pid: stat.parent for stat in living}

    def owner(pid: int) -> Owner | None:
        while pid in parents and pid not in known:
            pid = parents[pid]
        return known.get(pid)

    return tuple(
        Found(stat.pid, stat.ticks, stat.parent, stat.program, *whose) for stat in living if (whose := owner(stat.pid))
    )


def _grouped(top: Path) -> dict[int, Owner]:
    """The processes in the suites' control groups below a node's."""
    return {
        pid: Owner(group.name.split(".")[-2], _service_of(part))
        for group in top.glob(f"{cgroup.PREFIX}*.*.*")
        for part in cgroup.groups(group)
        for pid in cgroup.members(part)
    }


def _service_of(group: Path) -> str:
    return group.name.removeprefix(SERVICE_GROUP) if group.name.startswith(SERVICE_GROUP) else ""


def running(lab: Lab, program: str) -> frozenset[str]:
    """The nodes on which a program of that name lives, whosever it is."""
    namespaces = {space: node.name for node in lab.nodes if (space := _namespace(node))}
    pids = (pid for pid in _pids() if _program(pid) == program)
    return frozenset(node for pid in pids if (node := namespaces.get(_link(pid, "ns/pid"))))


def _program(pid: int) -> str:
    stat = identity.stat(pid)
    return "" if stat is None or stat.ended else stat.program


def main_processes(processes: tuple[Found, ...]) -> dict[tuple[str, str], Found]:
    """(Suite, service) -> its first process: the one that the process manager started."""
    managers = {process.pid for process in processes if process.is_manager}
    return {(each.suite, each.service): each for each in processes if each.service and each.parent in managers}


def service_names(suite: str) -> frozenset[str]:
    """The services that a suite's own definition requires."""
    text = (Path(__file__).parents[1] / suite / "suite.toml").read_text()
    return frozenset(each["name"] for each in tomllib.loads(text)["service"] if each.get("enabled", True))


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - called often


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/{name}")  # noqa: PTH115 - called for every process there is
    except OSError:
        return ""


def _namespace(node: Node) -> str:
    try:
        return _link(node.pid, "ns/pid")
    except NodeOff:
        return ""


def told_owner(stat: Stat) -> Owner | None:
    """As its environment says; who is about to end has none any more, but a process manager its name."""
    variables = proctree.environment(stat.pid)
    mark = variables.get(proctree.MARK, "")
    suite = Path(mark).name or MANAGERS.get(stat.program.removesuffix(GUARD), "")
    return Owner(suite, variables.get(proctree.SERVICE, "")) if suite else None


class Remains(NamedTuple):
    """What a node that does not run the logical host still has of it. All empty where nothing is left."""

    node: str
    processes: tuple[str, ...]
    holders: tuple[str, ...]
    """Processes with something open on the shared disk."""
    ports: tuple[int, ...]
    mounts: tuple[str, ...]
    groups: tuple[str, ...]
    """The suites' control groups."""
    files: tuple[str, ...]
    """Records, sockets and temporary files that only a living process manager needs."""


def remains(lab: Lab, node: Node, ports: tuple[int, ...]) -> Remains:
    """What is left on a node. Raises NodeOff."""
    init = node.pid
    space = _link(init, "ns/pid")
    pids = [pid for pid in _pids() if _link(pid, "ns/pid") == space]
    device = os.makedev(*map(int, lab.running.device.split(":")))
    return Remains(
        node.name,
        tuple(f"{each.program} {each.pid}" for each in _of_node(lab, node.name, pids)),
        tuple(held(each) for pid in pids if (each := holders.holder_on(pid, device))),
        tuple(port for port in ports if _listens(init, port)),
        tuple(_mounts(init, lab.running.device)),
        tuple(_groups(lab, node)),
        tuple(_files(init)),
    )


def held(holder: Holder) -> str:
    """What a process has open on the shared disk, in words."""
    return f"{holder.program} {holder.pid}: {holder.path}"


def _listens(init: int, port: int) -> bool:
    wanted = f":{port:04X}"
    with suppress(OSError):
        for line in Path(f"/proc/{init}/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if local.endswith(wanted) and state == LISTENING:
                return True
    return False


def _mounts(init: int, device: str) -> Iterator[str]:
    with suppress(OSError):
        for line in Path(f"/proc/{init}/mountinfo").read_text().splitlines():
            fields = line.split()
            if fields[2] == device:
                yield fields[4]


def _groups(lab: Lab, node: Node) -> Iterator[str]:
    top = Path(lab.spec.cgroup, node.name)
    if lab.spec.cgroup:
        yield from (str(path.relative_to(top)) for path in sorted(top.rglob("bansho.*")) if path.is_dir())


def _files(init: int) -> Iterator[str]:
    run = Path(f"/proc/{init}/root/run/bansho")
    for pattern in ("*/*/record*", "*/*/control.sock", "*/*/notify/*"):
        yield from sorted(str(path.relative_to(run)) for path in run.glob(pattern))
