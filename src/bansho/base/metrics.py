"""What the event service counts, for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from bansho.events.wire import Registration

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics:
    """A registry of its own; one a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        events = Counter("bansho_events", "Events acknowledged", ["result"], registry=self.registry)
        self._registered, self._duplicate = events.labels("registered"), events.labels("duplicate")
        self._refused = Counter("bansho_requests_refused", "Requests refused", ["status"], registry=self.registry)
        self._commit = Histogram("bansho_commit_seconds", "A commit", registry=self.registry, buckets=SECONDS)
        self._group = Histogram("bansho_commit_events", "Events a commit", registry=self.registry, buckets=SIZES)
        self._waiting = Gauge("bansho_events_waiting", "Events that wait for the writer", registry=self.registry)
        self._last = Gauge("bansho_last_serial", "The newest event's serial", registry=self.registry)

    def committed(self, answers: Sequence[Registration], seconds: float) -> None:
        """One group was committed."""
        duplicates = sum(answer.duplicate for answer in answers)
        self._registered.inc(len(answers) - duplicates)
        self._duplicate.inc(duplicates)
        self._commit.observe(seconds)
        self._group.observe(len(answers))

    def refused(self, status: int) -> None:
        """A request was answered with an error."""
        self._refused.labels(str(status)).inc()

    def text(self, last: int, waiting: int) -> bytes:
        """All of it in Prometheus' text format: `last` is the newest committed serial, `waiting` a number of events."""
        self._waiting.set(waiting)
        self._last.set(last)
        return generate_latest(self.registry)
