"""What was true of a node for a while: only a truth that stood can be held against an answer. Pure."""

from collections.abc import Iterable
from itertools import pairwise

from bansho.contract import limits
from bansho.drill import census
from bansho.drill.audits.evidence import Evidence, Sighting
from bansho.drill.census import Found

BEATS = limits.STALE_BEATS * limits.BEAT
"""Seconds after which an answer must have followed the truth."""
STEADY = 2.5 * BEATS
"""Seconds for which a truth must have stood: well over those beats, for a machine that is busy."""
APART = 1.5
"""Seconds between two looks at most; what lived in between is not known otherwise."""
Look = tuple[Found, ...]


def looks(sightings: Iterable[Sighting], node: str, ended: float, took: float, after: float = 0.0) -> list[Look]:
    """What lived on a node from STEADY seconds before an answer until `after` it; none where that is not known.

    A stop that begins is true before anything has ended: who holds an answer against what ran, sees what came after.
    """
    began, ended = ended - took - STEADY, ended + after
    within = sorted((each.at, each.census) for each in _near(sightings, began, ended))
    moments = sorted([began, ended, *(at for at, _ in within)])
    if any(after - before > APART for before, after in pairwise(moments)):
        return []
    found = [seen.get(node) for _, seen in within]
    return [] if None in found else [each for each in found if each is not None]


def _near(sightings: Iterable[Sighting], began: float, ended: float) -> Iterable[Sighting]:
    return (each for each in sightings if began - APART <= each.at - each.took and each.at <= ended + APART)


def quiet(evidence: Evidence, ended: float, took: float) -> bool:
    """Whether nothing was under way for STEADY seconds before an answer: no fault, and no recovery from one."""
    if evidence.recovered is None:
        return False
    return ended - took - STEADY > max(evidence.recovered, evidence.mended)


def services(found: Iterable[Look], suite: str) -> frozenset[str]:
    """The services of a suite that had the same first process, under the same process manager, in every look."""
    mains = [
        frozenset((name, each.pid, each.ticks, each.parent) for (of, name), each in seen.items() if of == suite)
        for seen in map(census.main_processes, found)
    ]
    return frozenset(name for name, *_ in frozenset.intersection(*mains)) if mains else frozenset()
