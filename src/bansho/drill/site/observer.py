"""Looks at this node all the time: who holds what, which processes live, and what the status commands say of them."""

import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from bansho.contract.suites import COMMANDS
from bansho.drill import attention
from bansho.drill.audits.evidence import Sample, Sighting
from bansho.drill.census import Found
from bansho.drill.errors import Blind
from bansho.drill.mishaps import Mishaps, told
from bansho.drill.sampler import INTERVAL, LIMIT, PATIENCE
from bansho.drill.site import local
from bansho.drill.site.here import Here
from bansho.drill.site.interruption import undisturbed
from bansho.lab.watch import INTERVAL as LOOKED
from bansho.lab.watch import NOTHING, Change, Held


class Observer:
    """Looks and asks from threads while it is open; one that ends or stands still is a mishap.

    Two threads look, and the third asks: a command that hangs keeps no look waiting.
    """

    def __init__(self, here: Here, mishaps: Mishaps) -> None:
        self._here, self._mishaps = here, mishaps
        self._closed = threading.Event()
        self._held: Held = NOTHING
        looking = [partial(self._look_on, self._watch, LOOKED), partial(self._look_on, self._look, INTERVAL)]
        works: list[Callable[[], None]] = [*looking, self._ask_on]
        self._threads = [threading.Thread(target=self._guarded, args=(each,), daemon=True) for each in works]
        self._pauses: list[float] = []
        self.changes: list[Change] = []
        self.samples: list[Sample] = []
        self.sightings: list[Sighting] = []

    def __enter__(self) -> Self:
        self._watch()
        self._look()
        with undisturbed():  # a thread keeps the mask: signals are the main thread's
            for thread in self._threads:
                thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        with self._mishaps.noted():
            if any(thread.is_alive() for thread in self._threads):
                raise Blind(observer="the observer", what=f"did not come to its end within {PATIENCE:g} s")
            attention.awake(max(self._pauses, default=0.0), "the observer")

    def disturbed(self, since: float) -> bool:
        """Whether a suite was seen other than all running after `since`."""
        return any(each.value != 0 and each.at > since for each in reversed(self.samples))

    def _guarded(self, work: Callable[[], None]) -> None:
        with self._mishaps.noted():
            try:
                work()
            except Exception as problem:
                raise Blind(observer="the observer", what=f"ended by {told(problem)}") from problem

    def _look_on(self, look: Callable[[], object], interval: float) -> None:
        longest, last = 0.0, time.monotonic()
        while not self._closed.wait(interval):
            look()
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        self._pauses.append(longest)

    def _ask_on(self) -> None:
        while not self._closed.wait(INTERVAL):
            self._ask()

    def _watch(self) -> None:
        now, wall, monotonic = local.held(self._here), time.time(), time.monotonic()
        for what in sorted(now ^ self._held):
            self.changes.append(Change(wall, monotonic, self._here.node, what, what in now))
        self._held = now

    def _ask(self) -> None:
        before = self.sightings[-1].census[self._here.node]
        for suite in COMMANDS:
            began, disk = time.time(), bool(local.mounts(self._here))
            value = self._here.value(suite, "-t", "5", patience=LIMIT)
            after, still, at = self._look(), bool(local.mounts(self._here)), time.time()
            looks = (_of(before, suite), _of(after, suite))
            mounted = disk if disk == still else None
            self.samples.append(Sample(at, at - began, self._here.node, suite, value, mounted, *looks))

    def _look(self) -> tuple[Found, ...]:
        began = time.time()
        found = local.processes(self._here)
        self.sightings.append(Sighting(time.time(), {self._here.node: found}, time.time() - began))
        return found


def _of(found: tuple[Found, ...], suite: str) -> tuple[Found, ...]:
    return tuple(each for each in found if each.suite == suite)
