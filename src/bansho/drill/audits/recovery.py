"""Whether the logical host came back, and whether the cluster left alone what nothing was wrong with."""

from collections.abc import Iterator

from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence

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
    """I8: a node without a fault is not fenced, and a logical host that can stay stays."""

    id = "I8"
    holds = "no takeover and no fencing without a reason"

    def observed(self, evidence: Evidence) -> bool:
        """A fault that may do both says nothing."""
        return evidence.expected != "either" or not evidence.may_fence

    def violations(self, evidence: Evidence) -> Iterator[str]:
        """It moved or stayed otherwise than it must; a node was fenced for a fault that fencing does not mend."""
        moved = evidence.successor != evidence.victim
        if evidence.successor and evidence.expected == "stays" and moved:
            yield f"{evidence.fault} moved it from {evidence.victim} to {evidence.successor}"
        if evidence.successor and evidence.expected == "moves" and not moved:
            yield f"{evidence.fault} left it on {evidence.victim}"
        if not evidence.may_fence:
            for entry in evidence.power:
                if entry.wall >= evidence.struck and entry.by not in ASKED and not entry.done:
                    yield f"{entry.by} fenced {entry.node} at {entry.wall:.3f}"
