"""A logical host as cluster software sees it: its resources in their sequence, with derived time limits. Pure.

The sequence is given (CONTRACT 2): shared disk and logical address, then Base, then Manager; stop is the reverse. What
one cluster product calls all this is that product's folder's business.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from bansho.cluster import timing
from bansho.cluster.errors import NotForACluster
from bansho.cluster.timing import Limit
from bansho.contract import suites
from bansho.logicalhost.definition import DECIMALS, LogicalHost

DATABASE_SUITE = "manager"
"""The suite whose IM database is monitored with it."""
ADVERTISED = "as the resource agent advises"
DISK = {"start": Limit(60, ADVERTISED), "stop": Limit(60, ADVERTISED), "monitor": Limit(40, ADVERTISED)}
ADDRESS = {each: Limit(20, ADVERTISED) for each in ("start", "stop", "monitor")}
DEEP = "deep_monitor"
"""The monitoring that sends an event through a suite, beside the one that asks for its state."""
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*", re.ASCII)
NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*", re.ASCII)


class Kind(Enum):
    """What a resource is."""

    DISK = "shared disk"
    ADDRESS = "logical address"
    SUITE = "suite"


class Resource(NamedTuple):
    """One thing that the cluster starts, stops and monitors on one node."""

    id: str
    kind: Kind
    parameters: Mapping[str, str]
    limits: Mapping[str, Limit]
    """Operation (`start`, `stop`, `monitor`, for our own suites `deep_monitor`) -> its time limit."""
    intervals: Mapping[str, float]
    """Operation that is repeated -> seconds from its end to the next one."""


class Model(NamedTuple):
    """What cluster software has to be told about one logical host."""

    name: str
    nodes: tuple[str, ...]
    """Where it may run, in the definition's order; no preference follows from it."""
    resources: tuple[Resource, ...]
    """In start order; each needs the one before. They stop in the reverse order."""
    monitor_interval: float
    restarts: int
    """How often a failed resource is restarted on the same node before the logical host fails over."""
    failure_window: float
    """Seconds without a failure after which they are counted anew."""

    @property
    def start_order(self) -> list[str]:
        """The resources' ids, first to start first."""
        return [resource.id for resource in self.resources]

    @property
    def stop_order(self) -> list[str]:
        """The resources' ids, first to stop first."""
        return self.start_order[::-1]


def model(host: LogicalHost, optional: Collection[str] = ()) -> Model:
    """The model of a logical host; `optional` are the keys that a product does without. Raises NotForACluster."""
    for key, wrong, problem in _rules(host):
        if wrong and key not in optional:
            raise NotForACluster(name=host.name, key=key, problem=problem)
    cluster = host.cluster
    return Model(
        host.name,
        cluster.nodes,
        (*_disk(host), *_address(host), *(_suite(host, suite) for suite in host.suites)),
        cluster.monitor_interval,
        cluster.restarts,
        cluster.failure_window,
    )


def polled(host: LogicalHost) -> LogicalHost:
    """The logical host for software that looks at intervals and at nothing but the state."""
    return msgspec.structs.replace(host, cluster=msgspec.structs.replace(host.cluster, push=False, deep_interval=0.0))


def _rules(host: LogicalHost) -> list[tuple[str, bool, str]]:
    """(key, is it wrong, what was expected)."""
    nodes = host.cluster.nodes
    unknown = [suite for suite in host.suites if suite not in suites.COMMANDS]
    return [
        ("kind", not host.is_logical, "expected a logical host; the physical host is not the cluster's"),
        ("name", not IDENTIFIER.fullmatch(host.name), "expected it to begin with a letter, for the cluster's names"),
        ("disk", host.disk is None, "is missing; the cluster has to know what to mount where"),
        ("address", not _can_move(host), "expected the logical IP address, such as 192.0.2.10/24"),
        ("cluster.nodes", len(nodes) < 2, "expected the names of at least two nodes"),
        ("cluster.nodes", len(set(nodes)) < len(nodes), "expected each node once"),
        ("cluster.nodes", not all(map(NODE.fullmatch, nodes)), "expected node names of letters, digits, '.' and '-'"),
        ("suites", bool(unknown), f"{', '.join(unknown)}: expected only {' and '.join(suites.COMMANDS)}"),
        (
            "suites",
            list(host.suites) != _in_sequence(host.suites),
            "expected base before manager, since Manager needs it",
        ),
        (
            "cluster.deep-interval",
            _have_one_interval(host),
            f"{host.cluster.deep_interval:g} is the usual monitor's interval too; expected another number",
        ),
    ]


