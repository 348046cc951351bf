"""What became of the events: sent, acknowledged, stored, lost, doubled, invented. Pure.

The set test: everything acknowledged is stored exactly once, and nothing is stored that was never sent.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bansho.drill.traffic import Ledger


class Tally(NamedTuple):
    """Counts of events of one source."""

    sent: int
    acknowledged: int
    stored: int
    lost: int
    """Acknowledged and not stored."""
    doubled: int
    """Stored more than once."""
    invented: int
    """Stored and never sent."""
    unanswered: int
    """Sent, stored, and not acknowledged: the answer was lost on its way, or is still on it."""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled or invented, and anything was acknowledged at all."""
        return self.acknowledged > 0 and not (self.lost or self.doubled or self.invented)


def tally(ledger: Ledger, stored: Iterable[int]) -> Tally:
    """Counts, from a sender's ledger and the source serials found in the IM database."""
    found = Counter(stored)
    sent, acknowledged = set(ledger.sent), set(ledger.acknowledged)
    return Tally(
        sent=len(sent),
        acknowledged=len(acknowledged),
        stored=found.total(),
        lost=len(acknowledged - found.keys()),
        doubled=sum(count > 1 for count in found.values()),
        invented=len(found.keys() - sent),
        unanswered=len((found.keys() & sent) - acknowledged),
    )
