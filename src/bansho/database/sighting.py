"""What the controller saw of its postmaster a moment ago: the record that `jimdbstatus` answers from (docs/adr/0008).

It says 0 or is not there, and it names the postmaster: once that has ended nobody believes it, whatever became of the
controller. Whether a database runs is found out here as the command itself finds it out, by `observe` and `state`.
"""

import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from bansho.contract import imdatabase, limits
from bansho.contract.messages import BanshoError
from bansho.database import observe
from bansho.database.state import classify
from bansho.logicalhost.definition import LogicalHost
from bansho.process import identity, record
from bansho.process.identity import Stat
from bansho.process.record import Record

PATIENCE = limits.STALE_BEATS * limits.BEAT
"""Seconds for one look: what it finds later would be stale."""


def path_of(host: LogicalHost) -> Path:
    """The record's place, beside the postmaster's socket."""
    return host.node.database_socket / "record"


def remove(host: LogicalHost) -> None:
    """Takes the record away. One that cannot be taken away is stale before long."""
    with suppress(OSError):
        path_of(host).unlink(missing_ok=True)


def look(host: LogicalHost, postmaster: Stat) -> Record | None:
    """The record of that postmaster if it runs `host`'s database and accepts connections; else None.

    It is fresh from when the look began: what froze since then is not believed for longer.
    """
    until = record.until()
    try:
        facts = observe.postmaster_alone(host, time.monotonic() + PATIENCE)
    except (OSError, BanshoError):
        return None
    state = classify(facts)
    if state.value != imdatabase.RUNNING or facts.postmaster != postmaster.pid:
        return None
    text = state.line(host.name)
    document = json.dumps(state.facts(host.name) | {"text": text})
    return Record(state.value, identity.boot_id(), postmaster.pid, postmaster.ticks, until, text, document)


def write(host: LogicalHost, found: Record) -> None:
    """Puts the record in the place of the one before, in one step. Raises OSError.

    We may be root in a folder that is another user's: what lies there already is not followed and not written to.
    """
    path = path_of(host)
    new = path.with_name("record.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o644)
        os.write(descriptor, record.render(found).encode())
    finally:
        os.close(descriptor)
    new.replace(path)


class Sightings:
    """Looks once a beat and keeps the record, in a thread: a shared disk that hangs keeps that from looking alone."""

    def __init__(self, host: LogicalHost, pid: int) -> None:
        """`pid` is our child, just launched."""
        self._host, self._postmaster = host, identity.stat(pid)
        self._lock, self._ended = threading.Lock(), threading.Event()

    def begin(self) -> None:
        """Looks for the first time now."""
        threading.Thread(target=self._look_on, daemon=True).start()

    def end(self) -> None:
        """Takes the record away for good; a look that is under way finds nothing any more."""
        with self._lock:
            self._ended.set()
            remove(self._host)

    def _look_on(self) -> None:
        while self._postmaster and not self._ended.is_set():
            begun = time.monotonic()
            self._show(look(self._host, self._postmaster))
            self._ended.wait(max(begun + limits.BEAT - time.monotonic(), 0))

    def _show(self, found: Record | None) -> None:
        with self._lock:
            try:
                if found and not self._ended.is_set():
                    write(self._host, found)
                    return
            except OSError:
                pass
            remove(self._host)
