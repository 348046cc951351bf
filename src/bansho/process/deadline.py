"""A limit on whatever a command waits for: at its end the wait is broken off, also in the middle of a system call.

For commands, which have one thread; the kernel's alarm does it. What waits for a dead disk cannot be broken off:
commands leave that to the process manager, or to `bounded`.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Passed(Exception):
    """Raised in the middle of the wait when the limit has passed."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raises Passed inside the block after `seconds`. Deadlines do not nest."""
    before = signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _alarm(_signum: int, _frame: FrameType | None) -> None:
    raise Passed
