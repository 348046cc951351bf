"""The state of the IM database, and the value of CONTRACT 3.3 that follows from what was observed. Pure."""

from enum import Enum
from typing import Any, NamedTuple

from bansho.contract import imdatabase


class Answer(Enum):
    """What came back from the postmaster's socket."""

    ACCEPTING = "accepts connections"
    REJECTING = "rejects connections"
    """It says that it starts, recovers or shuts down."""
    WITHOUT_DATABASE = "it has no database of ours"
    NOBODY = "nobody listens"
    SILENT = "no answer in time"


class Phase(Enum):
    """What a living controller is doing."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class Facts(NamedTuple):
    """What can be seen of a database, from outside, without its help."""

    set_up: bool
    """The data directory holds a database."""
    postmaster: int = 0
    """The data directory's living postmaster, by its pid; 0 where none lives."""
    postmaster_status: str = ""
    """What it says of itself in `postmaster.pid`: "starting", "ready" or "stopping"."""
    answer: Answer = Answer.NOBODY
    controller: Phase | None = None
    """The living controller's phase; None where none lives."""
    control: str = ""
    """"Database cluster state" of the control file, as `pg_controldata` words it."""


class State(NamedTuple):
    """A value of 3.3, and the reason for it."""

    value: int
    reason: str

    def line(self, host: str) -> str:
        """What a person reads. Why something could not be found out is a message of its own."""
        why = f" ({self.reason})" if self.value != imdatabase.COULD_NOT_FIND_OUT else ""
        return f"IM database of {host}: {imdatabase.TABLE[self.value].meaning}{why}"

    def facts(self, host: str) -> dict[str, Any]:
        """The same for a program."""
        meaning = imdatabase.TABLE[self.value].meaning
        return {"host": host, "value": self.value, "meaning": meaning, "reason": self.reason}


STOPPED_NORMALLY = frozenset({"shut down", "shut down in recovery"})
STOPPED_OTHERWISE = frozenset(
    {"starting up", "shutting down", "in crash recovery", "in archive recovery", "in production"}
)
"""All that the control file can say (PostgreSQL's `DBState`)."""

LIVING = {
    Answer.ACCEPTING: imdatabase.RUNNING,
    Answer.REJECTING: imdatabase.CHANGING,
    Answer.WITHOUT_DATABASE: imdatabase.NOT_SET_UP,
    Answer.NOBODY: imdatabase.COULD_NOT_FIND_OUT,
    Answer.SILENT: imdatabase.COULD_NOT_FIND_OUT,
}


def classify(facts: Facts) -> State:
    """The value of 3.3 for what was observed."""
    if not facts.set_up:
        return State(imdatabase.NOT_SET_UP, "no database in the data directory")
    if facts.postmaster:
        return _living(facts)
    if facts.controller is Phase.RUNNING:
        return State(imdatabase.CONTROLLER_ONLY, "no postmaster, its controller lives")
    if facts.controller:
        return State(imdatabase.CHANGING, f"no postmaster, its controller is {facts.controller.value}")
    return _dead(facts.control)


def _living(facts: Facts) -> State:
    """One that has not begun to listen, or has ceased to, is under way and no riddle."""
    if facts.answer is Answer.NOBODY and facts.postmaster_status in ("starting", "stopping"):
        return State(imdatabase.CHANGING, f"the postmaster is {facts.postmaster_status}")
    return State(LIVING[facts.answer], f"the postmaster lives: {facts.answer.value}")


def _dead(control: str) -> State:
    reason = f"no postmaster; control file: {control or 'unknown'}"
    if control in STOPPED_NORMALLY:
        return State(imdatabase.STOPPED, reason)
    if control in STOPPED_OTHERWISE:
        return State(imdatabase.INTERRUPTED, reason)
    return State(imdatabase.COULD_NOT_FIND_OUT, reason)
