"""The process manager's own log: one JSON object a line, on this node and never on the shared disk.

A thread writes it, so that a slow file system holds up no service; it also imports structlog, which takes longer than a
service's start may.
"""

import logging
import queue
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

MAXIMUM_BYTES = 1 << 20
KEPT_FILES = 3

Entry = tuple[str, dict[str, Any]]


class Log:
    """Writes what happens: `log("service state", service="x", state="ready")`."""

    def __init__(self, path: Path, **always: str) -> None:
        self._path, self._always = path, always
        self._entries: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def __call__(self, event: str, **facts: Any) -> None:
        """Adds an entry; never waits."""
        self._entries.put((event, facts))

    def close(self) -> None:
        """Writes what is left, for at most a second."""
        self._entries.put(None)
        self._thread.join(1.0)

    def _write(self) -> None:
        import structlog

        handler = RotatingFileHandler(self._path, maxBytes=MAXIMUM_BYTES, backupCount=KEPT_FILES, encoding="utf-8")
        output = logging.getLogger("bansho.process")
        output.addHandler(handler)
        output.setLevel(logging.INFO)
        output.propagate = False
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        log = structlog.wrap_logger(output, processors=[stamp, structlog.processors.JSONRenderer(default=str)])
        while entry := self._entries.get():
            log.info(entry[0], **self._always, **entry[1])
