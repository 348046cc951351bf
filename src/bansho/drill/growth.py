"""Whether something that was sampled over time grows for good. Pure.

A leak goes on for as long as the load does; a cache fills, a heap settles, a garbage collector draws a saw. So after
the warm-up the rest is cut into two halves, and what grows does so in both. The slope of a half is that of Theil and
Sen: the median of the slopes of all pairs of samples, which outliers do not move (P. K. Sen, "Estimates of the
regression coefficient based on Kendall's tau", 1968).
"""

from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import NamedTuple

WARM_UP = 0.25
"""Share of the time that is not judged."""
FEWEST = 4
"""Samples a half that a judgement needs."""

Samples = Sequence[tuple[float, float]]
"""(Seconds, value), in order of time."""


class Growth(NamedTuple):
    """What was found. `slopes` are those of the two halves, in units a second."""

    first: float
    """The value after the warm-up, and the last one: medians of a few samples."""
    last: float
    slopes: tuple[float, float]
    grown: float
    """What the smaller slope makes of the whole time judged: how much grew at least, if it grew all the time."""
    tolerated: float

    @property
    def leaks(self) -> bool:
        """Whether it grew in both halves, by more than is tolerated."""
        return self.grown > self.tolerated


def growth(samples: Samples, tolerated: float) -> Growth | None:
    """Judges samples; None where they are too few. `tolerated` is in the samples' unit, over the time judged."""
    judged = after_warm_up(samples)
    middle = len(judged) // 2
    halves = judged[:middle], judged[middle:]
    if min(map(len, halves)) < FEWEST:
        return None
    slopes = (slope(halves[0]), slope(halves[1]))
    lasted = judged[-1][0] - judged[0][0]
    first, last = (median(value for _, value in part) for part in (judged[:FEWEST], judged[-FEWEST:]))
    return Growth(first, last, slopes, max(0.0, min(slopes)) * lasted, tolerated)


def after_warm_up(samples: Samples) -> list[tuple[float, float]]:
    """Without the first share of the time."""
    if not samples:
        return []
    from_ = samples[0][0] + WARM_UP * (samples[-1][0] - samples[0][0])
    return [each for each in samples if each[0] >= from_]


def slope(samples: Samples) -> float:
    """The Theil-Sen slope, in units a second; 0 for fewer than two moments."""
    slopes = [(y - x) / (b - a) for (a, x), (b, y) in combinations(samples, 2) if b > a]
    return median(slopes) if slopes else 0.0
