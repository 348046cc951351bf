"""The plan: everything that registering a logical host will mean, before anything changes.

It is made of the same model that `apply` loads; nothing is computed a second time.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from bansho.cluster import budget
from bansho.cluster import model as models
from bansho.cluster.agent import shared
from bansho.cluster.budget import Entry
from bansho.cluster.errors import DoesNotFit
from bansho.cluster.model import DEEP, Model, Resource
from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.process import definition as processes
from bansho.process.definition import Suite

ON_FAILURE = {
    "start": "stop it here, and run the logical host on another node",
    "stop": "fence the node, then run the logical host on another one",
    DEEP: "as for monitor",
    "monitor": "restart it here with all above it; after {restarts} restarts, fail over",
}
"""Operation -> what the cluster does when it fails."""


class Plan(NamedTuple):
    """What is to be registered, and whether its numbers fit each other."""

    model: Model
    budget: tuple[Entry, ...]
    unchecked: tuple[str, ...]
    """What could not be looked at on this node, and why."""
    fencing: str
    """Which devices fence, or why that is not known."""

    @property
    def shortfalls(self) -> list[Entry]:
        """The demands that are not met."""
        return [entry for entry in self.budget if not entry.fits]

    def require_fit(self) -> None:
        """Raises DoesNotFit, naming each number to change."""
        if self.shortfalls:
            problems = "; ".join(map(shortfall, self.shortfalls))
            raise DoesNotFit(name=self.model.name, problems=problems)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        model = self.model
        return {
            "name": model.name,
            "nodes": model.nodes,
            "start": model.start_order,
            "stop": model.stop_order,
            "resources": [_resource(model, each) for each in model.resources],
            "restarts_before_failover": model.restarts,
            "failure_window": model.failure_window,
            "fencing": self.fencing,
            "budget": [entry.as_document() for entry in self.budget],
            "fits": not self.shortfalls,
            "unchecked": self.unchecked,
        }


def plan(host: LogicalHost, fencing: str) -> Plan:
    """The plan for a logical host under Pacemaker. Raises NotForACluster."""
    model = models.model(host)
    suites, unchecked = process_definitions(host)
    return Plan(model, tuple(budget.entries(host, model, suites)), unchecked, fencing)


def require_fit(host: LogicalHost, optional: Collection[str], window: Callable[[Model], Entry] | None) -> None:
    """The same demands under a product that does without the keys `optional` and counts failures by `window`.

    Raises NotForACluster or DoesNotFit.
    """
    model = models.model(host, optional)
    suites, unchecked = process_definitions(host)
    Plan(model, tuple(budget.entries(host, model, suites, window)), unchecked, "").require_fit()


def process_definitions(host: LogicalHost) -> tuple[dict[str, Suite], tuple[str, ...]]:
    """The suites' process definitions on the shared disk, and why some cannot be read here."""
    found: dict[str, Suite] = {}
    problems: list[str] = []
    foreign = {"base": host.cluster.base_commands, "manager": host.cluster.manager_commands}
    for suite in host.suites:
        if foreign.get(suite):
            problems.append(f"time limits of the services of {suite}: its commands are another product's")
        elif not shared.online(host.shared_directory, host.disk.mount_point if host.disk else ""):
            problems.append(f"time limits of the services of {suite}: the shared directory is not on this node")
        else:
            try:
                found[suite] = processes.load(host, suite)
            except BanshoError as error:
                problems.append(f"time limits of the services of {suite}: {error}")
    return found, tuple(problems)


def shortfall(entry: Entry) -> str:
    """One unmet demand as a sentence."""
    return (
        f"{entry.subject} needs {entry.needed:g} s ({entry.why}) and has {entry.allowed:g} s ({entry.source}):"
        f" {entry.change}"
    )


def _resource(model: Model, resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "kind": resource.kind.value,
        "parameters": dict(resource.parameters),
        "operations": [
            {
                "name": models.key(name),
                "seconds": limit.seconds,
                "why": limit.why,
                "on_failure": on_failure(model, name),
            }
            for name, limit in resource.limits.items()
        ],
    }


def on_failure(model: Model, operation: str) -> str:
    """What the cluster does when an operation fails, in words."""
    return ON_FAILURE[operation].format(restarts=model.restarts)


def as_text(plan: Plan) -> str:
    """The plan for a person at a terminal."""
    return "\n".join([*_head(plan), "", *_limits(plan.model), "", *_budget(plan), ""])


def _head(plan: Plan) -> Iterator[str]:
    model = plan.model
    yield f"logical host {model.name} on {', '.join(model.nodes)}"
    yield ""
    yield from tree(model, {each.id: each.kind.value for each in model.resources})
    yield ""
    yield f"start: {' -> '.join(model.start_order)}"
    yield f"stop: {' -> '.join(model.stop_order)}"
    yield monitoring(model)
    yield (
        f"a failed resource restarts {model.restarts} times on its node, then the logical host fails over;"
        f" failures are forgotten after {model.failure_window:g} s"
    )
    yield f"fencing: {plan.fencing}"


def tree(model: Model, words: Mapping[str, str]) -> Iterator[str]:
    """The resources, each below the one that it needs, with `words` (by id) beside them."""
    width = max(len(each) + 3 * depth for depth, each in enumerate(model.start_order)) + 2
    for depth, each in enumerate(model.start_order):
        branch = "   " * (depth - 1) + "└─ " * (depth > 0)
        yield f"{branch}{each}".ljust(width) + words[each]


def monitoring(model: Model) -> str:
    """How the resources are monitored, in words."""
    waiting = [each.id for each in model.resources if "wait" in each.parameters]
    deep = {each.intervals[DEEP]: None for each in model.resources if DEEP in each.intervals}
    return "; ".join(
        [
            f"monitored every {model.monitor_interval:g} s",
            *([f"failures of {', '.join(waiting)} are told at once"] if waiting else []),
            *(f"an event is sent through the suites every {interval:g} s" for interval in deep),
        ]
    )


def _limits(model: Model) -> Iterator[str]:
    for resource in model.resources:
        yield f"{resource.id} ({resource.kind.value})"
        for name, limit in resource.limits.items():
            yield f"  {models.key(name)}: {limit.seconds} s = {limit.why}"
            yield f"    if it fails: {on_failure(model, name)}"


def _budget(plan: Plan) -> Iterator[str]:
    yield "budget"
    for entry in plan.budget:
        sign = "fits" if entry.fits else "DOES NOT FIT"
        yield f"  {entry.subject}: {entry.needed:g} of {entry.allowed:g} s, {sign}"
    for entry in plan.shortfalls:
        yield f"  {shortfall(entry)}"
    for each in plan.unchecked:
        yield f"  not checked here: {each}"
