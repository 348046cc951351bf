"""The guardian: the process manager's parent, which collects the orphans of the suite for as long as one lives.

A process that leaves its parent becomes the guardian's child, not init's, also when the process manager is dead: so
every process that the suite ever started descends from the guardian. It does nothing else, so that nothing happens to
it, and it holds the lock file open, so that the lock is free only when all have gone. Standard library only.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from bansho.process import cgroup, identity
from bansho.process.proctree import GUARDIAN

PR_SET_CHILD_SUBREAPER = 36


def stand(program: str, group: Path | None, *descriptors: int) -> None:
    """Splits this process in two: returns in the child alone; the parent is the guardian.

    It closes the `descriptors`, collects until no child is left, removes the control group and ends.
    """
    import ctypes  # not above: a status, which only asks for names, need not pay for it

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        return
    name(program[: 15 - len(GUARDIAN)] + GUARDIAN)
    for descriptor in descriptors:
        os.close(descriptor)
    with suppress(ChildProcessError):
        while True:
            os.wait()
    if group:
        cgroup.leave(group.parent)
        cgroup.remove(group)
    os._exit(0)


def wake() -> None:
    """Lets this process's guardian go on, where a signal stopped it: its end frees the lock that a stop waits for."""
    parent = identity.stat(os.getppid())
    if parent and parent.program.endswith(GUARDIAN):
        with suppress(ProcessLookupError):
            os.kill(parent.pid, signal.SIGCONT)


def name(program: str) -> None:
    """Sets this process's program name, of which the kernel keeps 15 bytes."""
    Path("/proc/self/comm").write_text(program)
