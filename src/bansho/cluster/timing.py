"""Time limits of the cluster's operations on a suite: each a sum of named terms, so that it can be argued about. Pure.

The agent divides the time it is given by the same terms, so the cluster's limit and the agent's own agree.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from bansho.contract import limits

FORCED_TERMINATION = 30.0
"""Seconds allowed for the forced termination of a suite."""
THROUGH = 20.0
"""Seconds allowed for an event on its way through a suite."""
PUSH_PAUSE = 0.2
"""Seconds between two monitors that wait at the suite: for so long nobody would notice a failure at once."""
MARGIN = 5.0
"""The agent ends this much before the cluster's limit, to say in which step it was."""


class Limit(NamedTuple):
    """A time limit in whole seconds, and its derivation in words."""

    seconds: int
    why: str


class Patience(NamedTuple):
    """How a suite is asked for its state: the keys of the definition's `[cluster]`, and whether there is a database."""

    retries: int
    retry_interval: float
    status_timeout: float
    database: bool = False

    @property
    def answer(self) -> float:
        """Seconds until a status command has answered or is killed: it may come to its own `-t` first."""
        return self.status_timeout + limits.RETURN_SLACK

    @property
    def look(self) -> float:
        """Seconds for one look at a suite: each of its monitoring commands asked once."""
        return self.answer * (2 if self.database else 1)

    @property
    def monitoring(self) -> float:
        """Seconds until monitoring has a verdict: each command asked once and then as often as specified."""
        once = (self.retries + 1) * self.answer + self.retries * self.retry_interval
        return once * (2 if self.database else 1)

    def words(self) -> str:
        """How `monitoring` comes about."""
        commands = "2 commands x " if self.database else ""
        answers = f"{self.retries + 1} answers in {self.answer:g}"
        return f"monitoring ({commands}{answers}, {self.retries} pauses of {self.retry_interval:g})"


USUAL = Patience(retries=3, retry_interval=1.0, status_timeout=10.0)
"""The definition's own defaults."""


def start(suite_limit: float, patience: Patience) -> Limit:
    """The suite's own start limit, then a verdict by monitoring."""
    return _sum(
        {
            "first look": patience.look,
            "start limit": suite_limit,
            "its slack": limits.RETURN_SLACK,
            patience.words(): patience.monitoring,
        }
    )


def stop(suite_limit: float, patience: Patience) -> Limit:
    """The suite's own stop limit, then forced termination, then the proof."""
    return _sum(
        {
            "first look": patience.look,
            "stop limit": suite_limit,
            "its slack": limits.RETURN_SLACK,
            "forced termination": FORCED_TERMINATION,
            f"proof by {patience.words()}": patience.monitoring,
        }
    )


def monitor(patience: Patience, wait: float = 0.0, *, short_way: bool = False) -> Limit:
    """A verdict by monitoring, after having waited for something to happen where that is wanted.

    On the short way (our own suites) one look comes before: what does not find all well is asked anew in Python.
    """
    waited = {"waiting": wait} if wait else {}
    looked = {"first look": patience.look} if short_way else {}
    return _sum({**waited, **looked, patience.words(): patience.monitoring})


def deep_monitor(patience: Patience) -> Limit:
    """A verdict by monitoring, then an event on its way through the suite."""
    return _sum({patience.words(): patience.monitoring, "an event through": THROUGH})


def usual(patience: Patience) -> dict[str, Limit]:
    """The limits of every action where nobody names one."""
    return {
        "start": start(limits.START, patience),
        "stop": stop(limits.STOP, patience),
        "monitor": monitor(patience, short_way=True),
        "validate-all": monitor(patience),
        "meta-data": Limit(int(MARGIN), "it asks nobody"),
    }


def _sum(terms: Mapping[str, float]) -> Limit:
    named = {**terms, "margin": MARGIN}
    return Limit(math.ceil(sum(named.values())), " + ".join(f"{name} {seconds:g}" for name, seconds in named.items()))


def own_limit(cluster_limit: float) -> float:
    """Seconds that the agent allows itself where the cluster allows `cluster_limit`."""
    return cluster_limit - min(MARGIN, cluster_limit / 4)


def share(left: float, needed_later: float) -> float:
    """Seconds of `left` for a step, with `needed_later` kept for what follows, and never less than half."""
    return max(left / 2, left - needed_later)
