"""An answer within a limit, whatever hangs: the work is a child's, and one that hangs in the kernel is left behind."""

import os
import select
import signal
from collections.abc import Callable

LONGEST = 1 << 16


def within(limit: float, work: Callable[[], bytes]) -> bytes | None:
    """What `work` returns, in a child process; None where it does not within `limit` seconds, b"" where it fails.

    For a single-threaded caller. A disk that does not answer makes a process unkillable until it answers again, and
    neither a signal nor a thread would get the caller out; a child can be abandoned.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _child(writer, work)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], limit)
    answer = os.read(reader, LONGEST) if ready else None
    os.kill(child, signal.SIGKILL)
    return answer


def _child(writer: int, work: Callable[[], bytes]) -> None:
    """Lets go of the caller's output first: who reads that must not wait for us."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    try:
        os.write(writer, work())
    finally:
        os._exit(0)
