"""Plays the process that tells the console how the cluster sees a logical host."""

import contextlib
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from bansho.logicalhost import clusterstate
from bansho.logicalhost.clusterstate import ClusterState, FailureCount, NodeState, ResourceState

FAILED = FailureCount(resource="watch-base", node="n1", counted=2, bans=False, last="Sun Nov 22 11:55:16 2026")
BANNED = FailureCount(resource="watch-base", node="n2", counted=1_000_000, bans=True, last="")


def node(name: str, state: str = "online", *, could_run: bool | None = None) -> NodeState:
    return NodeState(name=name, state=state, could_run=state == "online" if could_run is None else could_run)


def resource(name: str, **changes: Any) -> ResourceState:
    facts = {"id": f"watch-{name}", "role": "Started", "nodes": ["n1"], "since": 1_790_000_000.0, "managed": True}
    return ResourceState(**{**facts, "failed": False, "blocked": False, "reason": "", **changes})


def told(**changes: Any) -> ClusterState:
    """All is well on n1, but for the changes."""
    facts: dict[str, Any] = {
        "at": time.time(),
        "home": "n1",
        "quorum": True,
        "nodes": [node("n1"), node("n2")],
        "resources": [resource(name) for name in ("disk", "address", "base", "manager")],
    }
    return ClusterState(**{**facts, **changes})


class Teller:
    """Answers at a socket with `content`: bytes; as long as that is None, it says nothing and keeps the caller."""

    def __init__(self, path: Path, state: ClusterState) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._kept = path, list[socket.socket]()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.content: bytes | None = None
        self.tells(state)

    def tells(self, state: ClusterState) -> None:
        """From now on."""
        self.content = clusterstate.encode(state)

    def __enter__(self) -> "Teller":
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()
        self._path.unlink()

    def end(self) -> None:
        """Dies, and leaves its socket behind."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._listener.close()
        for caller in self._kept:
            caller.close()

    def _serve(self) -> None:
        while True:
            try:
                caller = self._listener.accept()[0]
            except OSError:
                return
            if self.content is None:
                self._kept.append(caller)
                continue
            with caller, contextlib.suppress(OSError):  # a caller that has heard enough
                caller.sendall(self.content)
