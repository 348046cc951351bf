"""What the console counts, for Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bansho.manager.live import Feed, Streams

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One console's counters and gauges, in a registry of their own."""

    def __init__(self, feed: Feed, streams: Streams) -> None:
        self._registry = CollectorRegistry()
        labels = ("endpoint", "status")
        self.requests = Counter("bansho_console_requests", "Answers", labels, registry=self._registry)
        self.seconds = Histogram(
            "bansho_console_request_seconds", "Until an answer begins", ("endpoint",), registry=self._registry
        )
        self._gauge("bansho_console_high_water", "Last serial seen in the IM database", lambda: feed.high_water)
        self._gauge("bansho_console_database_up", "Whether the IM database answers", lambda: feed.connected)
        self._gauge("bansho_console_streams", "Open live pages", lambda: streams.open)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, help_text: str, value: Any) -> None:
        Gauge(name, help_text, registry=self._registry).set_function(value)
