"""What a drill on a cluster says before anything is done: each round, what its users notice, and how it is undone.

Pure, but for `forecast`.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from bansho.cluster import model
from bansho.drill.site.faults import Announced
from bansho.drill.site.here import Here
from bansho.drill.site.readiness import TOKEN
from bansho.drill.site.sending import SEVERITY
from bansho.logicalhost import history

NOTICED = {
    "restart": "events wait at their senders, the console is away; both come back on this node",
    "takeover": "events wait at their senders, the console is away and its users reconnect; both come back elsewhere",
    "reset": "as for takeover; and the node that is reset is away until it has booted",
}
"""Kind of outage -> what users of the logical host see of it."""
NOT_JUDGED = {
    "I1": "two owners at once: other nodes' mounts, addresses and processes; only the lease's epochs are looked at",
    "I2, I11, I14": "what is left, or answers, on other nodes; this node is judged where nothing may run on it",
    "I3, I4, I12": "status values and processes while it runs on another node",
    "I3": "what jimdbstatus and jevstat answer",
    "I11": "the 200 ms",
    "I14": "growth of process managers, and mounts and temporary files that a round adds",
}
"""Invariants -> what of them nobody can see from one node, or without the means of a lab."""
WHY_NOT = "it is seen from other nodes, or by the lab's means, only"


class Forecast(NamedTuple):
    """How long nothing will run. Seconds."""

    start: float | None
    """From the first leg of the last takeover to the last; None where the history does not say."""
    most: float
    """The cluster's own limits for stopping and starting all of it."""

    def words(self) -> str:
        """For a person."""
        last = "" if self.start is None else f" (the last start took {self.start:.0f} s)"
        return f"a stop and a start{last}; at most {self.most:.0f} s, by the cluster's limits"


def forecast(here: Here) -> Forecast:
    """From the takeover history and the definition."""
    times: list[float] = []
    with suppress(OSError, IndexError):
        times = [mark.at for mark in history.read(here.host.shared)[0].legs]
    limits = [each.limits for each in model.model(here.host).resources]
    most = sum(limit["start"].seconds + limit["stop"].seconds for limit in limits)
    return Forecast(max(times) - min(times) if len(times) > 1 else None, most)


def lines(
    here: Here, faults: Sequence[Announced], rounds: Sequence[Announced], rate: float, stamp: str
) -> Iterator[str]:
    """The plan."""
    expected = forecast(here).words()
    yield f"drill of logical host {here.name} on this cluster; it runs on {here.node}, which is this node"
    yield from _traffic(here, rate, stamp)
    for fault in faults:
        numbers = ", ".join(str(number) for number, each in enumerate(rounds, 1) if each is fault)
        yield f"round {numbers}: {fault.name} on {fault.node(here)}: {fault.what}"
        yield f"  users notice    {NOTICED[fault.outage]}"
        yield f"  outage expected {expected}"
        yield f"  undone          {fault.undone}"
        yield f"  by hand         {fault.by_hand(here)}, if this program is killed meanwhile"
    yield "after each round the logical host is moved back here if it is elsewhere, and start is called once more;"
    yield "  while this node is at rest, status, stop and forced termination are called on it"
    yield "at the first violation, at Ctrl-C and at the end everything is undone and the token revoked"
    yield f"not judged, since {WHY_NOT}:"
    yield from (f"  {invariants}: {what}" for invariants, what in NOT_JUDGED.items())


def notes() -> list[str]:
    """What a reader of the report must know."""
    where = f"On a cluster of its own, seen from one node; not judged, since {WHY_NOT}"
    return [f"{where}: {'; '.join(f'{invariants}: {what}' for invariants, what in NOT_JUDGED.items())}."]


def _traffic(here: Here, rate: float, stamp: str) -> Iterator[str]:
    yield f"nodes {', '.join(f'{each.name} {each.state}' for each in here.status().nodes)}"
    yield f"traffic: {rate:g} events a second to {here.host.ip}:{here.host.ports.event_service}, by token {TOKEN!r},"
    yield f"  which is made for it and revoked; of severity {SEVERITY}, from source servers {stamp}-ROUND, with"
    yield "  PRODUCT_NAME=/DRILL; they stay among the events"
