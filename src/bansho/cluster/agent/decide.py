"""What the agent concludes from what a monitoring command answered. Pure: tables and context in, outcome out."""

from enum import Enum, IntEnum
from typing import NamedTuple

from bansho.contract.verdicts import Ended, Table, Verdict, judge


class Outcome(Enum):
    """What is to be done with an answer; the value is the agent's exit code, for those that end an action."""

    SUCCESS = 0
    """It runs and is well; of start and stop: done."""
    FAILED = 1
    NOT_RUNNING = 7
    ASK_AGAIN = -1


class Passage(IntEnum):
    """How an event on its way through a suite fared; the exit code of the deep check."""

    THROUGH = 0
    FAILED = 1
    NOT_MADE = 2
    """What hinders it is not the suite's, or no restart would mend it."""


class Context(NamedTuple):
    """What an answer has to be read against."""

    probe: bool = False
    """The cluster asks whether the suite runs here at all, not whether it is well."""
    online: bool = True
    """The shared directory is available on this node."""
    tries_left: int = 0
    """How many more times the command may be asked."""


NOTHING_SAID = frozenset({Verdict.RETRY, Verdict.TIMED_OUT, Verdict.KILLED, Verdict.UNKNOWN_VALUE})
"""The verdicts that say nothing final of the suite: worth the specified retries, and a failure after them."""

SETTLED = frozenset({Verdict.FAILURE, Verdict.FAILOVER, Verdict.NOT_RUNNING})
"""The verdicts that no waiting mends once the start command has ended."""


def without_asking(context: Context) -> Outcome | None:
    """The outcome where no command needs to be asked.

    On a standby server the shared directory is offline and operation monitoring always answers 1: there, a probe
    finds a suite that does not run, not one that failed (CONTRACT 3.5).
    """
    return Outcome.NOT_RUNNING if context.probe and not context.online else None


def decide(rows: Table, ended: Ended, context: Context) -> Outcome:
    """The outcome of one answer of the command that `rows` belongs to.

    A probe gets no milder reading where the shared directory is online: a value of 1 there says that the record is
    damaged or its beat lost, so processes may live. "Failed" makes the cluster stop the suite, and that stop proves
    that nothing is left; "not running" would let it start a second one.
    """
    answered = without_asking(context)
    if answered:
        return answered
    verdict = judge(rows, ended)
    if verdict in NOTHING_SAID:
        return Outcome.ASK_AGAIN if context.tries_left else Outcome.FAILED
    return {Verdict.HEALTHY: Outcome.SUCCESS, Verdict.NOT_RUNNING: Outcome.NOT_RUNNING}.get(verdict, Outcome.FAILED)


def describe(command: str, rows: Table, ended: Ended, said: str = "") -> str:
    """How a command ended, in words; its own words where it has some, since Pacemaker shows only 128 characters."""
    if ended.signal is not None:
        return f"{command} was killed by signal {ended.signal}"
    if ended.value is None:
        return f"{command} did not answer in time"
    row = rows.get(ended.value)
    if row is None:
        return f"{command} answered {ended.value}, which is not a value of its table"
    return f"{command} answered {ended.value}: {said or row.meaning}"


def missing_proof(stopped: bool, monitoring: str, terminated: str, holders: list[str]) -> str:
    """What the proof of a stop lacks, in words; empty when the suite has stopped for certain (CONTRACT 3.5).

    `terminated` is what forced termination left undone, `holders` who holds the shared directory.
    """
    lacking = [
        "" if stopped else monitoring,
        terminated,
        f"the shared directory is held by {', '.join(holders)}" if holders else "",
    ]
    return "; ".join(filter(None, lacking))
