"""What `jimdbstatus` and `jevstat` answered on the active node, held against the processes that lived there. Pure."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bansho.contract import eventservice, imdatabase
from bansho.drill.audits import steady
from bansho.drill.audits.evidence import Answer, Evidence
from bansho.drill.audits.steady import BEATS, STEADY, Look

SERVER = "postgres"
"""PostgreSQL's program."""
Ids = frozenset[tuple[int, int]]


def _postmaster(look: Look) -> Ids:
    """PostgreSQL's first process."""
    servers = {each.pid: each for each in look if each.program == SERVER}
    return frozenset((each.pid, each.ticks) for each in servers.values() if each.parent not in servers)


def _event_service(look: Look) -> Ids:
    return frozenset((each.pid, each.ticks) for each in look if each.service == "event-service")


class Judged(NamedTuple):
    """What a command tells of."""

    what: str
    processes: Callable[[Look], Ids]
    running: int
    not_running: frozenset[int]
    """Values that cannot be while it has run for long and nothing is under way."""


COMMANDS = {
    "jimdbstatus": Judged(
        "postmaster",
        _postmaster,
        imdatabase.RUNNING,
        frozenset(imdatabase.TABLE) - {imdatabase.RUNNING, imdatabase.COULD_NOT_FIND_OUT},
    ),
    "jevstat": Judged(
        "event service",
        _event_service,
        eventservice.ALL_RUNNING,
        frozenset(eventservice.TABLE) - {eventservice.ALL_RUNNING, eventservice.COMMAND_ERROR},
    ),
}
TABLES = {"jimdbstatus": imdatabase.TABLE, "jevstat": eventservice.TABLE}


def untrue(evidence: Evidence) -> Iterator[str]:
    """Each answer of no row, and each that was not true of processes that had been there, or not, for long."""
    for answer in evidence.answers:
        said = f"{answer.node}: {answer.command} said {answer.value} at {answer.at:.3f}"
        if answer.value not in TABLES[answer.command]:
            yield f"{said}, which no row has"
        elif answer.mounted:
            yield from (f"{said} and {why}" for why in _against(answer, evidence))


def _against(answer: Answer, evidence: Evidence) -> Iterator[str]:
    judged = COMMANDS[answer.command]
    lived = _lived(judged, answer, evidence)
    if answer.value == judged.running and lived and not any(lived):
        yield f"for {STEADY:g} s there had been no {judged.what}"
    if answer.value in judged.not_running and steady.quiet(evidence, answer.at, answer.took):
        lived = _lived(judged, answer, evidence, BEATS)
        if lived and frozenset.intersection(*lived):
            yield f"for {STEADY:g} s and on the same {judged.what} ran, and nothing was under way"


def _lived(judged: Judged, answer: Answer, evidence: Evidence, after: float = 0.0) -> list[Ids]:
    looks = steady.looks(evidence.sightings, answer.node, answer.at, answer.took, after)
    return [judged.processes(look) for look in looks]
