"""A limit for what has none of its own: a program on a node that hangs must not hold a campaign of hours for ever."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from bansho.drill.errors import Overdue

AGAIN = 300.0
"""Seconds until the limit strikes again, where what should be ended waits once more."""


@contextmanager
def limited(seconds: float, what: str) -> Iterator[None]:
    """Raises Overdue in the block after so many seconds, wherever it is. For the main thread; an older alarm stays."""

    def late(*_: object) -> NoReturn:
        raise Overdue(what=what, limit=seconds)

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, late)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)), interval)
