"""Which process is meant: (pid, start time) on one boot. A bare pid lies after reuse."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bansho.process import fresh

STATE, PARENT, GROUP, SESSION, START_TICKS = 0, 1, 2, 3, 19
"""Positions in `/proc/PID/stat` after the program's name: its fields 3 to 6 and 22."""
STAT_BYTES = 4096


class Stat(NamedTuple):
    """What `/proc/PID/stat` says of a process."""

    pid: int
    program: str
    state: str
    parent: int
    ticks: int
    """When it started, in clock ticks since the boot."""
    group: int = 0
    """Its process group, and the session that this is in; 0: of another pid namespace."""
    session: int = 0

    @property
    def ended(self) -> bool:
        """Whether it is only a zombie."""
        return self.state in fresh.ENDED


def parse(pid: int, text: str) -> Stat:
    """The stat line of `pid`. The program's name may itself hold spaces and parentheses."""
    before, _, after = text.rpartition(") ")
    fields = after.split()
    numbers = [int(fields[place]) for place in (PARENT, START_TICKS, GROUP, SESSION)]
    return Stat(pid, before.partition("(")[2], fields[STATE], *numbers)


def stat(pid: int) -> Stat | None:
    """The process `pid` now, or None where there is none."""
    try:
        return parse(pid, fresh.content(f"/proc/{pid}/stat", STAT_BYTES).decode(errors="replace"))
    except (OSError, ValueError, IndexError):
        return None


def pids() -> list[int]:
    """Every process on this node."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - a path for each costs more


def lives(pid: int, ticks: int) -> bool:
    """Whether the process that started at `ticks` is still there, and no zombie."""
    now = stat(pid)
    return now is not None and now.ticks == ticks and not now.ended


@contextmanager
def opened(process: Stat) -> Iterator[int]:
    """A descriptor of this very process: opened first, then looked at again, so that no reused pid passes.

    Raises ProcessLookupError where it has ended.
    """
    descriptor = os.pidfd_open(process.pid)
    try:
        if not lives(process.pid, process.ticks):
            raise ProcessLookupError
        yield descriptor
    finally:
        os.close(descriptor)


def send(process: Stat, number: signal.Signals) -> None:
    """Signals this very process, where it lives and we may."""
    with suppress(OSError), opened(process) as descriptor:
        signal.pidfd_send_signal(descriptor, number)


def boot_id() -> str:
    """Which boot of this node it is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def own_ticks() -> int:
    """When this process started."""
    me = stat(os.getpid())
    assert me is not None, "a process sees itself"  # noqa: S101
    return me.ticks


def age(process: Stat) -> float:
    """Seconds since it started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - process.ticks / os.sysconf("SC_CLK_TCK")
