"""Which faults strike in which round: a function of the seed. Pure."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from bansho.drill.faults.fault import Fault

T = TypeVar("T")


def shuffled(choice: Sequence[T], count: int, random: Random) -> list[T]:
    """So many of them, each once before any comes again. Raises ValueError where there is none."""
    if not choice:
        raise ValueError("expected something to choose from")
    series: list[T] = []
    while len(series) < count:
        series += random.sample(choice, len(choice))
    return series[:count]


def plan(faults: Sequence[Fault], rounds: int, seed: int, at_once: int = 1) -> list[tuple[Fault, ...]]:
    """One tuple a round. Every fault comes once before any comes again; of two at once the second is drawn.

    Of two, the one that comes later in `faults` strikes second: a node without power cannot be struck again. Raises
    ValueError where there is no fault.
    """
    random = Random(seed)  # noqa: S311 - a reproducible series, no secret
    series = shuffled(faults, rounds, random)
    return [_together(fault, faults, random) if at_once > 1 else (fault,) for fault in series]


def _together(first: Fault, faults: Sequence[Fault], random: Random) -> tuple[Fault, ...]:
    others = [each for each in faults if _may_meet(first, each)]
    if not others:
        return (first,)
    second = random.choice(others)
    return tuple(sorted((first, second), key=faults.index))


def _may_meet(one: Fault, other: Fault) -> bool:
    """Two of a kind say little, a logical host at rest neither; and the cluster must not lose two nodes at once."""
    if type(one) is type(other) or one.rests or other.rests:
        return False
    return not ((one.of_standby and other.may_fence) or (other.of_standby and one.may_fence))


def named(faults: Sequence[Fault]) -> str:
    """What a round's faults are called."""
    return " + ".join(fault.name for fault in faults)


def expected(faults: Sequence[Fault]) -> str:
    """Where the logical host is to be afterwards. Two faults at once permit either, unless both say the same move."""
    wanted = {fault.expected for fault in faults}
    if len(faults) == 1 or wanted == {"moves"}:
        return wanted.pop()
    return "either"
