"""The audits: one small class an invariant, and all of them in order."""

from bansho.drill.audits import events, ownership, recovery, remains, status
from bansho.drill.audits.audit import Audit
from bansho.drill.audits.evidence import Evidence

__all__ = ["AUDITS", "Audit", "Evidence"]

AUDITS: list[Audit] = [
    recovery.Recovers(),
    ownership.OneOwner(),
    remains.NothingLeft(),
    status.ValueIsTrue(),
    status.RetryEnds(),
    status.ReturnsInTime(),
    status.ReturnsZeroOrOne(),
    status.RepeatsChangeNothing(),
    recovery.NoFalseTakeover(),
    events.NothingLost(),
    events.RowsAreTrue(),
    ownership.Sequence(),
    status.StandbyIsQuiet(),
    status.NoLocalRestart(),
    remains.NothingLeaks(),
]
