"""The legs of a takeover: what was reached when, and how long after what it waited for. Pure.

fault, detected, fenced, disk, address, lease, first event acknowledged
                                               Base, database, Manager
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bansho.logicalhost.history import Mark

WAITS_FOR = {
    "detected": "fault",
    "fenced": "detected",
    "disk": "fenced",
    "address": "disk",
    "lease": "address",
    "first event": "lease",
    "base": "lease",
    "database": "base",
    "manager": "database",
}
"""Leg -> the leg that must end before it begins, in the order of CONTRACT section 2."""

TITLES = {
    "detected": "failure detected, fencing asked for",
    "fenced": "node fenced: proven dead",
    "disk": "shared disk mounted",
    "address": "logical address up",
    "lease": "lease taken, next epoch",
    "first event": "first event acknowledged",
    "base": "Base all running",
    "database": "IM database recovered and open",
    "manager": "Manager all running",
}
MARKS = {
    "lease": "lease",
    "first event": "first event",
    "base started": "base",
    "database open": "database",
    "manager started": "manager",
}
"""The marks of the takeover history -> the leg that each one ends."""


class Leg(NamedTuple):
    """One leg: when it was reached after the fault, and how long it took from what it waited for. Seconds."""

    name: str
    title: str
    reached: float
    took: float


def from_marks(marks: Iterable[Mark], since: float) -> dict[str, float]:
    """The legs that the takeover history tells, first marks after `since` (wall clock)."""
    reached: dict[str, float] = {}
    for mark in marks:
        leg = MARKS.get(mark.leg)
        if leg and mark.at >= since:
            reached.setdefault(leg, mark.at)
    return reached


def legs(fault: float, reached: Mapping[str, float]) -> list[Leg]:
    """The legs that were reached, in order of WAITS_FOR. `fault` and `reached` are times of one wall clock."""
    found: list[Leg] = []
    for name, before in WAITS_FOR.items():
        if name in reached:
            began = _latest(before, {**reached, "fault": fault})
            found.append(Leg(name, TITLES[name], reached[name] - fault, max(0.0, reached[name] - began)))
    return found


def _latest(name: str, reached: Mapping[str, float]) -> float:
    """When `name` was reached, or the nearest leg before it that is known."""
    while name not in reached:
        name = WAITS_FOR[name]
    return reached[name]


def missing(reached: Mapping[str, float]) -> list[str]:
    """The legs that were not reached."""
    return [name for name in WAITS_FOR if name not in reached]


def out_of_order(reached: Mapping[str, float]) -> list[str]:
    """Sentences for legs that were reached before what they must wait for (CONTRACT 2)."""
    return [
        f"{name} was reached before {before}"
        for name, before in WAITS_FOR.items()
        if name in reached and before in reached and reached[name] < reached[before]
    ]
