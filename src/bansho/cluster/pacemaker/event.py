"""The events that a registration is proved against, and what the contract expects of the cluster after each. Pure."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from bansho.cluster.model import Kind, Model
from bansho.cluster.pacemaker.transition import Transition

GENERIC, NOT_RUNNING = 1, 7
"""OCF's exit codes, as the agents answer them."""


class Where(Enum):
    """Where it is to run afterwards."""

    SAME = "on the same node"
    OTHER = "on another node"


class Expected(NamedTuple):
    """What the cluster must do: exactly this."""

    stops: tuple[str, ...]
    """The resources that stop, in order."""
    starts: tuple[str, ...]
    where: Where = Where.SAME
    fences: bool = False
    probes: tuple[str, ...] = ()
    """The resources that the standby node is asked for."""

    def words(self) -> str:
        """For a person."""
        if not self.starts:
            return "nothing is started or stopped" + ("; the standby node is asked for each" if self.probes else "")
        does = f"stop {', '.join(self.stops)}" if self.stops else "stop nothing"
        fencing = "fence the node, then " if self.fences else ""
        return f"{fencing}{does}; start {', '.join(self.starts)} {self.where.value}"


class Event(NamedTuple):
    """One thing that happens, as command lines of Pacemaker's programs."""

    name: str
    steps: tuple[tuple[str, ...], ...]
    """Run on a copy, one after the other; the transition of the last, a `crm_simulate`, is the one that counts."""
    expected: Expected


SIMULATE = "crm_simulate"


def events(model: Model, home: str, standby: str) -> Iterator[Event]:
    """Every event, for a logical host that runs on `home`, with another node `standby`."""
    over = Expected(tuple(model.stop_order), tuple(model.start_order), Where.OTHER)
    yield Event("node lost", ((SIMULATE, f"--node-fail={home}"),), over._replace(fences=True))
    for suite in (each.id for each in model.resources if each.kind is Kind.SUITE):
        yield from _failures(model, suite, home, over)
    if any("database" in each.parameters for each in model.resources):
        yield Event("IM database failed", (_fails(model, model.start_order[-1], home),), _from(model, -1))
    yield from _lost(model, home, over)
    yield from _standby(model, standby)
    move = ("crm_resource", "--resource", model.name, "--move", "--node", standby)
    yield Event("operator's move", (move, (SIMULATE,)), over)
    rest = ("crm_attribute", "--node", home, "--name", "standby", "--update", "on")
    yield Event("node put on standby", (rest, (SIMULATE,)), over)


def _failures(model: Model, suite: str, home: str, over: Expected) -> Iterator[Event]:
    fails = _fails(model, suite, home)
    if model.restarts:
        yield Event(f"{suite} failed once", (fails,), _from(model, model.start_order.index(suite)))
        yield _no_restart(f"{suite} failed and could not be restarted", model, suite, home, over)
    yield Event(f"{suite} failed past the threshold", (fails,) * (model.restarts + 1), over)


def _lost(model: Model, home: str, over: Expected) -> Iterator[Event]:
    disk, address, *_ = model.start_order
    yield Event("address lost", (_fails(model, address, home, NOT_RUNNING),), _from(model, 1))
    yield Event("disk lost", (_fails(model, disk, home),), _from(model, 0))
    if model.restarts:
        yield _no_restart("disk lost for this node", model, disk, home, over)


def _no_restart(name: str, model: Model, resource: str, home: str, over: Expected) -> Event:
    """It failed, and then so did its restart on the same node: what comes after that."""
    again = f"--op-fail={resource}_start_0@{home}={GENERIC}"
    # crm_simulate counts a failed start once; the live cluster counts it as final for that node.
    count = f"fail-count-{resource}#start_0"
    ban = ("crm_attribute", "--type", "status", "--node", home, "--name", count, "--update", "INFINITY")
    left = model.stop_order[model.stop_order.index(resource) :]
    return Event(name, ((*_fails(model, resource, home), again), ban, (SIMULATE,)), over._replace(stops=tuple(left)))


def _standby(model: Model, standby: str) -> Iterator[Event]:
    """A probe answers "not running" on a standby server, where operation monitoring itself says 1 (CONTRACT 3.5)."""
    nothing = Expected((), ())
    probes = tuple(f"--op-inject={each}_monitor_0@{standby}={NOT_RUNNING}" for each in model.start_order)
    forget = ("cibadmin", "--delete", "--force", "--xpath", f"//node_state[@uname='{standby}']/lrm")
    asked = nothing._replace(probes=tuple(model.start_order))
    yield Event("standby probed", (forget, (SIMULATE,)), asked)
    yield Event("standby probe answered", ((SIMULATE, *probes),), nothing)


def _fails(model: Model, resource: str, home: str, value: int = GENERIC) -> tuple[str, ...]:
    interval = next(each.intervals["monitor"] for each in model.resources if each.id == resource)
    return SIMULATE, f"--op-inject={resource}_monitor_{interval * 1000:.0f}@{home}={value}"


def _from(model: Model, position: int) -> Expected:
    """The failed resource and all above it, in their sequence, on the same node."""
    if not model.restarts:
        return Expected(tuple(model.stop_order), tuple(model.start_order), Where.OTHER)
    affected = model.start_order[position:]
    return Expected(tuple(affected[::-1]), tuple(affected))


def unmet(expected: Expected, transition: Transition, home: str, standby: str) -> Iterator[str]:
    """What of the expected did not come, as sentences."""
    for operation, wanted in (("stop", expected.stops), ("start", expected.starts)):
        found = tuple(each.resource for each in transition.of(operation))
        if found != wanted:
            would = ", ".join(found) or "nothing"
            yield f"expected to {operation}: {', '.join(wanted) or 'nothing'}; would {operation}: {would}"
    nodes = {each.node for each in transition.of("start")}
    if nodes and (len(nodes) > 1 or (nodes == {home}) != (expected.where is Where.SAME)):
        yield f"expected {expected.where.value}, seen from {home}; would start on {', '.join(sorted(nodes))}"
    fenced = [each.node for each in transition.of("fence")]
    if fenced != [home] * expected.fences:
        yield f"expected to fence {home if expected.fences else 'nobody'}; would fence {', '.join(fenced) or 'nobody'}"
    asked = {each.resource for each in transition.of("probe") if each.node == standby}
    if not asked.issuperset(expected.probes):
        yield f"expected {standby} to be asked for each resource; would be asked for {', '.join(asked) or 'none'}"
