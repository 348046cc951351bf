"""The process manager's own log: one JSON object a line, each with a message of `messages`; never on the shared disk.

A thread writes it, so that a slow file system holds up no service. It is no more than `json` and `logging`: importing
structlog would take as long as all the rest of a process manager's start.
"""

import json
import logging
import os
import queue
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from bansho.contract.messages import Message

MAXIMUM_BYTES = 1 << 20
KEPT_FILES = 3

Entry = dict[str, Any]


def entry(event: str, message: Message, facts: Entry) -> Entry:
    """What stands in one line: what happened in a word, the facts, and the message that they make."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"timestamp": stamp, "id": message.id, "event": event, **facts, "message": message(**facts)}


def line(entry: Entry) -> str:
    """The entry as it is written."""
    return json.dumps(entry, default=str)


class Log:
    """Writes what happens: `log("service", messages.SERVICE_STATE, service="x", state="ready")`."""

    def __init__(self, path: Path, **always: str) -> None:
        self._path, self._always = path, always
        self._entries: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def __call__(self, event: str, message: Message, **facts: Any) -> None:
        """Adds an entry; never waits. The message has the facts, and those that are the same in all entries."""
        self._entries.put(entry(event, message, self._always | facts))

    def close(self) -> None:
        """Writes what is left, for at most a second."""
        self._entries.put(None)
        self._thread.join(1.0)

    def _write(self) -> None:
        log = logging.getLogger("bansho.process")
        log.addHandler(bounded(self._path))
        log.setLevel(logging.INFO)
        log.propagate = False
        while found := self._entries.get():
            log.info(line(found))


def bounded(path: Path, maximum: int = MAXIMUM_BYTES) -> RotatingFileHandler:
    """Before the file grows beyond `maximum` bytes it is set aside as NAME.1, that as NAME.2, that as NAME.3.

    It is opened with the first entry, so that a place that is not there yet costs that entry alone.
    """
    return _Private(path, maxBytes=maximum, backupCount=KEPT_FILES, encoding="utf-8", delay=True)


class _Private(RotatingFileHandler):
    """Makes each of its files for their owner alone."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - its base class's
        """An entry that cannot be written disturbs nobody."""
        with suppress(OSError):
            sys.excepthook(*sys.exc_info())
