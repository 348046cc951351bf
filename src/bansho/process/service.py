"""One service's life: what each thing that happens to it makes of its state. Pure; the effects are `running`'s.

The states and their diagram are in `bansho.contract.states`. Times are of the monotonic clock, in seconds.
"""

import re
from enum import Enum
from typing import NamedTuple

from bansho.contract.states import ServiceState
from bansho.process.definition import Service

KILL_LIMIT = 5.0
"""Seconds from SIGKILL until a service that is still there counts as not running: it hangs in the kernel."""


class Event(Enum):
    """What can happen to a service."""

    LAUNCHED = "launched"
    READY = "it reported READY=1"
    BEAT = "it reported WATCHDOG=1"
    STOPPING = "it reported STOPPING=1"
    ASKED_TO_STOP = "asked to stop"
    LIMIT_PASSED = "the limit of its state has passed"
    ENDED = "it ended"
    AGAIN = "to be started again"


class Life(NamedTuple):
    """A service's state, since when, and until when that may last."""

    state: ServiceState = ServiceState.WAITING
    since: float = 0.0
    limit: float | None = None
    """When its state's time limit passes; None: it has none."""
    asked: bool = False
    """It was asked to stop: an end is what was wanted."""
    killed: bool = False
    """It outlasted its stop limit and was killed."""


S = ServiceState
NEXT = {
    (S.WAITING, Event.LAUNCHED): S.STARTING,
    (S.WAITING, Event.ASKED_TO_STOP): S.STOPPED,
    (S.STARTING, Event.READY): S.READY,
    (S.STARTING, Event.LIMIT_PASSED): S.OVERDUE,
    (S.OVERDUE, Event.READY): S.READY,
    (S.READY, Event.BEAT): S.READY,
    (S.READY, Event.LIMIT_PASSED): S.HUNG,
    (S.HUNG, Event.BEAT): S.READY,
    (S.STARTING, Event.STOPPING): S.STOPPING,
    (S.READY, Event.STOPPING): S.STOPPING,
    (S.STOPPING, Event.LIMIT_PASSED): S.OVERDUE,
    (S.STOPPED, Event.AGAIN): S.WAITING,
    (S.FAILED, Event.AGAIN): S.WAITING,
    (S.FAILED, Event.ASKED_TO_STOP): S.STOPPED,
    **{(state, Event.ASKED_TO_STOP): S.STOPPING for state in (S.STARTING, S.OVERDUE, S.READY, S.HUNG, S.STOPPING)},
    **{(state, Event.ENDED): S.FAILED for state in (S.STARTING, S.OVERDUE, S.READY, S.HUNG, S.STOPPING)},
}
"""(state, event) -> state. What does not stand here changes nothing."""


def after(life: Life, event: Event, service: Service, now: float) -> Life:
    """The life of `service` after `event` at the time `now`."""
    if life.asked and event in {Event.READY, Event.BEAT, Event.STOPPING, Event.ASKED_TO_STOP}:
        return life
    if life.state is S.STOPPING and event is Event.LIMIT_PASSED and life.asked and not life.killed:
        return life._replace(killed=True, limit=now + KILL_LIMIT)
    state = NEXT.get((life.state, event))
    if state is None:
        return life
    if event is Event.ENDED and life.asked:
        state = S.STOPPED
    since = life.since if state is life.state else now
    asked = event is Event.ASKED_TO_STOP or (life.asked and event is Event.LIMIT_PASSED)
    return Life(state, since, _limit(state, service, now), asked)


def spared(life: Life, service: Service, now: float, pause: float) -> Life:
    """The life of `service` after a `pause` until `now`, in seconds, in which nobody could hear it.

    It has what was left of its limit, and no more than all of it: it may have been heard again already.
    """
    limit = _limit(life.state, service, now)
    return life if life.limit is None or limit is None else life._replace(limit=min(life.limit + pause, limit))


def _limit(state: ServiceState, service: Service, now: float) -> float | None:
    lasts = {
        S.STARTING: service.start_limit,
        S.STOPPING: service.stop_limit,
        S.READY: service.watchdog,
    }.get(state)
    return None if lasts is None else now + lasts


ERROR = re.compile(r"BSHO\d{4}-E ")


def ending(status: int, said: str = "") -> str:
    """A wait status as a person reads it: "ended with status 3", "was killed by signal 9"; and why, if it `said` so."""
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"{how}: {said}" if ERROR.match(said) else how


class Restarts(NamedTuple):
    """How often a service of the physical host was restarted, and when it was last launched."""

    done: int = 0
    launched_at: float = 0.0


def restart(restarts: Restarts, service: Service, now: float) -> Restarts | None:
    """The count with one more restart, or None: the definition allows none, or no more."""
    done = 0 if now - restarts.launched_at >= service.restart_reset else restarts.done
    if not service.restart or done >= service.restart_count:
        return None
    return restarts._replace(done=done + 1)
