"""Priority on a busy node: a process manager must beat, and forced termination must outrun, whatever a suite does."""

import os
from contextlib import suppress

MANAGER = -10
TERMINATION = -20
"""Nicenesses. Who ends a suite lives for seconds, and races with whatever forks."""


def rise(niceness: int) -> None:
    """Gives this process that niceness; an ordinary user may not, and does without."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
