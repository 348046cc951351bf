"""What an audit is: one invariant, asked of the evidence of a round."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from bansho.drill.audits.evidence import Evidence


class Audit(ABC):
    """One invariant."""

    id: str
    holds: str
    """What must hold, as a sentence."""

    @abstractmethod
    def violations(self, evidence: Evidence) -> Iterator[str]:
        """A sentence for each violation; none where the invariant was kept."""

    def observed(self, evidence: Evidence) -> bool:  # noqa: ARG002 - most can always be judged
        """Whether silence is a verdict: without, the invariant counts as kept nowhere, and broken where it was seen."""
        return True
