"""What the cluster says about nodes that were fenced, as the lab's power log would tell it."""

import time
from typing import NamedTuple

from bansho.cluster.pacemaker.cib import Cib, parse
from bansho.lab.powerlog import Entry

HISTORY = ("stonith_admin", "--history", "*", "--output-as=xml")


class Fencing(NamedTuple):
    """One fencing in the cluster's history, which has no times finer than seconds."""

    node: str
    action: str
    by: str
    completed: str


def known() -> frozenset[Fencing]:
    """Those in the history now. Raises ToolMissing or ToolFailed."""
    events = parse(Cib().run(*HISTORY).stdout).iter("fence_event")
    return frozenset(
        Fencing(each.get("target", ""), each.get("action", ""), each.get("origin", ""), each.get("completed", ""))
        for each in events
    )


def since(before: frozenset[Fencing], began: float) -> list[Entry]:
    """Those that were not in the history before, each told as asked for and as done when this was asked."""
    now, monotonic = max(began, time.time()), time.monotonic()
    new = sorted(known() - before)
    return [Entry(now, monotonic, each.by, each.action, each.node, done) for each in new for done in (False, True)]
