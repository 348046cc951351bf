"""A sender outside the cluster: events at a steady rate, each sent until it is acknowledged, each noted in a ledger.

`python -m bansho.drill.traffic URL TOKEN-FILE LEDGER [--rate N] [--source NAME]` sends until it is terminated. During
an outage the events wait and follow afterwards in batches; an event keeps its source serial, so sending again is safe.
The ledger, a file or `-` for stdout, has two lines an event: `s SOURCE-SERIAL AT` before the first try, and
`a SOURCE-SERIAL SERIAL AT` when it was acknowledged.
"""

import argparse
import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

PATIENCE = 2.0
"""Seconds until a request counts as unanswered."""
PAUSE = 0.1
"""Seconds between two tries."""
MOST = 100
"""Events in one request."""
SEVERITIES = ("Information", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency")


class Acknowledged(NamedTuple):
    """One event that the event service said it has."""

    serial: int
    at: float


class Ledger(NamedTuple):
    """What a sender knows: when each event was first sent, and which were acknowledged. Keys are source serials."""

    sent: dict[int, float]
    acknowledged: dict[int, Acknowledged]


def note(ledger: Ledger, lines: Iterable[str]) -> None:
    """Adds whole lines to a ledger."""
    for line in lines:
        match line.split():
            case ["s", number, at]:
                ledger.sent[int(number)] = float(at)
            case ["a", number, serial, at]:
                ledger.acknowledged[int(number)] = Acknowledged(int(serial), float(at))


def event(source: str, number: int) -> dict[str, object]:
    """The event `number` of a source, always the same one."""
    return {
        "id": "1001",
        "source_server": source,
        "source_serial": number,
        "severity": SEVERITIES[(number * number + number // 3) % len(SEVERITIES)],
        "message": f"{source}: disk {number % 8} of array {number % 3} reports sector count {number}",
        "attributes": {"PRODUCT_NAME": "/DRILL", "OBJECT_TYPE": "DISK", "OBJECT_NAME": f"disk{number % 8}"},
    }


class Refused(RuntimeError):
    """Raised when the event service answered and did not take the events: trying again would not help."""


class Sender:
    """Sends events to one event service over one connection that is made anew after each failure."""

    def __init__(self, url: str, token: str, source: str, ledger: IO[str]) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 7710)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._source, self._ledger = source, ledger
        self._connection: http.client.HTTPConnection | None = None

    def run(self, rate: float, stop: threading.Event) -> None:
        """Sends `rate` events a second until `stop`; what an outage held up follows as fast as it is taken."""
        began, done = time.monotonic(), 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * rate) - done
            if due > 0:
                done += self._send(done + 1, min(due, MOST), stop)
            else:
                stop.wait(1 / rate)

    def close(self) -> None:
        """Closes the connection; the next request makes a new one."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _send(self, first: int, count: int, stop: threading.Event) -> int:
        numbers = range(first, first + count)
        self._note(f"s {number} {time.time():.6f}\n" for number in numbers)
        body = json.dumps([event(self._source, number) for number in numbers]).encode()
        while not stop.is_set():
            serials = self._try(body)
            if serials:
                now = time.time()
                self._note(f"a {n} {serial} {now:.6f}\n" for n, serial in zip(numbers, serials, strict=True))
                return count
            stop.wait(PAUSE)
        return 0

    def _try(self, body: bytes) -> list[int]:
        """The serials given, or none when there was no answer."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE)
            self._connection.request("POST", "/api/v1/events/batch", body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return []
        if answer.status == http.client.CREATED:
            return [result["serial"] for result in json.loads(text)["results"]]
        if answer.status < http.client.INTERNAL_SERVER_ERROR:
            raise Refused(f"{answer.status}: {text[:200]!r}")
        return []

    def _note(self, lines: Iterable[str]) -> None:
        self._ledger.writelines(lines)
        self._ledger.flush()


def _opened(ledger: Path) -> AbstractContextManager[IO[str]]:
    return nullcontext(sys.stdout) if str(ledger) == "-" else ledger.open("a", encoding="utf-8")


def main() -> None:
    """Sends until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="send events at a steady rate until terminated")
    parser.add_argument("url", help="http://ADDRESS:PORT of the event service")
    parser.add_argument("token_file", type=Path)
    parser.add_argument("ledger", type=Path, help="a file, or - for stdout")
    parser.add_argument("--rate", type=float, default=100.0, help="events a second (100)")
    parser.add_argument("--source", default="outside", help="the source server's name (outside)")
    arguments = parser.parse_args()
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    token = arguments.token_file.read_text().strip()
    with _opened(arguments.ledger) as ledger:
        Sender(arguments.url, token, arguments.source, ledger).run(arguments.rate, stop)


if __name__ == "__main__":
    main()
