"""Sending events so that none is lost: spooled first, sent in order, kept until the event service acknowledged them.

Standard library only, and little of it: a command that sends one event must start fast.

A spool is a folder with a durable counter and one folder for each target; an event is one file there, named by its
source serial. Several processes may share a spool: they send to one target in turns.
"""

import fcntl
import http.client
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bansho.base.errors import CannotSpool, NotPermitted, Refused, ServiceAway

DEFAULT_PORT = 7710
ATTEMPT = 10.0
"""Seconds for one request, and for another process's turn."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between tries, doubling."""
TURN_PAUSE = 0.05


class Target(NamedTuple):
    """An event service, and the name of its folder in the spool."""

    name: str
    host: str
    port: int
    token: str


class Spooled(NamedTuple):
    """One event that is durable in the spool."""

    serial: int
    """Its source serial."""
    body: bytes


class Receipt(NamedTuple):
    """One event that is durable at the event service."""

    serial: int
    duplicate: bool


class Sender:
    """Sends to one target through one spool. `sent` and `refused` tell about the older events that went along."""

    def __init__(self, spool: Path, target: Target) -> None:
        self._spool, self._target = spool, target
        self._folder = spool / target.name
        self.sent = 0
        self.refused: list[Refused] = []

    def put(self, event: dict[str, Any]) -> Spooled:
        """Names the event by the spool's next serial, and writes it durably. Raises CannotSpool."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            serial = _next_serial(self._spool / "counter")
            body = json.dumps(event | {"source_serial": serial}).encode()
            _write(self._folder / _file_name(serial), body)
        except OSError as error:
            raise CannotSpool(spool=self._spool, reason=error.strerror) from None
        return Spooled(serial, body)

    def deliver(self, event: Spooled | None, wait: float = 0.0) -> Receipt | None:
        """Sends the older events in order, then `event`; without one, all there are. Tries again for `wait` seconds.

        Raises ServiceAway or NotPermitted, then it stays in the spool, or Refused, then it does not.
        """
        until, pause = time.monotonic() + wait, FIRST_PAUSE
        while True:
            try:
                return self._attempt(event)
            except ServiceAway:
                if time.monotonic() + pause >= until:
                    self._refuse_malformed(event)
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _refuse_malformed(self, event: Spooled | None) -> None:
        """An event that no event service would ever take must not wait for one. Raises Refused."""
        from bansho.events.errors import MalformedEvent
        from bansho.events.event import decode

        if event is None:
            return
        try:
            decode(event.body)
        except MalformedEvent as error:
            (self._folder / _file_name(event.serial)).unlink(missing_ok=True)
            raise Refused(target=self._target.name, serial=event.serial, reason=error) from None

    def _attempt(self, event: Spooled | None) -> Receipt | None:
        if not self._folder.is_dir():
            return None
        line = http.client.HTTPConnection(self._target.host, self._target.port, timeout=ATTEMPT)
        try:
            with self._turn():
                self._send_older(line, event)
                return self._send(line, event.serial, event.body) if event else None
        finally:
            line.close()

    def _send_older(self, line: http.client.HTTPConnection, event: Spooled | None) -> None:
        """What waits in the spool, in order; with `event` only what is older than it."""
        for file in sorted(self._folder.glob("[0-9]*.json")):
            serial = int(file.stem)
            if event and serial >= event.serial:
                return
            try:
                self._send(line, serial, file.read_bytes())
                self.sent += 1
            except Refused as refused:
                self.refused.append(refused)

    def _send(self, line: http.client.HTTPConnection, serial: int, body: bytes) -> Receipt:
        """Sends one and takes it out of the spool. One that another process has sent meanwhile is a duplicate."""
        status, answer = self._post(line, body)
        if status == http.client.CREATED:
            (self._folder / _file_name(serial)).unlink(missing_ok=True)
            return Receipt(answer["serial"], answer["duplicate"])
        reason = answer.get("error", f"HTTP status {status}")
        if status in (400, 413, 422):
            (self._folder / _file_name(serial)).unlink(missing_ok=True)
            raise Refused(target=self._target.name, serial=serial, reason=reason)
        kind = NotPermitted if status in (401, 403) else ServiceAway
        raise kind(target=self._target.name, reason=reason, spool=self._folder)

    def _post(self, line: http.client.HTTPConnection, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._target.token}", "Content-Type": "application/json"}
        try:
            line.request("POST", "/api/v1/events", body, headers)
            response = line.getresponse()
            status, text = response.status, response.read(65536)
            answer = json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            line.close()
            reason = getattr(error, "strerror", None) or f"{type(error).__name__} {error}"
            raise ServiceAway(target=self._target.name, reason=reason, spool=self._folder) from None
        return status, answer if isinstance(answer, dict) else {}

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Alone with the target's folder. Raises ServiceAway where another process is sending all the time."""
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + ATTEMPT
            while not _locked(descriptor):
                if time.monotonic() > until:
                    reason = "another process is still sending"
                    raise ServiceAway(target=self._target.name, reason=reason, spool=self._folder)
                time.sleep(TURN_PAUSE)
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file_name(serial: int) -> str:
    return f"{serial:016d}.json"


def _next_serial(counter: Path) -> int:
    """A serial that this spool never gave: the time in microseconds since 1970, or the last one and one.

    The time matters where the counter was lost: a serial that was used before would make a new event a duplicate.
    """
    descriptor = os.open(counter, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        last = os.pread(descriptor, 16, 0)
        serial = max(time.time_ns() // 1000, int(last) + 1 if last.isdigit() else 1)
        os.pwrite(descriptor, b"%016d" % serial, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return serial


def _write(path: Path, content: bytes) -> None:
    """Writes a file so that it is there as a whole or not at all, also after a loss of power."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
