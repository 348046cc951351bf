"""What became of the events."""

from collections.abc import Iterator

from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence
from bansho.drill.tally import tally


class RowsAreTrue(Audit):
    """D1: what PostgreSQL promises, and what the product must not undo: by the faults that look at rows themselves."""

    id = "D1"
    holds = "a committed row stays, and a damaged one is an error for who reads it"

    def observed(self, evidence: Evidence) -> bool:
        """Whether any fault looked."""
        return evidence.findings is not None

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """What it found."""
        yield from evidence.findings or ()


class NothingLost(Audit):
    """I9: the set test, and that the event service's serials name one event each."""

    id = "I9"
    holds = "every acknowledged event is in the IM database exactly once, and nothing else is"

    def observed(self, evidence: Evidence) -> bool:
        """Without any acknowledged event there is nothing to lose."""
        return bool(evidence.ledger.acknowledged)

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """Lost, doubled, invented; two events that were given one serial."""
        found = tally(evidence.ledger, evidence.stored)
        for name in ("lost", "doubled", "invented"):
            if count := getattr(found, name):
                yield f"{count} of {found.acknowledged} acknowledged events {name}"
        serials = [acknowledged.serial for acknowledged in evidence.ledger.acknowledged.values()]
        if len(set(serials)) != len(serials):
            yield f"{len(serials) - len(set(serials))} acknowledged events share a serial with another one"
