"""Whether the logical host came back, and whether the cluster left alone what nothing was wrong with."""

from collections.abc import Iterator

from bansho.drill import census
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence, Sighting
from bansho.drill.census import Found
from bansho.logicalhost import history

ASKED = ("operator", "power")
"""Who acts on the power in the lab's log and is no node."""


class Recovers(Audit):
    """I0: what the cluster is for."""

    id = "I0"
    holds = "the logical host is all running again within the limit"

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """It was not."""
        if evidence.recovered is None:
            yield f"after {evidence.fault} it was not all running again"


class NoFalseTakeover(Audit):
    """I8: a node without a fault is not fenced, and a logical host that can stay stays.

    Every takeover counts, not only where it all ends: one that went away and came back was away.
    """

    id = "I8"
    holds = "no takeover and no fencing without a reason"

    def observed(self, evidence: Evidence) -> bool:
        """A fault that may have it anywhere and any node fenced says nothing."""
        return evidence.expected != "either" or not evidence.may_fence or evidence.fenceable is not None

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """It moved or stayed otherwise than it must; a node was fenced that the fault had nothing to do with."""
        moved = evidence.successor != evidence.victim
        if evidence.successor and evidence.expected == "stays" and moved:
            yield f"{evidence.fault} moved it from {evidence.victim} to {evidence.successor}"
        if evidence.successor and evidence.expected == "moves" and not moved:
            yield f"{evidence.fault} left it on {evidence.victim}"
        yield from _by_way_of(evidence)
        yield from _changed(evidence)
        for entry in evidence.power:
            asked = entry.wall >= evidence.struck and entry.by not in ASKED and not entry.done
            if asked and not _fenceable(evidence, entry.node):
                yield f"{entry.by} fenced {entry.node} at {entry.wall:.3f}"


def _fenceable(evidence: Evidence, node: str) -> bool:
    return evidence.may_fence and (evidence.fenceable is None or node in evidence.fenceable)


def _by_way_of(evidence: Evidence) -> Iterator[str]:
    """Takeovers by nodes where it neither had to stay nor to end; what comes once all is mended is the drill's own."""
    wanted = {"stays": evidence.victim, "moves": evidence.successor}.get(evidence.expected)
    recovered = float("inf") if evidence.recovered is None else evidence.recovered
    for takeover in history.takeovers(evidence.marks)[::-1]:
        while_it_lasted = evidence.struck <= takeover.at <= max(recovered, evidence.mended)
        if wanted and while_it_lasted and takeover.node != wanted:
            yield f"{takeover.node} took it over at {takeover.at:.3f}, epoch {takeover.epoch}, and not {wanted}"


def _changed(evidence: Evidence) -> Iterator[str]:
    """What must not happen where nothing of the logical host was touched."""
    if not evidence.unchanged:
        return
    for takeover in history.takeovers(evidence.marks):
        if takeover.at >= evidence.struck:
            yield f"{takeover.node} took epoch {takeover.epoch} at {takeover.at:.3f}, and nothing was wrong"
    looks = [(each.at, _lasting(each.census[evidence.victim])) for each in _seen(evidence)]
    before = [look for at, look in looks if at < evidence.struck]
    if before:
        gone = frozenset.intersection(*before) - looks[-1][1]
        for each in sorted(gone):
            yield f"{evidence.victim}: {each.service or each.program} of {each.suite} ended ({each.pid})"


def _seen(evidence: Evidence) -> Iterator[Sighting]:
    return (each for each in evidence.sightings if evidence.victim in each.census)


def _lasting(processes: tuple[Found, ...]) -> frozenset[Found]:
    """The process managers, and the first process of each service."""
    managers = (each for each in processes if each.is_manager)
    return frozenset([*managers, *census.main_processes(processes).values()])
