"""Do the numbers of a definition fit each other? What each of them needs beside what it has. Pure.

Every entry that does not fit names the number to change.
"""

from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple

from bansho.cluster import model as models
from bansho.cluster import timing
from bansho.cluster.model import Kind, Model, Resource
from bansho.logicalhost.definition import LogicalHost
from bansho.process.definition import Service, Suite

SHORTEN = {
    "start": "limits.start",
    "stop": "limits.stop",
    models.DEEP: "cluster.retries, cluster.retry-interval or cluster.status-timeout",
    "monitor": "cluster.retries, cluster.retry-interval or cluster.status-timeout",
}
"""Operation -> the keys that make it need less."""


ROUND = ("start", "stop", "monitor")
"""The operations of a whole restart."""


class Entry(NamedTuple):
    """One demand on a number, in seconds."""

    subject: str
    needed: float
    why: str
    """How `needed` comes about."""
    allowed: float
    source: str
    """Where `allowed` comes from."""
    change: str
    """Which number to change where it does not fit."""

    @property
    def fits(self) -> bool:
        """Whether what is allowed is enough."""
        return self.needed <= self.allowed

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        return {**self._asdict(), "fits": self.fits}


class Chain(NamedTuple):
    """The services of a suite that wait for each other longest, and how long that may take in seconds."""

    services: tuple[str, ...]
    limits: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The sum of their limits."""
        return sum(self.limits)

    def words(self) -> str:
        """`imdb 60 + event-base 60`."""
        return " + ".join(f"{name} {limit:g}" for name, limit in zip(self.services, self.limits, strict=True))


def since_last_failure(model: Model) -> Entry:
    """Failures are forgotten when the last one is as old as the window: the next one must come before that."""
    suites = _suites(model)
    slowest = max(_round(model, each, suites[place:]) for place, each in enumerate(suites))
    return _failure_window(
        model,
        slowest if model.restarts else 0,
        f"{slowest:g} for interval, monitor, stop and start of the slowest suite, and stop of what needs it",
        "limits.start or limits.stop",
    )


def since_first_failure(model: Model) -> Entry:
    """Restarts are counted within a window that begins with the first one, and each is one of the whole host."""
    suites = _suites(model)
    whole = model.monitor_interval + sum(each.limits[key].seconds for each in suites for key in ROUND)
    return _failure_window(
        model,
        model.restarts * whole,
        f"{model.restarts} restarts x {whole:g} for interval, monitor, stop and start of all suites",
        "cluster.restarts",
    )


def entries(
    host: LogicalHost,
    model: Model,
    suites: Mapping[str, Suite],
    window: Callable[[Model], Entry] | None = since_last_failure,
) -> list[Entry]:
    """Every demand that can be told; `suites` are the process definitions that can be read on this node.

    `window` is how the cluster product counts failures, if it does; Pacemaker does it from the last one on.
    """
    found: list[Entry] = []
    for suite in host.suites:
        resource = next(each for each in model.resources if each.id == f"{host.name}-{suite}")
        found += _operations(host, suite, resource)
        if suite in suites:
            found += _services(host, suite, resource, suites[suite])
    return [*found, window(model)] if window else found


def _operations(host: LogicalHost, suite: str, resource: Resource) -> Iterator[Entry]:
    for operation, needed in models.derived(host, suite).items():
        has = resource.limits[operation]
        change = f"raise cluster.limits.{models.key(operation)} to {needed.seconds}, or lower {SHORTEN[operation]}"
        source = "what is needed" if has == needed else has.why
        yield Entry(f"{resource.id} {models.key(operation)}", needed.seconds, needed.why, has.seconds, source, change)


def _services(host: LogicalHost, suite: str, resource: Resource, definition: Suite) -> Iterator[Entry]:
    asked = models.patience(host, suite)
    around = {
        "start": asked.look + timing.MARGIN,
        "stop": asked.look + timing.FORCED_TERMINATION + asked.monitoring + timing.MARGIN,
    }
    for operation, rest in around.items():
        longest = chain(definition, operation)
        has = resource.limits[operation].seconds
        key = f"{'cluster.' if getattr(host.cluster.limits, operation) else ''}limits.{operation}"
        kept = "looks, forced termination, proof, margin" if operation == "stop" else "looks, margin"
        lower = f"lower the {operation}-limit of {' or '.join(longest.services)} in {host.shared.suite_file(suite)}"
        yield Entry(
            f"{resource.id} services' {operation}",
            longest.seconds,
            longest.words(),
            has - rest,
            f"{operation} limit {has} - {rest:g} for {kept}",
            f"raise {key} by {max(0, longest.seconds - has + rest):g}, or {lower}",
        )


def chain(suite: Suite, operation: str) -> Chain:
    """The longest chain of `start` or `stop` limits; stop walks the same chains backwards."""
    longest: dict[str, Chain] = {}
    for name in TopologicalSorter(suite.dependencies).static_order():
        before = max((longest[each] for each in suite.dependencies[name]), key=_seconds, default=Chain((), ()))
        longest[name] = Chain((*before.services, name), (*before.limits, _limit(suite.enabled[name], operation)))
    return max(longest.values(), key=_seconds, default=Chain((), ()))


def _seconds(chain: Chain) -> float:
    return chain.seconds


def _limit(service: Service, operation: str) -> float:
    limit = service.start_limit if operation == "start" else service.stop_limit
    assert limit is not None  # noqa: S101 - reading a suite's definition fills every limit in
    return limit


def _suites(model: Model) -> list[Resource]:
    return [each for each in model.resources if each.kind is Kind.SUITE]


def _round(model: Model, failed: Resource, stopped: list[Resource]) -> float:
    """Seconds from one failure of a suite to the next at the latest, if it fails again after the restart."""
    stops = sum(each.limits["stop"].seconds for each in stopped)
    return model.monitor_interval + failed.limits["monitor"].seconds + stops + failed.limits["start"].seconds


def _failure_window(model: Model, needed: float, why: str, lower: str) -> Entry:
    """A failure must still be counted when the one that makes the logical host fail over comes."""
    return Entry(
        f"{model.name} failure window",
        needed,
        why,
        model.failure_window,
        "the definition's cluster.failure-window",
        f"raise cluster.failure-window to {needed:g}, or lower {lower}",
    )
