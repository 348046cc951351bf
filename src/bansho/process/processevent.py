"""Process events: which change of a service is one, and what the event says (CONTRACT 4). Pure; `reporting` sends them.

The ids are the original's; docs/event.md lists the attributes.
"""

from typing import NamedTuple

from bansho.contract.messages import Message
from bansho.contract.states import LIVING, ServiceState
from bansho.process import messages

MESSAGE_BYTES = 1023
"""The longest message that an event takes."""

S = ServiceState


class Kind(NamedTuple):
    """One kind of process event."""

    id: str
    severity: str
    occurrence: str
    message: Message


ENDED = Kind("3F90", "Error", "ABNORMAL_END", messages.SERVICE_ENDED)
LATE = Kind("3F91", "Error", "LATE_START", messages.SERVICE_LATE)
RESTARTED = Kind("3F92", "Information", "RESTART", messages.SERVICE_RESTARTED)

KINDS = {
    (S.STARTING, S.OVERDUE): LATE,
    **{(state, S.FAILED): ENDED for state in LIVING},
}
"""(state before, state after) -> the event that this change is; a service that was asked to stop never fails."""


class Past(NamedTuple):
    """What is known of a service from before: its last state, and whether it was restarted and is not ready yet."""

    state: ServiceState = S.WAITING
    again: bool = False


def after(past: Past, state: ServiceState) -> tuple[Past, Kind | None]:
    """What is known once a service is in `state`, and the event that this is, if it is one."""
    if past.again and state is S.READY:
        return Past(state), RESTARTED
    again = (past.state, state) == (S.FAILED, S.WAITING) or (past.again and state is not S.STOPPED)
    return Past(state, again), KINDS.get((past.state, state))


class Facts(NamedTuple):
    """What an event says of a service. Times are seconds since 1970."""

    host: str
    suite: str
    node: str
    service: str
    pid: int | None
    """Of its first process; None where it could not be launched."""
    user: str
    status: str
    """What it last reported, or how it ended."""
    started: float
    at: float
    result: int | None
    """Its exit status, negative for a signal; None while it lives or where it could not be launched."""
    limit: float
    """Seconds that it had for its start."""
    restarts: int


def attributes(kind: Kind, facts: Facts) -> dict[str, str]:
    """The event's extended attributes, those that are known."""
    known = {
        "PRODUCT_NAME": f"/BANSHO/{facts.suite.upper()}/PROCESS_MANAGER",
        "OBJECT_TYPE": "SERVICE",
        "OBJECT_NAME": facts.service,
        "OBJECT_ID": str(facts.pid or ""),
        "ROOT_OBJECT_TYPE": "LOGICAL_HOST",
        "ROOT_OBJECT_NAME": facts.host,
        "OCCURRENCE": kind.occurrence,
        "USER_NAME": facts.user,
        "START_TIME": str(int(facts.started)),
        "END_TIME": str(int(facts.at)) if kind is ENDED else "",
        "RESULT_CODE": str(result_code(facts.result)) if kind is ENDED and facts.result is not None else "",
        "NODE": facts.node,
    }
    return {name: value for name, value in known.items() if value}


def result_code(status: int) -> int:
    """An exit status as a shell gives it: 128 and the signal's number for a death by signal."""
    return status if status >= 0 else 128 - status


def line(kind: Kind, facts: Facts) -> str:
    """The event's message, no longer than one may be."""
    status = f": {facts.status}" if facts.status else ""
    text = kind.message(**facts._asdict() | {"status": status})
    return text.encode()[:MESSAGE_BYTES].decode(errors="ignore")
