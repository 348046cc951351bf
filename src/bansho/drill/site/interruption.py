"""Ctrl-C may end a drill at any moment, and may not cut short what gives everything back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@contextmanager
def undisturbed() -> Iterator[None]:
    """Holds signals back until the block is over, from this thread and from the programs that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
