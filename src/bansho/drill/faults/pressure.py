"""Faults of a node that has too little: processor time, memory, process-table entries."""

import os
from contextlib import suppress

from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.lab import limits
from bansho.lab.limits import Controller, Limit
from bansho.lab.node import Program

LOAD = 8
"""Busy programs for each processor."""


class Busy(Fault):
    """Everything takes long on the active node, and nothing is wrong: no takeover, no fencing."""

    name, what = "cpu-load", f"{LOAD} busy loops a processor on the active node"
    undone = "loops ended"
    expected: Expected = "stays"
    may_fence = False
    harmless = True
    heals = False
    hold = 20.0

    def __init__(self) -> None:
        self._loops: list[Program] = []

    def strike(self, scene: Scene) -> None:
        """Starts them."""
        loop = ["sh", "-c", "while :; do :; done"]
        self._loops = [scene.victim.popen(loop) for _ in range(LOAD * (os.cpu_count() or 1))]

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Ends them."""
        while self._loops:
            with self._loops.pop() as loop:
                loop.kill()


class Scarce(Fault):
    """The active node may use hardly more of something than it does: new agents, backends and services fail."""

    undone = "limit taken back"
    needs = "the lab, on a machine with control groups of version 1"
    heals = False
    hold = 20.0

    def __init__(self, name: str, what: str, controller: Controller, spare: int) -> None:
        self.name, self.what, self._controller, self._spare = name, what, controller, spare
        self.touches = frozenset({"processes"} if controller == "memory" else ())
        self._limit: Limit | None = None

    def lacks(self) -> str:
        """The kernel's controller, where it is not there."""
        return "" if limits.available(self._controller) else f"the {self._controller} controller of cgroup v1"

    def strike(self, scene: Scene) -> None:
        """Limits it."""
        self._limit = Limit(scene.victim, self._controller, self._spare)
        self._limit.begin()

    def undo(self, scene: Scene) -> None:  # noqa: ARG002
        """Takes the limit back."""
        if self._limit:
            with suppress(FileNotFoundError):
                self._limit.end()
            self._limit = None


FAULTS: list[Fault] = [
    Busy(),
    Scarce("memory-pressure", "8 MiB more memory for all of the active node, then the kernel kills", "memory", 8 << 20),
    Scarce("process-table-full", "no new process on the active node", "pids", 0),
]
