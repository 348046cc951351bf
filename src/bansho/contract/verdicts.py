"""What a cluster concludes from a monitoring command, and how a command's end becomes a verdict.

The same number means opposite things to different commands (CONTRACT 3.3, "the trap"), so a value is
never judged without its table, and the tables share no constants.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """The conclusions that a cluster can act on."""

    HEALTHY = "healthy"
    RETRY = "retry"
    FAILURE = "failure"
    NOT_RUNNING = "not running"
    FAILOVER = "failover"
    UNKNOWN_VALUE = "unknown value"
    KILLED = "killed by a signal"
    TIMED_OUT = "timed out"


class Row(NamedTuple):
    """One return value: its number, what it means, what a cluster concludes, and exactly when we answer it."""

    value: int
    meaning: str
    verdict: Verdict
    when: str


Table = Mapping[int, Row]


def table(*rows: Row) -> Table:
    """The rows by their value. Raises ValueError when a value stands twice."""
    by_value = {row.value: row for row in rows}
    if len(by_value) != len(rows):
        raise ValueError("a return value stands twice in one table")
    return by_value


class Ended(NamedTuple):
    """How a command ended: with a return value, by a signal, or not before our own time-out (both None)."""

    value: int | None = None
    signal: int | None = None


TIMED_OUT = Ended()


def judge(rows: Table, ended: Ended) -> Verdict:
    """The verdict on a command's end. What the table does not list is never healthy and never "stopped"."""
    if ended.signal is not None:
        return Verdict.KILLED
    if ended.value is None:
        return Verdict.TIMED_OUT
    row = rows.get(ended.value)
    return row.verdict if row else Verdict.UNKNOWN_VALUE
