"""Who owned the logical host, and in which sequence it was taken and given back."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from bansho.drill import legs
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence, Sighting
from bansho.drill.deaths import powerless
from bansho.lab.watch import Change, overlaps
from bansho.logicalhost import history
from bansho.logicalhost.history import Takeover

PROCESSES = "processes"
"""Of what a fault takes away itself: a suite's processes, in any order."""


class OneOwner(Audit):
    """I1: from outside (mounts, addresses, processes), and by the epochs of the lease."""

    id = "I1"
    holds = "never two owners of one shared directory"

    def observed(self, evidence: Evidence) -> bool:
        """What nobody looked at was not kept."""
        return evidence.watched

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Two nodes with the disk, the address or services at once; an epoch that did not grow."""
        for change in overlaps(evidence.changes):
            if change.what == "disk" and "second mount" in evidence.touched:
                continue
            yield f"{change.node} took the {change.what} at {change.wall:.3f} while another node had it"
        for sighting in evidence.sightings:
            nodes = [node for node, processes in sighting.census.items() if any(each.service for each in processes)]
            if len(nodes) > 1:
                yield f"services lived on {' and '.join(sorted(nodes))} at {sighting.at:.3f}"
        yield from _barred(evidence)
        takeovers = history.takeovers(evidence.marks)[::-1]
        for before, after in pairwise(takeovers):
            if after.epoch <= before.epoch:
                yield f"{after.node} took epoch {after.epoch} after {before.node} had {before.epoch}"
        if evidence.lease_owner and evidence.lease_owner != evidence.successor:
            yield f"the lease names {evidence.lease_owner}, and {evidence.successor} is active"


def _barred(evidence: Evidence) -> Iterator[str]:
    """Who took the disk while the one that had it was neither reachable nor fenced."""
    began, ended = evidence.barred or (0.0, 0.0)
    for change in evidence.changes:
        if change.held and change.node != evidence.victim and began <= change.wall < ended:
            yield f"{change.node} took the {change.what} at {change.wall:.3f}; {evidence.victim} had not been fenced"


class Sequence(Audit):
    """I10: disk, address, lease, Base, database, Manager; Manager, Base, address, disk on the way down."""

    id = "I10"
    holds = "taken over in the sequence disk, address, Base, Manager, and given back in reverse"

    def observed(self, evidence: Evidence) -> bool:
        """What nobody looked at was not kept."""
        return evidence.watched

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """By the takeover history and by what was seen from outside."""
        for takeover in history.takeovers(evidence.marks):
            if takeover.at >= evidence.began:
                reached = legs.from_marks(takeover.legs, takeover.at) | _taken(evidence.changes, takeover)
                yield from (f"epoch {takeover.epoch}: {each}" for each in legs.out_of_order(reached))
        if evidence.touched <= {PROCESSES}:
            yield from _given_back(evidence.changes)
            yield from _lived_on(evidence)
        if not evidence.touched:
            yield from _outlived_base(evidence)


def _taken(changes: Iterable[Change], takeover: Takeover) -> dict[str, float]:
    """When the node of a takeover took disk and address: the last time before it had the lease."""
    return {
        change.what: change.wall
        for change in changes
        if change.held and change.node == takeover.node and change.wall <= takeover.at
    }


def _given_back(changes: Iterable[Change]) -> Iterator[str]:
    """A node that let go of the disk while it had the address."""
    held: dict[str, set[str]] = {}
    for change in changes:
        has = held.setdefault(change.node, set())
        (has.add if change.held else has.discard)(change.what)
        if change.what == "disk" and not change.held and "address" in has:
            yield f"{change.node} let go of the disk at {change.wall:.3f} and still had the address"


def _lived_on(evidence: Evidence) -> Iterator[str]:
    """Services that were seen, in a look begun after their node had let go of the address, before it had it again."""
    for change in evidence.changes:
        if change.what == "address" and not change.held:
            again = _taken_again(evidence.changes, change)
            for sighting, began in _looks(evidence, change.node):
                if change.wall < began and sighting.at < again and _services(sighting, change.node):
                    yield f"{change.node} let go of the address at {change.wall:.3f}, and services lived on"
                    break


def _taken_again(changes: Iterable[Change], lost: Change) -> float:
    """When a node had again what it lost."""
    later = (each.wall for each in changes if (each.node, each.what) == (lost.node, lost.what) and each.held)
    return min((wall for wall in later if wall > lost.wall), default=float("inf"))


def _outlived_base(evidence: Evidence) -> Iterator[str]:
    """Manager's services in a look that found nothing of Base: Base was stopped first, or as a whole killed."""
    nodes = {node for sighting in evidence.sightings for node in sighting.census}
    for node in sorted(nodes):
        for sighting, _ in _looks(evidence, node):
            suites = {each.suite for each in sighting.census[node]}
            if "manager" in _services(sighting, node) and "base" not in suites:
                yield f"{node}: services of Manager lived at {sighting.at:.3f}, and nothing of Base did"
                break


def _looks(evidence: Evidence, node: str) -> Iterator[tuple[Sighting, float]]:
    """The looks at a node, and when each began; none of its death, in which programs end in any order."""
    for sighting in evidence.sightings:
        began = sighting.at - sighting.took
        if node in sighting.census and not powerless(node, began, sighting.at, evidence.power):
            yield sighting, began


def _services(sighting: Sighting, node: str) -> set[str]:
    """The suites of which services live on a node."""
    return {each.suite for each in sighting.census[node] if each.service}
