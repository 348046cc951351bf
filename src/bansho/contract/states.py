"""The states of one service and of one suite, and the value of 3.2 that follows from them. Pure.

waiting -> starting -> ready <-> hung
              |          |
              v          v
           overdue     stopping -> stopped
              any of them may become failed
"""

from collections.abc import Iterable
from enum import Enum

from bansho.contract import operation


class ServiceState(Enum):
    """One service's life, as its process manager sees it."""

    WAITING = "waiting"
    """Not started yet: what it depends on is not ready."""
    STARTING = "starting"
    """Started, no READY=1 yet, within its start limit."""
    OVERDUE = "overdue"
    """Started, no READY=1 within its start limit: left alone, counted as not running. Or asked to stop, and still
    there after its stop limit and a kill."""
    READY = "ready"
    HUNG = "hung"
    """It was ready and lives, but WATCHDOG=1 is missing; counted as not running."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    """It ended without being asked to."""


class SuiteAim(Enum):
    """What the process manager was last asked to reach."""

    UP = "up"
    DOWN = "down"


LIVING = frozenset(
    {ServiceState.STARTING, ServiceState.OVERDUE, ServiceState.READY, ServiceState.HUNG, ServiceState.STOPPING}
)
"""The states in which a process of the service exists."""

UNDER_WAY = frozenset({ServiceState.WAITING, ServiceState.STARTING, ServiceState.STOPPING})
"""The states that a time limit bounds."""

NOT_RUNNING = frozenset({ServiceState.OVERDUE, ServiceState.HUNG, ServiceState.STOPPED, ServiceState.FAILED})
"""The states that count as "not running" and will not change by waiting."""


def suite_value(aim: SuiteAim, required: Iterable[ServiceState], *, directory_available: bool = True) -> int:
    """The value of CONTRACT 3.2 for a suite whose process manager is alive.

    `required` holds the states of the services that the definition requires. A service that is down for good
    outweighs one that is still coming up: waiting would not mend it. While the process manager lives the value is
    never 8: the manager is a process of the suite.
    """
    states = set(required)
    if not directory_available:
        return operation.UNRECOVERABLE
    if aim is SuiteAim.DOWN:
        return operation.RETRY if ServiceState.OVERDUE not in states else operation.PARTLY_STOPPED
    if states <= {ServiceState.READY}:
        return operation.ALL_RUNNING
    if states & NOT_RUNNING:
        return operation.PARTLY_STOPPED
    return operation.RETRY
