"""The power log: who asked for what, and when it was done. The evidence that fencing worked."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """One line. `by` is a node (through its fence agent), `operator`, or `power` for what happened by itself.

    `action` is asked for where `done` is false, and done where it is true. `wall` is seconds since 1970 UTC,
    `monotonic` CLOCK_MONOTONIC, the same in all nodes.
    """

    wall: float
    monotonic: float
    by: str
    action: str
    node: str
    done: bool

    def answers(self, action: str, node: str, by: str | None) -> bool:
        """Whether it says that the action was done to the node, by whomever (None) or `by`."""
        return self.done and (self.action, self.node) == (action, node) and by in (None, self.by)

    def to_dict(self) -> dict[str, object]:
        """The members by name."""
        return msgspec.structs.asdict(self)

    def __str__(self) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(self.wall)) + f"{self.wall % 1:.3f}"[1:]
        return f"{moment} {self.by:8} {self.action} {self.node}{'' if self.done else ' ...'}"


class PowerLog:
    """Writes the log."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def add(self, by: str, action: str, node: str, *, done: bool) -> None:
        """Adds a line, now."""
        entry = Entry(time.time(), time.monotonic(), by, action, node, done)
        self._file.write(msgspec.json.encode(entry) + b"\n")


def read(path: Path) -> Iterator[Entry]:
    """The lines so far."""
    return (msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines())
