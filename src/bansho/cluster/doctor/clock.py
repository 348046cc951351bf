"""The node's clock, as the kernel judges it."""

import ctypes
import os
from collections.abc import Iterator

from bansho.cluster.doctor.finding import CannotTell, Finding, Subject, right, warning

CLOCK_ERROR = 5
"""TIME_ERROR of adjtimex(2): nothing disciplines the clock."""
TIMEX_BYTES = 512
"""More than `struct timex` has on any machine; all zeros asks and changes nothing."""


def look(subject: Subject) -> Iterator[Finding]:  # noqa: ARG001 - the same for every logical host
    """Whether something keeps the clock right."""
    yield judged(state())


def state() -> int:
    """What the kernel says of its clock. Raises CannotTell."""
    library = ctypes.CDLL(None, use_errno=True)
    found: int = library.adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    if found < 0:
        raise CannotTell(f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return found


def judged(state: int) -> Finding:
    """The finding for a state of the clock."""
    if state == CLOCK_ERROR:
        return warning("nothing keeps this node's clock right", "run chrony or another time service on every node")
    return right("the clock is kept by a time service")
