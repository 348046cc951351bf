"""A monitor that waits at our own suite: it ends with the failure, waits only where it may, tells a failure once."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cluster.own import GENERIC, NOT_RUNNING, SUCCESS, OwnNode
from tests.nodes import until

from bansho.cluster.agent.deadline import Deadline
from bansho.cluster.agent.notes import RECOVERS_WITHIN, TOLD, Notes
from bansho.logicalhost.places import NodePlaces
from bansho.process.well import Well

if TYPE_CHECKING:
    from tests.house import House

LONG = "1000"
"""Seconds that no test waits for: who waits so long and yet comes back was woken."""


@pytest.fixture
def own(house: "House") -> Iterator[OwnNode]:
    own = OwnNode(house)
    assert own.call("start")[0] == SUCCESS
    yield own
    own.end()


def folder() -> Path:
    return NodePlaces.of("watch").suite("base")


def held() -> bool:
    """Whether the process manager holds the lock."""
    return subprocess.run(["flock", "--shared", "--nonblock", folder() / "well", "true"], check=False).returncode == 1


class Waiting:
    """A monitor that waits at the suite."""

    def __init__(self, own: OwnNode) -> None:
        assert own.call("monitor", wait=LONG)[0] == SUCCESS, "the first one of all comes back at once"
        self.process = own.begin("monitor", wait=LONG)
        until(self.waits)

    def waits(self) -> bool:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return any(Path(f"/proc/{each}/comm").read_text() == "flock\n" for each in children)

    def ended(self) -> tuple[int, str]:
        said = self.process.communicate(timeout=60)[1]
        return self.process.returncode, said


def test_a_failed_service_ends_the_wait(own: OwnNode) -> None:
    waiting = Waiting(own)
    os.kill(own.holders()["one"], signal.SIGKILL)
    value, said = waiting.ended()
    assert value == GENERIC
    assert "answered 4" in said


def test_the_death_of_the_process_manager_ends_the_wait(own: OwnNode) -> None:
    waiting = Waiting(own)
    manager = os.pidfd_open(int((folder() / "record").read_text().split()[4]))
    signal.pidfd_send_signal(manager, signal.SIGKILL)
    assert select.select([manager], [], [], 30)[0], "killed, and not ended"
    os.close(manager)
    value, said = waiting.ended()
    assert (value, "answered 4" in said) == (GENERIC, True), said


def test_a_stop_ends_the_wait_and_leaves_no_lock(own: OwnNode) -> None:
    waiting = Waiting(own)
    assert own.call("stop")[0] == SUCCESS
    assert waiting.ended()[0] in (GENERIC, NOT_RUNNING)
    assert not held()


def test_the_wait_ends_by_itself_where_nothing_happens(own: OwnNode) -> None:
    own.call("monitor", wait="0.1")
    assert own.call("monitor", wait="0.1") == (SUCCESS, "")
    assert held()


def test_the_first_monitor_after_a_pause_comes_back_at_once(own: OwnNode) -> None:
    """Or the cluster would wait for it before it did anything else."""
    own.call("monitor", wait=LONG)
    seconds = int(float(Path("/proc/uptime").read_text().split()[0]))
    (folder() / "monitored").write_text(f"{seconds - 4}\n")
    assert own.call("monitor", wait=LONG) == (SUCCESS, "")
    assert own.call("start")[0] == SUCCESS
    assert own.call("monitor", wait=LONG) == (SUCCESS, ""), "a new life begins with each start"


def test_a_monitor_that_was_ended_while_it_waited_makes_the_next_one_a_first_one(own: OwnNode) -> None:
    waiting = Waiting(own)
    os.killpg(waiting.process.pid, signal.SIGKILL)
    waiting.ended()
    assert own.call("monitor", wait=LONG) == (SUCCESS, "")


def test_a_spoilt_note_costs_the_wait_and_nothing_else(own: OwnNode) -> None:
    for text in ("", "x", "-5", "99999999999", "1 2 3", "$(touch /tmp/x)"):
        (folder() / "monitored").write_text(text)
        assert own.call("monitor", wait=LONG) == (SUCCESS, "")


def test_without_the_wait_nobody_waits_and_nothing_is_written(own: OwnNode) -> None:
    for _ in range(2):
        assert own.call("monitor") == (SUCCESS, "")
    assert not (folder() / "monitored").exists()
    assert own.call("monitor", wait=LONG)[0] == SUCCESS
    assert own.call("monitor", interval=0, wait=LONG)[0] == SUCCESS, "a probe never waits"


def test_a_failure_that_was_told_is_not_told_again_while_its_recovery_is_due(own: OwnNode) -> None:
    os.kill(own.holders()["one"], signal.SIGKILL)
    until(lambda: not held())
    assert own.call("monitor")[0] == GENERIC
    again = own.begin("monitor", wait=LONG)
    assert own.call("stop")[0] == SUCCESS
    assert again.poll() is None, "it holds its answer back: partly stopped, then stopped, would be two failures"
    os.killpg(again.pid, signal.SIGKILL)  # what Pacemaker does to a monitor when it stops what that looks at
    again.communicate()
    assert own.call("start")[0] == SUCCESS
    os.kill(own.holders()["one"], signal.SIGKILL)
    until(lambda: not held())
    assert own.call("monitor")[0] == GENERIC, "after a start the next failure is told at once"


class Recorded(Deadline):
    """A deadline that only notes how long it is to wait."""

    def __init__(self) -> None:
        super().__init__(60.0, action="monitor", suite="base", host="watch")
        self.paused: list[float] = []

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)


def test_a_recovery_has_its_time_from_when_the_failure_was_told(tmp_path: Path) -> None:
    notes, deadline = Notes(tmp_path / "base"), Recorded()
    notes.tell_once(deadline)
    notes.tell_once(deadline)
    assert deadline.paused[0] == 0
    assert 0 < deadline.paused[1] <= RECOVERS_WITHIN
    (tmp_path / "base" / TOLD).write_text(f"{time.monotonic() - RECOVERS_WITHIN - 1}")
    notes.tell_once(deadline)
    (tmp_path / "base" / TOLD).write_text(f"{time.monotonic() + 1000}")  # of another boot
    notes.tell_once(deadline)
    (tmp_path / "base" / TOLD).write_text("nonsense")
    notes.tell_once(deadline)
    notes.forget()
    notes.tell_once(deadline)
    assert deadline.paused[2:] == [0, 0, 0, 0]


def test_the_lock_is_taken_again_once_nobody_is_being_woken(tmp_path: Path) -> None:
    well = Well(tmp_path / "well")
    with subprocess.Popen(
        ["flock", "--shared", tmp_path / "well", "sh", "-c", "echo; read x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as woken:
        assert woken.stdout is not None
        woken.stdout.readline()
        well.show(well=True)
        woken.communicate(b"\n")
    free = ["flock", "--shared", "--nonblock", str(tmp_path / "well"), "true"]
    assert subprocess.run(free, check=False).returncode == 0
    well.show(well=True)
    assert subprocess.run(free, check=False).returncode == 1
    well.show(well=False)
    assert subprocess.run(free, check=False).returncode == 0
