"""What the contract's commands answered, held against what was true."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from bansho.contract import limits, operation
from bansho.drill import census
from bansho.drill.audits import service_status, steady
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Call, Evidence, Sample, Sighting
from bansho.drill.audits.steady import BEATS, STEADY
from bansho.drill.census import Found

LONGEST_RETRY = limits.START + limits.LOST_BEATS * limits.BEAT
"""Seconds of value 12 at most: a start that uses its whole limit, after a record that grew old."""
STANDBY_ANSWERS = 0.2
"""Seconds."""
SLOWER = 10.0
"""On a machine too busy for that: how many times what a bare interpreter takes there then; idle, one takes 20 ms."""
REPEATED = ("start", "stop", "killall")


class ValueIsTrue(Audit):
    """I3: never 0 while a required service is absent, never 8 while a process lives, never a value of no row.

    Never 1 or 4 either where all required services had run for long and nothing was under way; and the same for the IM
    database's and the event service's own status. A process that hangs counts as absent, so a fault that makes one hang
    must be noticed.
    """

    id = "I3"
    holds = "the status value is the table's function of the true state within two beats"

    def observed(self, evidence: Evidence) -> bool:
        """Without an answer there is nothing to judge."""
        return bool(evidence.samples)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each answer that was not true."""
        for sample in evidence.samples:
            yield from _untrue(sample, evidence)
            yield from _failed_alone(sample, evidence)
        yield from service_status.untrue(evidence)
        if evidence.shows and not evidence.noticed:
            yield f"nothing was noticed of {evidence.fault}: {evidence.victim} said 0 all the time, and nothing changed"


def _failed_alone(sample: Sample, evidence: Evidence) -> Iterator[str]:
    """An answer that the cluster would act on, and nothing had been wrong."""
    failed = sample.value in {operation.UNRECOVERABLE, operation.PARTLY_STOPPED}
    if failed and sample.mounted and steady.quiet(evidence, sample.at, sample.took):
        looks = steady.looks(evidence.sightings, sample.node, sample.at, sample.took, BEATS)
        if evidence.required[sample.suite] <= steady.services(looks, sample.suite):
            said = f"{sample.node}: {sample.suite} said {sample.value} at {sample.at:.3f}"
            yield f"{said} and for {STEADY:g} s and on all of it ran, and nothing was under way"


def _untrue(sample: Sample, evidence: Evidence) -> Iterator[str]:
    said = f"{sample.node}: {sample.suite} said {sample.value} at {sample.at:.3f}"
    lived = set(sample.before) & set(sample.after)
    if sample.value not in operation.TABLE:
        yield f"{said}, which no row has"
    if sample.value == operation.ALL_STOPPED and lived:
        yield f"{said} while {sorted(each.program for each in lived)} lived"
    if sample.value == operation.ALL_RUNNING:
        absent = evidence.required[sample.suite] - _present(sample, evidence.sightings)
        if absent:
            yield f"{said} and for {BEATS:g} s there had been no {', '.join(sorted(absent))}"


def _present(sample: Sample, sightings: Iterable[Sighting]) -> set[str]:
    """The services that were seen within the last beats before the answer, or beside it."""
    looks = [sample.before, sample.after]
    looks += [each.census.get(sample.node, ()) for each in sightings if 0 <= sample.at - sample.took - each.at <= BEATS]
    return {each.service for look in looks for each in look if each.suite == sample.suite}


class RetryEnds(Audit):
    """I4: "recoverable by retrying" is no state to stay in."""

    id = "I4"
    holds = "12 never lasts beyond its limit"

    def observed(self, evidence: Evidence) -> bool:
        """Without an answer there is nothing to judge."""
        return bool(evidence.samples)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each run of answers 12 that is too long."""
        ordered = sorted(evidence.samples, key=lambda each: (each.node, each.suite, each.at))
        for (node, suite, value), run in groupby(ordered, key=lambda each: (each.node, each.suite, each.value)):
            times = [each.at for each in run]
            if value == operation.RETRY and times[-1] - times[0] > LONGEST_RETRY:
                yield f"{node}: {suite} said 12 for {times[-1] - times[0]:.1f} s"


class ReturnsInTime(Audit):
    """I5: whoever calls start or stop gets an answer."""

    id = "I5"
    holds = "start and stop return by their limit and 1 s"

    def observed(self, evidence: Evidence) -> bool:
        """Without a call there is nothing to judge."""
        return any(call.order in {"start", "stop"} for call in evidence.calls)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each call that took longer."""
        for call in evidence.calls:
            if call.order in {"start", "stop"} and call.took > max(limits.START, limits.STOP) + limits.RETURN_SLACK:
                yield f"{call.node}: {call.command} took {call.took:.1f} s"


