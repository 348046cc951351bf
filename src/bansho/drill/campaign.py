"""A campaign: a series of rounds that its seed decides, each audited; it stops at the first violation, or goes on."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta

from bansho.drill import legs, overdue, takeover, trace
from bansho.drill.audits import AUDITS
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence
from bansho.drill.faults.fault import Fault
from bansho.drill.legs import Leg
from bansho.drill.mishaps import Mishaps, told
from bansho.drill.plan import named, plan
from bansho.drill.progress import step
from bansho.drill.round import Round, longest_silence
from bansho.drill.stage import Stage, second_try, stage
from bansho.drill.tally import Tally, tally
from bansho.drill.trace import Event

KEPT = 120.0
"""Seconds for the logs of a round."""


class Settings(NamedTuple):
    """What a campaign is: the same settings give the same series of faults."""

    seed: int
    rounds: int
    faults: Annotated[tuple[str, ...], Meta(min_length=1)]
    nodes: int = 3
    at_once: int = 1
    rate: float = 50.0
    """Events a second from the sender outside."""
    keep_going: bool = False


class Result(NamedTuple):
    """What became of a round. Times in seconds."""

    number: int
    fault: str
    victim: str
    successor: str
    struck: float
    """Wall clock."""
    noticed: bool
    """Whether anything was seen of the fault from outside."""
    recovered: float | None
    """From the fault, or its undoing where nothing else mends it, until all ran again; None where it never did."""
    silence: float
    """The longest time without an acknowledged event."""
    legs: tuple[Leg, ...]
    """Of the takeover, where there was one."""
    tally: Tally
    verdicts: dict[str, list[str] | None]
    """Invariant -> its violations; None where the round says nothing about it."""
    timeline: tuple[Event, ...]
    error: str
    """Why the round could not be brought to its end; empty otherwise."""

    @property
    def clean(self) -> bool:
        """Whether nothing was violated."""
        return not self.error and not any(self.verdicts.values())


def run(
    settings: Settings, faults: Sequence[Fault], folder: Path, lab: str = "drill", done: int = 0
) -> Iterator[Result]:
    """Runs the rounds after the first `done`; each result as it comes. `folder/round-N` has what shows a violation.

    Without `keep_going` the first violation is the end. A stage that a round left broken is built anew, and whatever
    ends a round, an interruption aside, is that round's error.
    """
    left = list(enumerate(plan(faults, settings.rounds, settings.seed, settings.at_once), 1))[done:]
    while left:
        with second_try(lambda: stage(lab, settings.nodes)) as built:
            while left:
                number, struck = left.pop(0)
                result = _round(built, number, struck, settings, folder)
                yield result
                if not result.clean and not settings.keep_going:
                    return
                if result.error:
                    break


def _round(built: Stage, number: int, faults: Sequence[Fault], settings: Settings, folder: Path) -> Result:
    going = Round(built, number, faults, settings.seed, settings.rate)
    with step(f"round {number} of {settings.rounds}: {named(faults)}"):
        going.run()
    evidence = going.evidence()
    nodes = built.lab.spec.nodes
    result = result_of(number, evidence, nodes, going.noticed, going.due, str(going.mishaps))
    if result.clean:
        return result
    return _kept(built, evidence, result, going.mishaps, folder / f"round-{number}")


def _kept(built: Stage, evidence: Evidence, result: Result, mishaps: Mishaps, folder: Path) -> Result:
    """With its folder written; logs that cannot be had are one mishap more."""
    with mishaps.noted(), overdue.limited(KEPT, "keeping the logs"):
        trace.keep(built, evidence, result.timeline, result.verdicts, folder, result.error)
    trace.tracebacks(mishaps, folder)
    return result._replace(error=str(mishaps))


def result_of(number: int, evidence: Evidence, nodes: Sequence[str], noticed: bool, due: float, error: str) -> Result:
    """What became of a round, from its evidence. It was to come back from `due` (wall clock) on. Pure."""
    struck = evidence.struck
    return Result(
        number=number,
        fault=evidence.fault,
        victim=evidence.victim,
        successor=evidence.successor,
        struck=struck,
        noticed=noticed,
        recovered=None if evidence.recovered is None else evidence.recovered - due,
        silence=longest_silence(evidence.ledger, struck),
        legs=_legs(evidence, nodes),
        tally=tally(evidence.ledger, evidence.stored),
        verdicts=verdicts(evidence, error),
        timeline=trace.timeline(evidence),
        error=error,
    )


def verdicts(evidence: Evidence, error: str = "") -> dict[str, list[str] | None]:
    """Invariant -> its violations, None where there is nothing to judge.

    A round with an error did not recover (I0), and its events were not counted (I9).
    """
    found = {audit.id: _judged(audit, evidence) for audit in AUDITS}
    return found | {"I0": [error], "I9": None} if error else found


def _judged(audit: Audit, evidence: Evidence) -> list[str] | None:
    """What was seen broken is broken, whatever else was not seen; an audit that ends has not found it kept."""
    try:
        found = list(audit.violations(evidence))
        return found if found or audit.observed(evidence) else None
    except Exception as problem:
        return [f"the audit itself ended: {told(problem)}"]


def _legs(evidence: Evidence, nodes: Sequence[str]) -> tuple[Leg, ...]:
    if evidence.successor in {"", evidence.victim}:
        return ()
    reached = takeover.reached(
        evidence.power, nodes, evidence.marks, evidence.victim, evidence.struck, evidence.changes
    )
    return tuple(legs.legs(evidence.struck, reached))


def line(result: Result) -> str:
    """A round in one line."""
    broken = "; ".join(f"{audit}: {found[0]}" for audit, found in result.verdicts.items() if found)
    after = "never" if result.recovered is None else f"{result.recovered:.2f} s"
    where = f"{result.victim} -> {result.successor or '?'}"
    return f"{result.number:4} {result.fault:<28} {where} {after:>8} {f'VIOLATED {broken}' if broken else 'kept'}"


def stamp() -> str:
    """A name for a campaign's folder."""
    return time.strftime("drill-%Y%m%d-%H%M%S", time.gmtime())
