"""A process manager that does not answer: whether it is only slow, or nobody will ever do what it was asked (3.1).

Its beat in the status record says so, and the state that the kernel gives it. One that stands still (stopped by a
signal or a debugger) is given up as soon as its record is stale; any other one, which may just get too little of a busy
processor, only when its beat counts as lost for good, which is when the status counts it as failed.
"""

from bansho.contract import limits
from bansho.contract.suites import COMMANDS
from bansho.process import identity, record, spawning
from bansho.process.errors import ManagerMute
from bansho.process.folder import Folder
from bansho.process.record import Record, Trust

STANDING = frozenset("Tt")
"""States of a process that a signal or a tracer stopped."""

STANDS = "stands still (state {state})"
MUTE = "lives and has not beaten for {seconds:.0f} s"


def hopeless(trust: Trust, state: str) -> bool:
    """Whether nothing is to be expected of a silent process manager in that `state` of the kernel's. Pure."""
    return trust is Trust.LOST or (trust is Trust.STALE and state in STANDING)


def check(folder: Folder, host: str, suite: str) -> None:
    """Raises ManagerMute where the process manager, which has been silent for a while, is hopeless.

    While another command is clearing away, it stands still because that is about to kill it: then its end tells.
    """
    if not spawning.free(str(folder.order_lock)):
        return
    try:
        found = record.read(folder.record)
    except record.Damage:  # it is about to be written anew, or the status says what is wrong
        return
    manager = identity.stat(found.pid) if found else None
    if found and manager and hopeless(record.trust_now(found), manager.state):
        killall = COMMANDS[suite].killall if suite in COMMANDS else "forced termination"
        raise ManagerMute(name=host, suite=suite, pid=found.pid, how=_how(found, manager.state), killall=killall)


def _how(found: Record, state: str) -> str:
    seconds = (record.now() - found.until) / 100 + limits.STALE_BEATS * limits.BEAT
    return (STANDS if state in STANDING else MUTE).format(state=state, seconds=seconds)
