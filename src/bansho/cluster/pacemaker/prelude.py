"""What was before the lease was taken: fencing, disk and address, as Pacemaker remembers them. Pure.

The address was up when the agent was called to start Base, whose mark is in the takeover history; how long the disk and
the address took, Pacemaker knows to the millisecond. A fencing it notes in whole seconds: here it was over at the end
of that second, or when the disk was begun.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element

from bansho.cluster.pacemaker import status as statuses
from bansho.logicalhost import history, timeline
from bansho.logicalhost.history import Mark, Takeover

CALLED = "base start begins"
RESOLUTION = 1.0


def missing(status: Element, name: str, marks: Sequence[Mark]) -> Iterator[tuple[str, float]]:
    """(leg, when) for each leg before the newest lease that the history lacks and Pacemaker still knows."""
    takeovers = history.takeovers(marks)
    if not takeovers or timeline.DISK in timeline.reached(takeovers[0]):
        return
    newest, before = takeovers[0], takeovers[1].at if len(takeovers) > 1 else 0.0
    called = [
        each.at for each in marks if (each.leg, each.node) == (CALLED, newest.node) and before < each.at <= newest.at
    ]
    took = [_took(status, f"{name}-{each}", newest.node) for each in ("disk", "address")]
    if not called or None in took or newest.at - called[-1] > timeline.LONGEST:
        return
    disk_took, address_took = (each or 0.0 for each in took)
    mounted = called[-1] - address_took
    yield from ((timeline.FENCED, at) for at in _fenced(status, newest, mounted - disk_took))
    yield timeline.DISK, mounted
    yield timeline.ADDRESS, called[-1]


def _took(status: Element, resource: str, node: str) -> float | None:
    starts = [each for each in statuses.operations(status, resource, node) if each.get("task") == "start"]
    return _seconds(starts[-1].get("exec-time", "")) if starts else None


def _seconds(text: str) -> float | None:
    number = text.removesuffix("ms")
    return int(number) / 1000 if number.isascii() and number.isdecimal() else None


def _fenced(status: Element, takeover: Takeover, begun: float) -> list[float]:
    """When the previous owner was fenced at the latest, once; nothing where it was not."""
    over = [
        _time(each.get("completed", ""))
        for each in status.iter("fence_event")
        if each.get("target") == takeover.previous and each.get("status") == "success"
    ]
    return [min(at + RESOLUTION, begun) for at in sorted(over) if 0 <= begun - at <= timeline.LONGEST][-1:]


def _time(text: str) -> float:
    """`2026-11-22 11:55:43Z`, also with a fraction; the beginning of time where it is something else."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
