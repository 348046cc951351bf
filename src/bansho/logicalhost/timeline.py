"""The legs of a takeover on one axis of seconds, from the takeover history. Pure.

It begins with the previous owner's last sign of life, as far as the history tells that, and ends with Manager all
running and the first event acknowledged:

    last sign of life, fenced, disk, address, lease, first event acknowledged
                                                    Base, database, Manager

The sign of life is by the previous owner's clock and the rest by the new one's, so the first leg is as good as the
nodes' clocks agree. The cluster notes a fencing in whole seconds; it is shown where it was over at the latest.
"""

from collections.abc import Iterator
from typing import NamedTuple

from bansho.logicalhost.history import Takeover

FENCED, DISK, ADDRESS, LEASE = "node fenced", "disk mounted", "address up", "lease"
BASE, DATABASE, MANAGER = "base started", "database open", "manager started"
FIRST_EVENT = "first event"
"""The marks of the takeover history that end a leg."""

WAITS_FOR = {
    FENCED: "",
    DISK: FENCED,
    ADDRESS: DISK,
    LEASE: ADDRESS,
    FIRST_EVENT: LEASE,
    BASE: LEASE,
    DATABASE: BASE,
    MANAGER: DATABASE,
}
"""Leg -> the leg that must end before it begins, in the order of CONTRACT section 2."""

TITLES = {
    FENCED: "failure detected, node fenced",
    DISK: "shared disk mounted",
    ADDRESS: "logical address up",
    LEASE: "lease taken, next epoch",
    FIRST_EVENT: "first event acknowledged",
    BASE: "Base all running",
    DATABASE: "IM database recovered and open",
    MANAGER: "Manager all running",
}
LAST = MANAGER
LONGEST = 600.0
"""A sign of life, a fencing or a first event further than this many seconds from the lease is not of the takeover."""


class Leg(NamedTuple):
    """One leg of a takeover; both times are seconds on the takeover's axis."""

    name: str
    title: str
    began: float
    reached: float

    @property
    def took(self) -> float:
        """Seconds from the end of the leg that it waited for."""
        return self.reached - self.began


class Timeline(NamedTuple):
    """One takeover's legs in order of `WAITS_FOR`; those that left no mark are missing."""

    origin: float
    """Where the axis begins: seconds since 1970."""
    legs: tuple[Leg, ...]

    @property
    def seconds(self) -> float | None:
        """Until Manager was all running; None where that was never marked."""
        return next((leg.reached for leg in self.legs if leg.name == LAST), None)


def timeline(takeover: Takeover) -> Timeline:
    """The legs of one takeover."""
    marks = reached(takeover)
    origin = min([*_last_sign_of_life(takeover), *marks.values()])
    return Timeline(origin, tuple(_legs(marks, origin)))


def reached(takeover: Takeover) -> dict[str, float]:
    """Leg -> when it was reached first. What a restart on the same node marked later is not of the takeover."""
    found: dict[str, float] = {}
    for mark in takeover.legs:
        if mark.leg in WAITS_FOR and _belongs(mark.leg, mark.at, takeover, found):
            found.setdefault(mark.leg, mark.at)
    return found


def _belongs(leg: str, at: float, takeover: Takeover, found: dict[str, float]) -> bool:
    if leg in (FENCED, DISK, ADDRESS, FIRST_EVENT):
        return abs(at - takeover.at) <= LONGEST
    return LAST not in found


def _last_sign_of_life(takeover: Takeover) -> list[float]:
    at = takeover.legs[0].facts.get("silent_since")
    return [at] if isinstance(at, int | float) and 0 <= takeover.at - at <= LONGEST else []


def _legs(marks: dict[str, float], origin: float) -> Iterator[Leg]:
    for name, before in WAITS_FOR.items():
        if name in marks:
            began = min(_latest(before, marks, origin), marks[name])
            yield Leg(name, TITLES[name], began - origin, marks[name] - origin)


def _latest(name: str, marks: dict[str, float], origin: float) -> float:
    """When `name` was reached, or the nearest leg before it that is known, or the beginning."""
    while name and name not in marks:
        name = WAITS_FOR[name]
    return marks[name] if name else origin
