"""Repeated failures from one place are slowed down: each one past a few doubles the pause. Memory is bounded."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

LONGEST = 900.0
"""The longest pause, and how long a failure is remembered, in seconds."""


class Place(NamedTuple):
    """What is remembered of one place that tries came from."""

    tries: int
    pause_until: float
    forget_at: float


class Throttle:
    """Counts tries by key. A try counts when it begins, so that many at once are not free."""

    def __init__(self, free: int, kept: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._kept, self._clock = free, kept, clock
        self._places: OrderedDict[Hashable, Place] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def pause(self, key: Hashable) -> int:
        """Whole seconds until the next try from this place; 0 where one is free."""
        return max(0, math.ceil(self._of(key).pause_until - self._clock()))

    def count(self, key: Hashable) -> None:
        """One more try."""
        now, tries = self._clock(), self._of(key).tries + 1
        excess = tries - self._free
        pause = min(LONGEST, 2.0 ** min(excess, 20)) if excess >= 0 else 0.0
        self._places[key] = Place(tries, now + pause, now + LONGEST + pause)
        self._places.move_to_end(key)
        while len(self._places) > self._kept:
            self._places.popitem(last=False)

    def forgive(self, key: Hashable) -> None:
        """The last try was none of a stranger: it does not count."""
        before = self._places.pop(key, None)
        if before and before.tries > 1:
            self._places[key] = before._replace(tries=before.tries - 1, pause_until=0.0)

    def forget(self, key: Hashable) -> None:
        """All tries from this place are forgotten."""
        self._places.pop(key, None)

    def _of(self, key: Hashable) -> Place:
        found = self._places.get(key)
        return found if found and found.forget_at > self._clock() else Place(0, 0.0, 0.0)
