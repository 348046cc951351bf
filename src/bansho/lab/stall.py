"""A disk that answers late or not at all: the writes to a mounted file system are held, for good or in pulses."""

import threading
from types import TracebackType
from typing import Self

from bansho.lab import disk
from bansho.lab.errors import NodeOff
from bansho.lab.node import Node

LOOK = 0.02
"""Seconds between two looks whether the node still has power: a dead one's file system must not be kept."""


class Stall:
    """While it is open, every write on the node's disk waits `held` seconds, then all pass for `free` seconds.

    Only while writes are held is the mount point open, so that the node can unmount it in between.
    """

    def __init__(self, node: Node, point: str, held: float = float("inf"), free: float = 0.0) -> None:
        self._node, self._point, self._held, self._free = node, point, held, free
        self._ended, self._begun = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall")

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def begin(self) -> None:
        """Begins, and returns when writes are held for the first time, or never will be."""
        self._thread.start()
        self._begun.wait()

    def end(self) -> None:
        """Lets all pass."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._ended.is_set() and self._node.on:
                self._hold()
                self._ended.wait(self._free)
        except (OSError, NodeOff):  # unmounted, or the node lost its power
            pass
        finally:
            self._begun.set()

    def _hold(self) -> None:
        with disk.opened(self._node.pid, self._point) as descriptor:
            disk.freeze(descriptor)
            self._begun.set()
            try:
                self._wait()
            finally:
                disk.thaw(descriptor)

    def _wait(self) -> None:
        left = self._held
        while left > 0 and self._node.on and not self._ended.wait(LOOK):
            left -= LOOK
