"""Operation monitoring without a record that speaks: what lives, and since when, decides."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house import House

from bansho.contract import limits
from bansho.logicalhost import definition
from bansho.process import cgroup, identity, observation, proctree
from bansho.process.folder import Folder
from bansho.process.identity import Stat
from bansho.process.proctree import Process

MANAGER, GUARDIAN, SERVICE = "jbs_spmd", "jbs_spmd_guard", "sleep"
OLD = limits.LOST_BEATS * limits.BEAT
"""Seconds after which a process manager has had its time to speak."""
LIVING: dict[str, tuple[list[str], float, int | None]] = {
    "nothing": ([], 0, None),
    "a process manager that begins": ([MANAGER, GUARDIAN], 0, 12),
    "one that has had its time to speak": ([MANAGER, GUARDIAN, SERVICE], OLD, 1),
    "the guardian alone": ([GUARDIAN], 0, 12),
    "services alone": ([SERVICE], 0, 4),
    "services and the guardian": ([GUARDIAN, SERVICE], 0, 4),
}


@pytest.mark.parametrize(("programs", "age", "value"), LIVING.values(), ids=LIVING)
def test_what_lives_decides(programs: list[str], age: float, value: int | None) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    ticks = int((now - age) * os.sysconf("SC_CLK_TCK"))
    stats = [Stat(pid, program, "S", 1, ticks) for pid, program in enumerate(programs, 6)]
    found = observation._living([Process(stat, "mark", SERVICES.get(stat.program)) for stat in stats])
    assert (found and found[0]) == value


SERVICES = {SERVICE: "one"}
"""Which service a program is of."""


HEADLESS = """
import ctypes, os, pathlib, sys, threading
pathlib.Path(sys.argv[1], "cgroup.procs").write_text("0")
threading.Thread(target=sys.stdin.read).start()
ctypes.CDLL(None).syscall(60, 0)  # exit: of this thread alone
"""


@pytest.fixture
def headless() -> Iterator[Path]:
    """A control group with a process whose first thread has ended: for who looks at /proc it is a zombie."""
    parent = cgroup.own()
    if parent is None or os.geteuid() != 0:
        pytest.skip("no control group can be made here")
    group = parent / f"bansho.test.{os.getpid()}"
    group.mkdir()
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", HEADLESS, group], stdin=subprocess.PIPE) as process:
        while (stat := identity.stat(process.pid)) and not stat.ended:
            os.sched_yield()
        yield group
        process.communicate(b"")
    assert cgroup.wait_empty(group, 10)
    cgroup.remove(group)


def test_what_only_the_kernel_sees_is_no_stopped_suite(house: House, headless: Path) -> None:
    house.define()
    folder = Folder(house.run / "watch" / "base")
    folder.create()
    folder.write_cgroup(headless)
    assert proctree.members(proctree.snapshot(), folder.mark, cgroup.processes(headless)) == {}
    answer = observation.observe(definition.load("watch"), "base", 10)
    assert (answer.value, answer.text.rpartition(": ")[2]) == (
        4,
        "the process manager is dead and processes of its control group live",
    )
