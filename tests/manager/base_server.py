"""What Base answers to the event base (docs/house.md), over real HTTP, with events that a test puts there."""

import datetime
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from bansho.events.event import StoredEvent, encode
from bansho.events.wire import Page, State

TOKEN = "a-token-of-tests"
NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC).timestamp()


def event(serial: int, **members: object) -> StoredEvent:
    """An event as Base would have stored it at noon of a day."""
    given: dict[str, object] = {
        "serial": serial,
        "arrived_at": NOON + serial / 1000,
        "occurred_at": NOON,
        "source_server": "sender",
        "source_serial": serial,
        "severity": "Error",
        "message": f"event {serial}",
        "attributes": {"PRODUCT_NAME": "/BANSHO/TEST"},
    }
    return StoredEvent(**{**given, **members})  # type: ignore[arg-type]


class Base:
    """Base's events, and how it behaves. `listening` serves them."""

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []
        self.says: tuple[int, bytes] | None = None
        """A status and a body to answer everything with, in the place of events."""
        self.page = 1000
        self.changed = threading.Condition()
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as probe:
            self.port = probe.server_address[1]

    def add(self, *events: StoredEvent) -> None:
        with self.changed:
            self.events += events
            self.changed.notify_all()

    def add_many(self, count: int) -> None:
        first = len(self.events) + 1
        self.add(*(event(serial) for serial in range(first, first + count)))

    def after(self, serial: int, limit: int, wait: float) -> Page:
        end = time.monotonic() + wait
        with self.changed:
            while not (found := [each for each in self.events[serial:] if each.serial > serial][:limit]):
                if not self.changed.wait(max(end - time.monotonic(), 0)):
                    break
        return Page(found, found[-1].serial if found else serial)

    def state(self) -> State:
        return State("watch", 1, len(self.events), len(self.events), 1 if self.events else 0)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Base is up inside the block."""
        Handler.base = self
        with Server(("127.0.0.1", self.port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed event base leaves a broken connection; anything else is a fault of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """GET only; one answer a connection, so that a Base that goes away is away at once."""

    base: Base

    def do_GET(self) -> None:
        status, body = self.base.says or self._answer()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self) -> tuple[int, bytes]:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, b'{"error": "BSHO4999-E who are you"}'
        url = urlsplit(self.path)
        if url.path == "/api/v1/state":
            return 200, encode(self.base.state())
        query = {name: float(values[0]) for name, values in parse_qs(url.query).items()}
        limit = min(int(query["limit"]), self.base.page)
        return 200, encode(self.base.after(int(query["after"]), limit, query["wait"]))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """A test prints nothing."""
