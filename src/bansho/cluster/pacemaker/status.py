"""What runs where, since when, and what has failed: `crm_mon`'s answer, and the part of it that concerns a host."""

from datetime import datetime
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from bansho.cluster.pacemaker.cib import PATIENCE, SUITE, Cib, parse

MONITOR = ("crm_mon", "--one-shot", "--output-as=xml", "--inactive")
TRUE = frozenset({"true", "1", "yes", "on", "y"})
INFINITE = 1_000_000
"""Pacemaker's INFINITY: a fail count that nothing but a clean-up or its time makes good."""


class Failure(NamedTuple):
    """Failures of one resource on one node that are still counted."""

    resource: str
    node: str
    counted: int
    last: str
    """When the last one was, as Pacemaker says it."""

    @property
    def bans(self) -> bool:
        """Whether one was enough to ban the resource from the node."""
        return self.counted >= INFINITE


class Running(NamedTuple):
    """One resource as the cluster sees it."""

    id: str
    role: str
    nodes: tuple[str, ...]
    since: float | None
    """When it was started there, in seconds since 1970; None where the cluster's history does not say."""
    managed: bool
    failed: bool
    blocked: bool
    reason: str
    """Why it failed last, in its agent's words, as long as the cluster keeps that; else empty."""


class NodeState(NamedTuple):
    """One node as the cluster sees it."""

    name: str
    state: str
    """`online`, `standby`, `maintenance`, `unclean` or `offline`."""


class HostStatus(NamedTuple):
    """One logical host, live."""

    name: str
    nodes: tuple[NodeState, ...]
    resources: tuple[Running, ...]
    failures: tuple[Failure, ...]
    maintenance: bool
    """The cluster keeps its hands off, and does not even monitor."""
    stopped: bool
    """An operator has stopped it."""
    quorum: bool

    @property
    def home(self) -> str:
        """The node on which all of it runs; empty where that is not so."""
        nodes = {each.nodes for each in self.resources}
        only = nodes.pop() if len(nodes) == 1 else ()
        return only[0] if len(only) == 1 else ""

    @property
    def unmanaged(self) -> list[str]:
        """The resources that the cluster monitors and otherwise leaves alone; in maintenance it monitors nothing."""
        return [] if self.maintenance else [each.id for each in self.resources if not each.managed]


def look(cib: Cib, patience: float = PATIENCE) -> Element:
    """The cluster's status. Raises ToolMissing or ToolFailed.

    An older `crm_mon` says of a group that it is unmanaged, and not whether that is maintenance: that is asked then.
    """
    found = parse(cib.run(*MONITOR, patience=patience).stdout)
    for group in found.findall("resources/group[@managed='false']"):
        if group.get("maintenance") is None:
            asked = ("--resource", group.get("id", ""), "--meta", "--get-parameter", "maintenance")
            said = cib.run("crm_resource", *asked, accepted=range(256), patience=patience).stdout
            group.set("maintenance", str(said.strip().lower() in TRUE).lower())
    return found


def homes(status: Element, resources: Any) -> dict[str, str]:
    """Where each resource runs; empty for nowhere."""
    found = {each: status.find(f".//resource[@id='{each}']/node") for each in resources}
    return {each: node.get("name", "") if node is not None else "" for each, node in found.items()}


def registered(status: Element) -> list[str]:
    """The names of the logical hosts: each is a group with a suite in it."""
    return [group.get("id", "") for group in status.findall("resources/group") if _is_ours(group)]


def _is_ours(group: Element) -> bool:
    # Before 2.1 there were two colons before the provider.
    return SUITE in {each.get("resource_agent", "").replace("::", ":") for each in group.findall("resource")}


def has_group(status: Element, name: str) -> bool:
    """Whether the cluster has a group of that name, a logical host or somebody else's."""
    return status.find(f"resources/group[@id='{name}']") is not None


def read(status: Element, name: str) -> HostStatus | None:
    """The logical host `name` in the cluster's status; None where there is none."""
    group = status.find(f"resources/group[@id='{name}']")
    if group is None or not _is_ours(group):
        return None
    resources = tuple(_running(status, each) for each in group.findall("resource"))
    ids = {each.id for each in resources}
    return HostStatus(
        name,
        tuple(NodeState(node.get("name", ""), _state(node)) for node in status.findall("nodes/node")),
        resources,
        tuple(each for each in failures(status) if each.resource in ids),
        maintenance=_is(group, "maintenance") or _is(status.find("summary/cluster_options"), "maintenance-mode"),
        stopped=group.get("disabled") == "true",
        quorum=_is(status.find("summary/current_dc"), "with_quorum"),
    )


def fencing_problem(status: Element) -> str:
    """Why this cluster could not fence a node now; empty when it could."""
    if not _is(status.find("summary/cluster_options"), "stonith-enabled"):
        return "fencing is switched off in this cluster (stonith-enabled=false)"
    devices = [each for each in status.iter("resource") if each.get("resource_agent", "").startswith("stonith:")]
    if not devices:
        return "this cluster has no fencing device (no stonith resource)"
    down = [each.get("id", "") for each in devices if not _is(each, "active") or _is(each, "failed")]
    return f"fencing device {', '.join(down)} does not run" if down else ""


def _is(element: Element | None, attribute: str) -> bool:
    return element is not None and element.get(attribute) == "true"


def _state(node: Element) -> str:
    if _is(node, "unclean"):
        return "unclean"
    if not _is(node, "online"):
        return "offline"
    return next((each for each in ("standby", "maintenance") if _is(node, each)), "online")


def _running(status: Element, resource: Element) -> Running:
    name = resource.get("id", "")
    nodes = tuple(node.get("name", "") for node in resource.findall("node"))
    reasons = [each for each in status.findall("failures/failure") if each.get("op_key", "").startswith(f"{name}_")]
    return Running(
        name,
        resource.get("role", ""),
        nodes,
        _since(status, name, nodes[0]) if nodes else None,
        managed=_is(resource, "managed"),
        failed=_is(resource, "failed"),
        blocked=_is(resource, "blocked"),
        reason=reasons[-1].get("exitreason", "") if reasons else "",
    )


def operations(status: Element, resource: str, node: str) -> list[Element]:
    """What was last done to a resource on a node, oldest first."""
    return status.findall(f"node_history/node[@name='{node}']/resource_history[@id='{resource}']/operation_history")


def _since(status: Element, resource: str, node: str) -> float | None:
    done = operations(status, resource, node)
    times = [each.get("last-rc-change", "") for each in done if each.get("task") == "start"]
    try:
        return datetime.strptime(times[-1], "%a %b %d %H:%M:%S %Y").astimezone().timestamp() if times else None
    except ValueError:
        return None


def failures(status: Element) -> list[Failure]:
    """Every failure that is still counted."""
    return [
        Failure(each.get("id", ""), node.get("name", ""), _count(each), each.get("last-failure", ""))
        for node in status.findall("node_history/node")
        for each in node.findall("resource_history")
        if _count(each)
    ]


def _count(history: Element) -> int:
    count = history.get("fail-count", "0")
    return int(count) if count.isdigit() else INFINITE
