"""One takeover, end to end: power loss of the active node under load, each leg timed, each event accounted for."""

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bansho.drill import legs, picture
from bansho.drill.legs import Leg
from bansho.drill.progress import step
from bansho.drill.stage import SHARED, SOURCE, UP, Sender, Stage, wait
from bansho.drill.tally import Tally, tally
from bansho.lab.node import Node
from bansho.lab.powerlog import Entry
from bansho.lab.watch import Change, Watch, overlaps
from bansho.logicalhost import history
from bansho.logicalhost.places import SharedPlaces

BEFORE = 300
"""Events acknowledged before the fault."""
AFTER = 300
"""Events acknowledged after the takeover."""


class Report(NamedTuple):
    """What a takeover was like."""

    fault: str
    victim: str
    successor: str
    legs: tuple[Leg, ...]
    tally: Tally
    complaints: tuple[str, ...]
    """What must not be: a leg that was not seen, one out of order, two owners."""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost or doubled, and the sequence was kept."""
        return self.tally.clean and not self.complaints

    def as_json(self) -> str:
        """The report as one JSON object."""
        document: dict[str, Any] = self._asdict()
        document |= {"legs": [leg._asdict() for leg in self.legs], "tally": self.tally._asdict(), "clean": self.clean}
        return json.dumps(document, indent=2)

    def as_text(self) -> str:
        """The report for a person."""
        return "\n".join([*_head(self), *(_line(leg) for leg in self.legs), *_events(self.tally), *_foot(self)])

    def as_svg(self) -> str:
        """The legs as a picture."""
        return picture.svg(self.legs, f"Takeover after {self.fault} of {self.victim}, seconds")


def _head(report: Report) -> list[str]:
    return [
        f"takeover after {report.fault}: {report.victim} -> {report.successor}",
        "",
        f"{'leg':<38}{'took':>8}{'reached':>10}   seconds, counted from the fault",
    ]


def _line(leg: Leg) -> str:
    return f"{leg.title:<38}{leg.took:8.2f}{leg.reached:10.2f}"


def _events(found: Tally) -> list[str]:
    return ["", *(f"events {name:<14}{count:>9,}" for name, count in found._asdict().items())]


def _foot(report: Report) -> list[str]:
    verdict = "nothing was lost or doubled" if report.clean else "NOT CLEAN"
    return ["", *report.complaints, verdict]


def power_loss(stage: Stage, rate: float = 100.0, source: str = SOURCE) -> Report:
    """Cuts the power of the active node while events stream in, waits for the takeover, and counts."""
    sender = stage.send(rate, source)
    try:
        with step(f"sending {rate:g} events a second until {BEFORE} are acknowledged"):
            until_acknowledged(sender, BEFORE)
        victim = stage.wait_up()
        with Watch(stage.lab) as watch:
            with step(f"power loss of {victim.name}, and takeover"):
                fault = time.time()
                victim.power("loss")
                dead = time.time()  # from here on only a successor acknowledges
                successor = stage.wait_up(elsewhere_than=victim.name)
                wait("the first event to be acknowledged", lambda: sender.acknowledged_after(dead) is not None)
            with step(f"sending on until {AFTER} more are acknowledged"):
                until_acknowledged(sender, len(sender.ledger().acknowledged) + AFTER)
    finally:
        sender.stop()
    seen = watch.changes
    with step("counting what the IM database holds"):
        found = settled_tally(stage, sender, source)
    times = _reached(stage, victim.name, fault, seen)
    times["first event"] = sender.acknowledged_after(dead) or fault
    return Report(
        "power loss",
        victim.name,
        successor.name,
        tuple(legs.legs(fault, times)),
        found,
        tuple(_complaints(times, seen)),
    )


def until_acknowledged(sender: Sender, count: int) -> None:
    """Waits until the sender has so many acknowledged. Raises NotReached."""
    wait(
        f"{count} events to be acknowledged",
        lambda: len(sender.ledger().acknowledged) >= count,
        limit=2 * UP,
        state=sender.said,
    )


def settled_tally(stage: Stage, sender: Sender, source: str) -> Tally:
    """The tally once the event base has caught up, or the last one before patience ran out."""
    return tally(sender.ledger(), settled(stage, sender, source))


def settled(stage: Stage, sender: Sender, source: str) -> list[int]:
    """What the IM database holds of a source once it has the last acknowledged event, or patience ran out.

    The event base takes over in order of serial, so what is missing then is lost and not late.
    """
    until = time.monotonic() + UP
    last = max(sender.ledger().acknowledged, default=0)
    while True:
        stored = stage.stored(source)
        if max(stored, default=0) >= last or time.monotonic() > until:
            return stored


def _reached(stage: Stage, victim: str, fault: float, seen: Iterable[Change]) -> dict[str, float]:
    return reached(stage.lab.power_log(), stage.lab.spec.nodes, marks(stage), victim, fault, seen)


def reached(
    log: Iterable[Entry],
    nodes: Iterable[str],
    told: Iterable[history.Mark],
    victim: str,
    fault: float,
    seen: Iterable[Change],
) -> dict[str, float]:
    """When each leg was reached: from the power log, the watch and the takeover history. Pure."""
    found = _fencing(log, nodes, victim, fault)
    for change in seen:
        if change.held and change.node != victim and change.wall >= fault:
            found.setdefault(change.what, change.wall)
    return found | legs.from_marks((mark for mark in told if mark.node != victim), fault)


def _fencing(log: Iterable[Entry], nodes: Iterable[str], victim: str, fault: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for entry in log:
        if entry.node == victim and entry.by in nodes and entry.wall >= fault:
            found.setdefault("fenced" if entry.done else "detected", entry.wall)
    return found


def marks(stage: Stage) -> list[history.Mark]:
    """The takeover history, read on the active node."""
    return marks_on(stage.wait_up())


def marks_on(node: Node) -> list[history.Mark]:
    """The takeover history on a node that has the shared disk. Raises NodeOff."""
    return history.marks(SharedPlaces(Path(f"/proc/{node.pid}/root{SHARED}")))


def _complaints(times: dict[str, float], seen: Sequence[Change]) -> list[str]:
    return [
        *(f"not seen: {leg}" for leg in legs.missing(times)),
        *legs.out_of_order(times),
        *(f"two owners of the {change.what}: {change.node} too, at {change.wall:.3f}" for change in overlaps(seen)),
    ]
