"""Limits on what a node may still use: process-table entries or memory, by the kernel's control groups of version 1.

Each controller has a hierarchy of its own there, so a node's processes can be moved without the nodes' own control
groups (version 2) being touched. Where a machine has none of version 1, a node cannot be limited.
"""

import os
import time
from pathlib import Path
from typing import Literal

from bansho.lab import mounts
from bansho.lab.node import Node

Controller = Literal["pids", "memory"]
FILES = {"pids": ("pids.max", "pids.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}
"""Controller -> its files for the limit and for what is used."""
PATIENCE = 10.0
"""Seconds until a group that does not become empty is an error."""


def available(controller: Controller) -> bool:
    """Whether nodes can be limited here."""
    own = _own(controller)
    return own is not None and os.access(own, os.W_OK)


class Limit:
    """All of a node's processes in one group that may use `spare` more than it does now. Raises OSError."""

    def __init__(self, node: Node, controller: Controller, spare: int) -> None:
        self._node, self._controller, self._spare = node, controller, spare
        self._group: Path | None = None

    def begin(self) -> None:
        """Limits it."""
        own = _own(self._controller)
        assert own is not None, "asked whether it is available"  # noqa: S101
        self._group = own / f"bansho-lab-{self._node.lab.spec.name}-{self._node.name}"
        self._group.mkdir(exist_ok=True)
        space = _namespace(self._node.pid)
        _move([int(each) for each in os.listdir("/proc") if each.isdigit()], self._group, space)  # noqa: PTH208
        limit, used = FILES[self._controller]
        (self._group / limit).write_text(str(int((self._group / used).read_text()) + self._spare))

    def end(self) -> None:
        """Takes the limit back. What is forked meanwhile begins in the group: it is emptied until it can go."""
        until = time.monotonic() + PATIENCE
        while self._group:
            _move([int(each) for each in (self._group / "cgroup.procs").read_text().split()], self._group.parent)
            try:
                self._group.rmdir()
                self._group = None
            except OSError:
                if time.monotonic() > until:
                    raise


def _move(pids: list[int], group: Path, space: str = "") -> None:
    for pid in pids:
        try:
            if not space or _namespace(pid) == space:
                (group / "cgroup.procs").write_text(str(pid))
        except OSError:  # it ended meanwhile
            continue


def _namespace(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/pid").readlink())


def _own(controller: str) -> Path | None:
    """This process's group in the controller's hierarchy."""
    point = next((each.point for each in mounts.of_host() if each.type == "cgroup" and controller in each.point), None)
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if point and controllers == controller:
            return Path(point + path)
    return None
