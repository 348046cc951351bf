"""A transition: what Pacemaker's scheduler would do next, as the graph that it writes down. Pure.

The graph says more than one run of it: which action *must* wait for which. An order that merely happens is no order.
"""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple
from xml.etree.ElementTree import Element

OPERATIONS = frozenset({"start", "stop"})
FENCE = "stonith"


class Action(NamedTuple):
    """Something that happens to a resource, or to a node."""

    operation: str
    """`start`, `stop`, `probe` (a monitor without interval), or `fence`."""
    resource: str
    """Empty for `fence`."""
    node: str
    implied: bool = False
    """A stop that nobody does, since the node that it would be done on is fenced."""

    def words(self) -> str:
        """`fence n1`, `stop watch-base on n1`."""
        if self.operation == "fence":
            return f"fence {self.node}"
        return f"{self.operation} {self.resource} on {self.node}{' (by fencing it)' * self.implied}"


class Transition(NamedTuple):
    """The actions in an order that the graph allows, and what each has to wait for."""

    actions: tuple[Action, ...]
    waits_for: Mapping[Action, frozenset[Action]]
    """Directly or through others."""

    def of(self, operation: str) -> list[Action]:
        """The actions of one kind, in order."""
        return [action for action in self.actions if action.operation == operation]


def read(graph: Element, homes: Mapping[str, str]) -> Transition:
    """The transition in a `transition_graph`; `homes` says where each resource of interest runs, empty for nowhere.

    Actions on other resources are left out of the result, and still carry the order.
    """
    waits = {event.get("id", ""): _inputs(synapse) for synapse in graph for event in synapse.findall("action_set/*")}
    events = {event.get("id", ""): event for event in graph.findall("synapse/action_set/*")}
    before: dict[str, frozenset[str]] = {}
    order = list(TopologicalSorter(waits).static_order())
    for each in order:
        direct = waits.get(each, frozenset())
        before[each] = direct.union(*(before[other] for other in direct))
    known = {each: action for each in order if each in events and (action := _action(events[each], homes))}
    needs = {known[each]: frozenset(known[other] for other in before[each] if other in known) for each in known}
    return Transition(tuple(known.values()), needs)


def _inputs(synapse: Element) -> frozenset[str]:
    return frozenset(event.get("id", "") for event in synapse.findall("inputs/trigger/*"))


def _action(event: Element, homes: Mapping[str, str]) -> Action | None:
    operation, node = event.get("operation", ""), event.get("on_node", "")
    if event.tag == "crm_event" and operation == FENCE:
        return Action("fence", "", node)
    resource, _, interval = event.get("operation_key", "").rpartition(f"_{operation}_")
    if resource not in homes:
        return None
    if operation in OPERATIONS:
        return Action(operation, resource, node or homes[resource], implied=event.tag == "pseudo_event")
    return Action("probe", resource, node) if operation == "monitor" and interval == "0" else None
