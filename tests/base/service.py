"""A real event service in a process of its own, for the tests of Base."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from tests.house import House

from bansho.base import tokens
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost

PATIENCE = 20.0
"""Seconds after which a test gives up on an event that must come."""


def free_ports() -> tuple[int, int]:
    """Two ports that nobody has."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


class Service:
    """The event service of the logical host `watch`, and this test as its process manager."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.port, console = free_ports()
        house.define("watch", f"[ports]\nevent-service = {self.port}\nconsole = {console}")
        self.host: LogicalHost = definition.load("watch")
        self.send = tokens.create(self.host.shared, "sender", "send")
        self.read = tokens.create(self.host.shared, "reader", "read")
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notifications.bind(str(house.root / "notify"))
        self.notifications.settimeout(PATIENCE)
        self.log = house.root / "service.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self, *prefix: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts the process; `prefix` is a command that runs it."""
        given = {"BANSHO_HOST": "watch", "NOTIFY_SOCKET": str(self.house.root / "notify")} | environment
        command = [*prefix, sys.executable, "-m", "bansho.base.event_service"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | given, stdout=log, stderr=log)
        return self.process

    def start(self, *prefix: str, **environment: str) -> "Service":
        """Starts it and returns when it reported READY=1."""
        self.launch(*prefix, **environment)
        self.notified("READY=1")
        return self

    def notified(self, line: str) -> str:
        """Waits for a notification with `line`, and returns all of it."""
        while True:
            try:
                text = self.notifications.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(f"no {line}: {self.log.read_text()}") from None
            if line in text.splitlines():
                return text

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        """Sends a signal, unless it ended by itself, and returns the exit status."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.end(signal.SIGKILL)
        self.notifications.close()

    def client(self, token: str | None) -> httpx.Client:
        """A client with that token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False, verify=False)

    def post(self, *events: dict[str, Any]) -> httpx.Response:
        """Sends one event, or more as a batch."""
        with self.client(self.send) as client:
            if len(events) == 1:
                return client.post("/api/v1/events", json=events[0])
            return client.post("/api/v1/events/batch", json=list(events))

    def page(self, after: int = 0, **parameters: Any) -> dict[str, Any]:
        """Reads events."""
        with self.client(self.read) as client:
            answer = client.get("/api/v1/events", params={"after": after, **parameters})
            assert answer.status_code == 200, answer.text
            page: dict[str, Any] = answer.json()
            return page

    def everything(self) -> list[dict[str, Any]]:
        """All events, page by page."""
        events: list[dict[str, Any]] = []
        while page := self.page(len(events) and events[-1]["serial"])["events"]:
            events += page
        return events

    @property
    def store(self) -> Path:
        return self.host.shared.events / "events.db"


def error(answer: httpx.Response) -> tuple[int, str]:
    """The status and the message id of a refusal."""
    text = answer.json()["error"]
    assert "\n" not in text
    return answer.status_code, text.split()[0]
