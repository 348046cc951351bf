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
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
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


def event(source: str, number: int, severity: str = "") -> dict[str, object]:
    """The event `number` of a source, always the same one; of the one `severity`, or of all in turn."""
    return {
        "id": "1001",
        "source_server": source,
        "source_serial": number,
        "severity": severity or SEVERITIES[(number * number + number // 3) % len(SEVERITIES)],
        "message": f"{source}: disk {number % 8} of array {number % 3} reports sector count {number}",
        "attributes": {"PRODUCT_NAME": "/DRILL", "OBJECT_TYPE": "DISK", "OBJECT_NAME": f"disk{number % 8}"},
    }


class Refused(RuntimeError):
    """Raised when the event service answered and did not take the events: trying again would not help."""


class Sender(ABC):
    """Sends numbered items at a steady rate, each until it is acknowledged, and notes each in a ledger."""

    def __init__(self, ledger: IO[str]) -> None:
        self._ledger = ledger

    def run(self, rate: float, stop: threading.Event) -> None:
        """Sends `rate` items a second until `stop`; what an outage held up follows as fast as it is taken."""
        began, done = time.monotonic(), 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * rate) - done
            if due > 0:
                done += self._send(range(done + 1, done + 1 + min(due, MOST)), stop)
            else:
                stop.wait(1 / rate)

    @abstractmethod
    def close(self) -> None:
        """Closes the connection; the next request makes a new one."""

    @abstractmethod
    def deliver(self, numbers: range) -> list[int]:
        """Sends the items in one request, within PATIENCE: the serials given, or none when there was no answer."""

    def _send(self, numbers: range, stop: threading.Event) -> int:
        self._note(f"s {number} {time.time():.6f}\n" for number in numbers)
        while not stop.is_set():
            if serials := self.deliver(numbers):
                now = time.time()
                self._note(f"a {n} {serial} {now:.6f}\n" for n, serial in zip(numbers, serials, strict=True))
                return len(numbers)
            stop.wait(PAUSE)
        return 0

    def _note(self, lines: Iterable[str]) -> None:
        self._ledger.writelines(lines)
        self._ledger.flush()


class Events(Sender):
    """Events to one event service over one connection that is made anew after each failure."""

    def __init__(self, url: str, token: str, source: str, ledger: IO[str], severity: str = "") -> None:
        super().__init__(ledger)
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 7710)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._source, self._severity = source, severity
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Closes the connection; the next request makes a new one."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def deliver(self, numbers: range) -> list[int]:
        """Sends a batch. Raises Refused."""
        body = json.dumps([event(self._source, number, self._severity) for number in numbers]).encode()
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


def until_terminated(sender: Callable[[IO[str]], Sender], ledger: Path, rate: float) -> None:
    """Sends until SIGTERM or SIGINT; the ledger is a file, or `-` for stdout."""
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    with _opened(ledger) as lines:
        sender(lines).run(rate, stop)


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
    parser.add_argument("--severity", choices=SEVERITIES, default="", help="of every event (all, in turn)")
    asked = parser.parse_args()
    token = asked.token_file.read_text().strip()

    def events(ledger: IO[str]) -> Events:
        return Events(asked.url, token, asked.source, ledger, asked.severity)

    until_terminated(events, asked.ledger, asked.rate)


if __name__ == "__main__":
    main()
