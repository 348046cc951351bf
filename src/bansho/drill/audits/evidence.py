"""What was gathered in a round: the evidence that the audits judge. Pure data; times are of one wall clock."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bansho.drill.census import Census, Found, Remains
from bansho.drill.footprint import Footprint
from bansho.drill.traffic import Ledger
from bansho.lab.powerlog import Entry
from bansho.lab.watch import Change
from bansho.logicalhost.history import Mark

NOBODY = "nobody"
"""Stands for the node that a lease names where it was given back."""


class Sample(NamedTuple):
    """One answer of a status command, between two looks at the processes of its suite on its node."""

    at: float
    """When the second look was over."""
    took: float
    node: str
    suite: str
    value: int
    mounted: bool | None
    """Whether the node had the disk; None where that changed meanwhile."""
    before: tuple[Found, ...]
    after: tuple[Found, ...]


class Answer(NamedTuple):
    """One answer of `jimdbstatus` or `jevstat`."""

    at: float
    """When it came."""
    took: float
    node: str
    command: str
    value: int
    mounted: bool | None
    """Whether the node had the disk; None where that changed meanwhile."""


class Sighting(NamedTuple):
    """The suites' processes on all nodes, seen in one look."""

    at: float
    """When the look was over."""
    census: Census
    took: float = 0.0


class Call(NamedTuple):
    """A command that the drill gave, and what it changed."""

    node: str
    command: str
    order: str
    """`start`, `stop`, `killall` or `status`."""
    value: int
    took: float
    gone: tuple[str, ...]
    """Processes of the suites on the node that were there before and not after."""
    new: tuple[str, ...]
    """The other way round."""
    written: tuple[str, ...]
    """Files of the logical host on the node that were made, changed or removed."""
    standby: bool
    """Whether the node had no shared disk."""
    bare: float = 0.0
    """Seconds that a bare interpreter took on the node, just before or after, whichever was slower; 0: not asked."""


class Evidence(NamedTuple):
    """One round's."""

    fault: str
    expected: str
    """`stays`, `moves` or `either`."""
    may_fence: bool
    touched: frozenset[str]
    """What of `disk` and `address` the fault itself took away."""
    victim: str
    successor: str
    """Where it was all running in the end; "" where that was not reached."""
    began: float
    struck: float
    recovered: float | None
    """When all was running again; None where that was not reached within its limit."""
    changes: Sequence[Change]
    marks: Sequence[Mark]
    """The whole takeover history."""
    power: Sequence[Entry]
    samples: Sequence[Sample]
    sightings: Sequence[Sighting]
    remains: Sequence[Remains]
    """Of every node on which nothing may be left: those that are not active."""
    calls: Sequence[Call]
    ledger: Ledger
    stored: Sequence[int]
    required: Mapping[str, frozenset[str]]
    """Suite -> the services that its definition requires."""
    lease_owner: str
    """Whom the lease names in the end, or `nobody`; "" where nobody looked."""
    active_groups: int
    """Control groups of the suites on the active node; -1 where it has none to see."""
    barred: tuple[float, float] | None = None
    """From when until when the victim could not be fenced, so that no other node could know what it still owned."""
    before: Sequence[Footprint] = ()
    """Of each node that had power when the round began."""
    after: Sequence[Footprint] = ()
    """The same when it ended."""
    findings: Sequence[str] | None = None
    """What a fault of the database found wrong with its rows; None where none looked."""
    mended: float = 0.0
    """When the faults were undone."""
    answers: Sequence[Answer] = ()
    fenceable: frozenset[str] | None = None
    """The nodes that may be fenced, where `may_fence`; None: any."""
    shows: bool = False
    """Whether something of the fault must be seen from outside."""
    noticed: bool = True
    """Whether anything was."""
    unchanged: bool = False
    """Whether the same processes must run on, under the same epoch of the lease."""
    lease_at_rest: str = ""
    """Whom the lease names while the logical host is stopped on every node, or `nobody`; "" where nobody looked."""

    @property
    def watched(self) -> bool:
        """Whether disk, address and processes were looked at: the first look at disk and address finds an owner."""
        return bool(self.changes and self.sightings)