class ReturnsZeroOrOne(Audit):
    """I6: start and stop say nothing but "accepted" or "wrong call"; so does forced termination."""

    id = "I6"
    holds = "start and stop return 0 or 1 only"

    def observed(self, evidence: Evidence) -> bool:
        """Without a call there is nothing to judge."""
        return any(call.order in REPEATED for call in evidence.calls)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each other value."""
        for call in evidence.calls:
            if call.order in REPEATED and call.value not in {0, 1}:
                yield f"{call.node}: {call.command} returned {call.value}"


class RepeatsChangeNothing(Audit):
    """I7: each of these calls asked for what was so already."""

    id = "I7"
    holds = "start-start, stop-stop and kill-kill change nothing and return 0"

    def observed(self, evidence: Evidence) -> bool:
        """Without a call there is nothing to judge."""
        return any(call.order in REPEATED for call in evidence.calls)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each call that ended or began a process, or was refused."""
        for call in evidence.calls:
            if call.order not in REPEATED:
                continue
            if call.value != 0:
                yield f"{call.node}: {call.command} again returned {call.value}"
            if call.gone or call.new:
                yield f"{call.node}: {call.command} again ended {list(call.gone)} and began {list(call.new)}"


class StandbyIsQuiet(Audit):
    """I11: asked on a node without the disk, the answer is 1, at once, and nothing is written."""

    id = "I11"
    holds = "a standby answers 1 within 200 ms, as far as its processors let any program, and writes nothing"

    def observed(self, evidence: Evidence) -> bool:
        """Some node was asked without the disk."""
        return any(call.standby and call.order == "status" for call in evidence.calls)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each other answer, and each file that changed."""
        for call in evidence.calls:
            if call.standby and call.order == "status":
                if call.value != operation.UNRECOVERABLE:
                    yield f"{call.node}: {call.command} without the disk returned {call.value}"
                if call.written:
                    yield f"{call.node}: {call.command} without the disk wrote {', '.join(call.written)}"
        yield from _late(evidence.calls)
        for sample in evidence.samples:
            if sample.mounted is False and not sample.before and not sample.after and sample.value != 1:
                yield f"{sample.node}: {sample.suite} without the disk said {sample.value} at {sample.at:.3f}"


def _late(calls: Iterable[Call]) -> Iterator[str]:
    """Each question to a standby whose every repetition was answered late."""
    asked = sorted((call for call in calls if call.standby and call.bare), key=lambda call: (call.node, call.command))
    for (node, command), repeated in groupby(asked, key=lambda call: (call.node, call.command)):
        times = [(call.took, call.bare) for call in repeated]
        if all(took > max(STANDBY_ANSWERS, SLOWER * bare) for took, bare in times):
            fastest, bare = min(times)
            yield f"{node}: {command} without the disk took {fastest:.3f} s, a bare interpreter {bare:.3f} s"


class NoLocalRestart(Audit):
    """I12: on a logical host only the cluster restarts: one process manager has one process a service in its life."""

    id = "I12"
    holds = "no service is restarted while its process manager lives"

    def observed(self, evidence: Evidence) -> bool:
        """Without a look there is nothing to judge."""
        return bool(evidence.sightings)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Each service that a process manager started twice."""
        seen: dict[tuple[str, int, int, str], Found] = {}
        for sighting in evidence.sightings:
            for node, processes in sighting.census.items():
                managers = {each.pid: each for each in processes if each.is_manager}
                for (_, service), main in census.main_processes(processes).items():
                    manager = managers[main.parent]
                    first = seen.setdefault((node, manager.pid, manager.ticks, service), main)
                    if (first.pid, first.ticks) != (main.pid, main.ticks):
                        yield f"{node}: {service} was started again ({first.pid}, then {main.pid}) by {main.parent}"