def _have_one_interval(host: LogicalHost) -> bool:
    """Whether a suite's two monitors have the same: Pacemaker tells the operations of a resource apart by it."""
    intervals = [_intervals(host, each) for each in host.suites if each in suites.COMMANDS]
    return any(each["monitor"] == each.get(DEEP) for each in intervals)


def _in_sequence(names: tuple[str, ...]) -> list[str]:
    return [suite for suite in suites.COMMANDS if suite in names]


def _can_move(host: LogicalHost) -> bool:
    """Whether the address can be given to one node and then to another."""
    ip = ipaddress.ip_address(host.ip)
    return not (ip.is_loopback or ip.is_unspecified)


def _disk(host: LogicalHost) -> list[Resource]:
    disk = host.disk
    if disk is None:
        return []
    parameters = {
        "device": disk.device,
        "directory": disk.mount_point,
        "fstype": disk.type,
        "options": disk.options,
    }
    return [Resource(f"{host.name}-disk", Kind.DISK, _given(parameters), DISK, _polled(host))]


def _address(host: LogicalHost) -> list[Resource]:
    if not _can_move(host):
        return []
    ip, _, prefix = host.address.partition("/")
    parameters = {"ip": ip, "cidr_netmask": prefix, "nic": host.cluster.interface or ""}
    return [Resource(f"{host.name}-address", Kind.ADDRESS, _given(parameters), ADDRESS, _polled(host))]


def _polled(host: LogicalHost) -> dict[str, float]:
    return {"monitor": host.cluster.monitor_interval}


def commands(host: LogicalHost, suite: str) -> str:
    """The folders of another product's commands that drive the suite; empty for our own."""
    return {"base": host.cluster.base_commands, "manager": host.cluster.manager_commands}[suite] or ""


def wait(host: LogicalHost, suite: str) -> float:
    """For how many seconds a monitor of the suite waits for something to happen; 0: it answers at once."""
    return host.cluster.monitor_interval if host.cluster.push and not commands(host, suite) else 0.0


def patience(host: LogicalHost, suite: str) -> timing.Patience:
    """How a suite of the logical host is asked for its state."""
    cluster = host.cluster
    has_database = cluster.database and suite == DATABASE_SUITE
    return timing.Patience(cluster.retries, cluster.retry_interval, cluster.status_timeout, has_database)


def derived(host: LogicalHost, suite: str) -> dict[str, Limit]:
    """What each operation on a suite needs, as a time limit."""
    asked = patience(host, suite)
    return {
        "start": timing.start(host.limits.start, asked),
        "stop": timing.stop(host.limits.stop, asked),
        "monitor": timing.monitor(asked, wait(host, suite), short_way=not commands(host, suite)),
    } | ({DEEP: timing.deep_monitor(asked)} if is_deep(host, suite) else {})


def is_deep(host: LogicalHost, suite: str) -> bool:
    """Whether events are sent through the suite to check it: our own, whose ways are known."""
    return host.cluster.deep_interval > 0 and not commands(host, suite)


def _intervals(host: LogicalHost, suite: str) -> dict[str, float]:
    usual = timing.PUSH_PAUSE if wait(host, suite) else host.cluster.monitor_interval
    return {"monitor": usual} | ({DEEP: host.cluster.deep_interval} if is_deep(host, suite) else {})


def key(operation: str) -> str:
    """An operation's key in the definition."""
    return operation.replace("_", "-")


def _limits(host: LogicalHost, suite: str) -> dict[str, Limit]:
    """The definition's own limits where it names them, else what is needed."""
    named: dict[str, int | None] = msgspec.structs.asdict(host.cluster.limits)
    return {
        operation: Limit(seconds, f"the definition's cluster.limits.{key(operation)}")
        if (seconds := named[operation])
        else needed
        for operation, needed in derived(host, suite).items()
    }


def _suite(host: LogicalHost, suite: str) -> Resource:
    cluster = host.cluster
    parameters = {
        "host": host.name,
        "suite": suite,
        "directory": host.shared_directory,
        "mount_point": host.disk.mount_point if host.disk else "",
        "commands": commands(host, suite),
        "database": "true" if patience(host, suite).database else "",
        "releases_disk": "true" if suite == host.suites[0] else "",
        "retries": str(cluster.retries),
        "retry_interval": _number(cluster.retry_interval),
        "status_timeout": str(cluster.status_timeout),
        "wait": _number(wait(host, suite)) if wait(host, suite) else "",
    }
    limits, intervals = _limits(host, suite), _intervals(host, suite)
    return Resource(f"{host.name}-{suite}", Kind.SUITE, _given(parameters), limits, intervals)


def _number(seconds: float) -> str:
    """All that the definition may say of it, where `:g` keeps six digits and may write an exponent."""
    return f"{seconds:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _given(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
