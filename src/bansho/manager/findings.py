"""What is wrong with a logical host, why that matters, and what a person on duty does about it. Pure.

Ordered by weight: what keeps it from working now, then what would keep it from being taken over, then what to know.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from bansho.contract import operation
from bansho.logicalhost.clusterstate import ClusterState, FailureCount, NodeState, ResourceState
from bansho.manager.clusterview import ClusterView
from bansho.manager.suiteview import SuiteView

Weight = Literal["bad", "warning", "note"]
WEIGHTS: tuple[Weight, ...] = ("bad", "warning", "note")
BEHIND = 1000
"""So many events that the IM database lacks are worth a word: more than one batch."""


ERROR = re.compile(r"BSHO\d{4}-E ", re.ASCII)
"""How a service's own words begin when it reports an error."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person on duty should know."""

    weight: Weight
    """`bad`: it does not work; `warning`: it works, and is not safe; `note`: it is meant so, or passes by itself."""
    text: str
    """What is so, and why it matters."""
    todo: str = ""
    """What to do."""
    command: str = ""
    """The command that does or shows it."""


def ordered(found: Iterator[Finding]) -> list[Finding]:
    """The heaviest first."""
    return sorted(found, key=lambda each: WEIGHTS.index(each.weight))


def of_suites(host: str, log: Path, suites: Sequence[SuiteView], cluster: ClusterView) -> Iterator[Finding]:
    """What the suites' own status says; `log` is where they log."""
    kept = cluster.told == "now" and cluster.state is not None and keeps(cluster.state)
    repairs = "the cluster restarts it, and moves it if that fails" if kept else "nothing restarts it by itself"
    for suite in suites:
        title = suite.name.capitalize()
        command = f"tail -n 20 {log}/{suite.name}.*.log"
        if suite.value == operation.RETRY:
            yield Finding(weight="note", text=f"{title} is being started or stopped: {suite.text}")
        elif suite.value is None:
            text = f"{title}: its state is unknown, {suite.text}"
            yield Finding(weight="bad", text=text, todo="Look at it on the node", command=_status(suite.name, host))
        elif suite.value != operation.ALL_RUNNING:
            text = f"{title} is {suite.meaning} ({suite.text}); {repairs}"
            yield Finding(weight="bad", text=text, todo="Find out why", command=command)
        for service in suite.services:
            if ERROR.match(service.status or ""):
                text = f"{service.name} of {title} runs, and says: {service.status}"
                yield Finding(weight="bad", text=text, todo="Do what it says")


def keeps(state: ClusterState) -> bool:
    """Whether the cluster answers a failure."""
    return not state.maintenance and all(each.managed for each in state.resources)


def _status(suite: str, host: str) -> str:
    return f"{'jco' if suite == 'manager' else 'jbs'}_spmd_status -h {host}"


def of_database(connected: bool, lag: int | None) -> Iterator[Finding]:
    """What the IM database says."""
    if not connected:
        text = "The IM database does not answer: it starts, recovers or is stopped; no event is lost meanwhile"
        yield Finding(weight="bad", text=text, todo="Wait for it; if it stays so, look at its controller's log")
    elif lag is not None and lag >= BEHIND:
        text = f"The IM database is {lag:,} events behind Base: new events appear late"
        yield Finding(weight="warning", text=text, todo="Watch whether it catches up")


def of_cluster(host: str, kind: str, node: str, view: ClusterView) -> Iterator[Finding]:
    """What the cluster says, and whether it says anything; `node` is this one."""
    if view.told == "none":
        if kind == "logical":
            text = "No cluster software runs this logical host here: nothing takes over when this node fails"
            yield Finding(weight="note", text=text, todo="Register it", command=f"bansho cluster apply {host}")
        return
    if view.told != "now":
        age = "what is shown of it is old" if view.state else "nothing is known of it"
        text = f"The cluster does not say how it sees this logical host: {view.problem}; {age}"
        yield Finding(weight="warning", text=text, todo="Ask it on the node", command=f"bansho cluster status {host}")
    if view.state:
        yield from _of_state(host, node, view.state)


