"""An outside observer: which nodes hold the shared disk and the logical address, and when that changed.

It looks from the host, into the kernel's own tables of each node (mounts, local addresses), so it sees a node that
hangs or is cut off too. A node whose pid 1 is dying still counts as holding what it held, until the power daemon has
seen the last of its processes gone.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from bansho.lab.errors import NotSeen

if TYPE_CHECKING:
    from bansho.lab.lab import Lab

INTERVAL = 0.025
"""Seconds between two samples."""

What = Literal["disk", "address"]
Held = frozenset[What]
NOTHING: Held = frozenset()


class Change(NamedTuple):
    """A node took something (`held`) or let go of it, seen at `wall` (since 1970 UTC) and `monotonic`, in seconds."""

    wall: float
    monotonic: float
    node: str
    what: What
    held: bool


class Look:
    """One look at one node."""

    def __init__(self, lab: "Lab", address: str) -> None:
        self._places = lab.places
        self._device = f" {lab.running.device} "  # the third field of a line of mountinfo
        self._local = re.compile(rf"\|-- {re.escape(address)}\n\s+/32 host LOCAL")

    def __call__(self, node: str) -> Held | None:
        """What the node holds; None while it is dying and cannot be asked."""
        try:
            process = Path("/proc") / self._places.pid(node).read_text().strip()
        except FileNotFoundError:
            return NOTHING
        try:
            mounts, routes = (process / "mountinfo").read_text(), (process / "net/fib_trie").read_text()
        except OSError:
            return None
        found: dict[What, bool] = {"disk": self._device in mounts, "address": self._local.search(routes) is not None}
        return frozenset(what for what, held in found.items() if held)


class Watch:
    """Samples from a thread while it is open; `samples` and `longest_pause` (seconds) say how closely it looked."""

    def __init__(self, lab: "Lab", address: str | None = None, interval: float = INTERVAL) -> None:
        """`address`: the logical address, where it isn't the lab's."""
        self._nodes = lab.spec.nodes
        self._look: Callable[[str], Held | None] = Look(lab, (address or lab.logical_address).partition("/")[0])
        self._interval = interval
        self._held: dict[str, Held] = dict.fromkeys(self._nodes, NOTHING)
        self._changed, self._closed = threading.Condition(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.changes: list[Change] = []
        self.samples, self.longest_pause = 0, 0.0

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()

    def owners(self, what: What) -> set[str]:
        """The nodes that hold it now."""
        return {node for node, held in self._held.items() if what in held}

    def wait_for(self, what: What, among: Iterable[str] | None = None, limit: float = 60.0) -> str:
        """Waits until exactly one node holds it, one of `among` (None: any): that node.

        Raises NotSeen after `limit` seconds.
        """
        allowed = set(self._nodes if among is None else among)
        with self._changed:
            if not self._changed.wait_for(lambda: self._one_of(what, allowed), limit):
                raise NotSeen(what=what, among=sorted(allowed), limit=limit, owners=sorted(self.owners(what)))
            return next(iter(self.owners(what)))

    def _one_of(self, what: What, allowed: set[str]) -> bool:
        owners = self.owners(what)
        return len(owners) == 1 and owners <= allowed

    def _run(self) -> None:
        last = time.monotonic()
        while not self._closed.wait(self._interval):
            self._sample()
            now = time.monotonic()
            self.longest_pause, last = max(self.longest_pause, now - last), now

    def _sample(self) -> None:
        for node in self._nodes:
            held = self._look(node)
            if held is not None and held != self._held[node]:
                self._note(node, held)
        self.samples += 1

    def _note(self, node: str, held: Held) -> None:
        wall, monotonic = time.time(), time.monotonic()
        with self._changed:
            for what in sorted(held ^ self._held[node]):
                self.changes.append(Change(wall, monotonic, node, what, what in held))
            self._held[node] = held
            self._changed.notify_all()


def overlaps(changes: Iterable[Change]) -> list[Change]:
    """The changes by which a second node came to hold something: none, where there never were two owners."""
    owners: dict[What, set[str]] = {}
    doubled = []
    for change in changes:
        nodes = owners.setdefault(change.what, set())
        (nodes.add if change.held else nodes.discard)(change.node)
        if change.held and len(nodes) > 1:
            doubled.append(change)
    return doubled