def _of_state(host: str, here: str, state: ClusterState) -> Iterator[Finding]:
    if state.maintenance:
        text = "In maintenance: the cluster keeps its hands off, nothing is monitored, restarted or failed over"
        yield Finding(weight="warning", text=text, todo="When done", command=f"bansho cluster maintenance off {host}")
    elif unmanaged := [each.id for each in state.resources if not each.managed]:
        text = f"The cluster monitors {', '.join(unmanaged)} and does no more: nothing is restarted or failed over"
        yield Finding(weight="warning", text=text, todo="When done", command=f"crm resource manage {host}")
    if state.stopped:
        text = "Stopped by an operator: the cluster does not start it"
        yield Finding(weight="warning", text=text, todo="Start it", command=f"crm resource start {host}")
    yield from _of_safety(host, here, state)
    for resource in state.resources:
        yield from _of_resource(host, resource)
    for failure in state.failures:
        yield _of_failure(failure)
    for node in state.nodes:
        yield from _of_node(node)


def _of_safety(host: str, here: str, state: ClusterState) -> Iterator[Finding]:
    """What would keep another node from taking over."""
    if not state.quorum:
        text = "The cluster has no quorum: it starts nothing, and may stop what runs"
        yield Finding(weight="bad", text=text, todo="Bring the other nodes back", command="crm_mon -1")
    if state.fencing:
        text = f"Nothing can be taken over safely: {state.fencing}"
        yield Finding(weight="bad", text=text, todo="Mend the fencing", command=f"bansho doctor {host}")
    if not successors(state, here):
        text = "No other node could take over now"
        yield Finding(weight="bad", text=text, todo="Bring one back; the nodes below say why not")


def successors(state: ClusterState, node: str) -> list[str]:
    """The nodes, other than this `node` and where it runs, that could take it now."""
    return [each.name for each in state.nodes if each.could_run and each.name not in (state.home, node)]


def _of_resource(host: str, each: ResourceState) -> Iterator[Finding]:
    why = f": {each.reason}" if each.reason else ""
    if each.blocked:
        text = f"{each.id} is blocked: the cluster gave up on it{why}"
        todo = "Repair it, then let the cluster look again"
        yield Finding(weight="bad", text=text, todo=todo, command=f"crm_resource --cleanup --resource {host}")
    elif each.failed:
        yield Finding(weight="bad", text=f"{each.id} has failed{why}; the cluster is about to answer that")
    elif not each.nodes:
        yield Finding(weight="bad", text=f"{each.id} runs nowhere{why}")


def _of_failure(each: FailureCount) -> Finding:
    last = f", last {each.last}" if each.last else ""
    command = f"crm_resource --cleanup --resource {each.resource} --node {each.node}"
    if each.bans:
        text = f"{each.resource} could not be started or stopped on {each.node}{last}: it may not run there"
        return Finding(weight="warning", text=text, todo="Repair it, then forget the failure", command=command)
    times = "once" if each.counted == 1 else f"{each.counted} times"
    text = f"{each.resource} failed {times} on {each.node}{last}; still counted"
    return Finding(weight="warning", text=text, todo="Find out why, then forget it", command=command)


def _of_node(each: NodeState) -> Iterator[Finding]:
    if each.state == "unclean":
        text = f"{each.name} is unclean: it is to be fenced, and until that has worked nothing is taken over from it"
        yield Finding(
            weight="bad", text=text, todo="See whether the fencing works", command="stonith_admin --history '*'"
        )
    elif each.state == "offline":
        yield Finding(weight="warning", text=f"{each.name} is offline", todo="Find out why, and start it again")
    elif each.state == "standby":
        command = f"bansho cluster standby off {each.name}"
        yield Finding(weight="note", text=f"{each.name} is on standby: nothing may run there", command=command)
    elif each.state == "maintenance":
        yield Finding(weight="note", text=f"{each.name} is in maintenance: the cluster does nothing there")
