"""A search: random commands and faults against a real suite, and after each step everything that must hold then.

What is true is read from /proc here, without the product. A failure prints its steps and its seed; these repeat it and
search longer:

    BANSHO_SEED=7 BANSHO_EXAMPLES=50 BANSHO_STEPS=30 pytest tests/commands/test_stateful.py
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.commands.suites import Suite, eventually, service, steady
from tests.house import House

from bansho.logicalhost import lease
from bansho.process import cgroup, identity, spawning

SEED, EXAMPLES, STEPS = (
    int(os.environ.get(f"BANSHO_{name}", default))
    for name, default in (("SEED", "1"), ("EXAMPLES", "8"), ("STEPS", "15"))
)
SETTLING = 25.0
"""Seconds within which the status must come to agree with the truth; far beyond two beats, for a busy machine."""
LEFT = {"notify", "order.lock", "spmd.lock", "spmd.log"}
"""What may stay in a suite's run-time folder."""
SERVICES = ("plain", "beating", "forking")
WATCHED = "beating"


class Truth(NamedTuple):
    """What lives of the suite, as /proc has it."""

    managers: frozenset[int]
    guardians: frozenset[int]
    members: frozenset[int]
    """What services started, their first processes among them."""
    services: frozenset[tuple[str, int]]
    """The services' first processes."""
    frozen: frozenset[int]


def environment(pid: int) -> dict[str, str]:
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def look(mark: str) -> Truth:
    """The processes with the suite's mark that are no zombies."""
    managers: set[int] = set()
    guardians: set[int] = set()
    members: set[int] = set()
    services: set[tuple[str, int]] = set()
    frozen: set[int] = set()
    for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
        variables = environment(pid)
        if variables.get("BANSHO_MARK") != mark:
            continue
        try:
            name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(") ")
        except OSError:
            continue
        state, _, _, session = rest.split()[:4]
        if state in "ZX":
            continue
        (members if "BANSHO_SERVICE" in variables else managers if name == "jbs_spmd" else guardians).add(pid)
        if state == "T":
            frozen.add(pid)
        if "BANSHO_SERVICE" in variables and int(session) == pid:
            services.add((variables["BANSHO_SERVICE"], pid))
    return Truth(frozenset(managers), frozenset(guardians), frozenset(members), frozenset(services), frozenset(frozen))


def expected(truth: Truth, aim: str) -> set[int]:
    """The values of 3.2 that `truth` allows once it no longer changes. `aim`: up, down, or either."""
    if not truth.managers:
        return {4} if truth.members else {8}
    if truth.managers & truth.frozen:
        return {1, 12}
    if aim == "down":
        return set()
    running = {name for name, pid in truth.services if name != WATCHED or pid not in truth.frozen}
    return {0} if running == set(SERVICES) else {4}


@seed(SEED)
class Machine(RuleBasedStateMachine):
    """One suite and what was done to it."""

    def __init__(self) -> None:
        super().__init__()
        note(f"BANSHO_SEED={SEED}")
        self.house = House(Path(tempfile.mkdtemp(prefix="b-", dir="/tmp")))
        os.environ.update(BANSHO_ETC=str(self.house.etc), BANSHO_RUN=str(self.house.run))
        self.host = f"h{self.house.root.name}"
        self.house.define(self.host)
        self.suite = Suite(self.house, self.host)
        self.mark = str(self.suite.folder)
        self.aim = "up"
        self.queued = False
        """An order waits for the frozen manager to wake up."""
        self.descriptors: dict[int, int] = {}
        self.fallen: set[tuple[str, int]] = set()
        """Services that were killed: they may not come back under the same manager."""
        self.write()

    def write(self, *more: str) -> None:
        self.suite.write(
            steady("plain"),
            service("beating", "ready", "beat=0.1", "wait", after=["plain"], watchdog=1),
            service("forking", "escapee=orphan", "ready", "wait"),
            *more,
        )

    def truth(self) -> Truth:
        return look(self.mark)

    def ordered(self, ended: "subprocess.CompletedProcess[str]") -> str:
        assert ended.returncode == 0, ended
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended.stderr

    # commands

    @initialize()
    def begin(self) -> None:
        self.start()
        assert self.suite.value == 0

    def order(self, verb: Callable[..., "subprocess.CompletedProcess[str]"], aim: str) -> None:
        before = self.truth()
        frozen = bool(before.managers & before.frozen)
        said = self.ordered(verb("--timeout", "0.3") if frozen else verb("--timeout", "20"))
        if before.members and not before.managers:
            assert "BSHO2005-E" in said
            assert self.truth().members == before.members
            return
        assert frozen == ("still under way" in said)
        self.queued |= frozen
        self.aim = aim

    @rule()
    def start(self) -> None:
        self.order(self.suite.start, "up")

    @rule()
    def stop(self) -> None:
        before = self.truth()
        self.order(self.suite.stop, "down")
        if not before.managers & before.frozen and (before.managers or not before.members):
            self.nothing_is_left()

    @rule(verbs=st.lists(st.sampled_from(["start", "stop"]), min_size=2, max_size=4))
    def several_at_once(self, verbs: list[str]) -> None:
        now = self.truth()
        if now.frozen or (now.members and not now.managers):
            return
        commands = [self.suite.popen(f"{verb}.cluster", "--timeout", "20") for verb in verbs]
        for command in commands:
            _, said = command.communicate()
            assert command.returncode == 0, said
            assert "Traceback" not in said
        self.aim = {"start": "up", "stop": "down"}[verbs[0]] if len(set(verbs)) == 1 else "either"
        if "stop" in verbs:
            self.fallen.clear()

    @rule(times=st.integers(1, 2))
    def killall(self, times: int) -> None:
        for _ in range(times):
            ended = self.suite.killall()
            assert ended.returncode == 0, ended.stderr
        self.nothing_is_left()

    @rule()
    def reload(self) -> None:
        now = self.truth()
        if not now.managers & now.frozen:
            self.write(steady("spare", enabled=False))
            assert self.suite.reload().returncode == (0 if now.managers else 1)

    # faults

    @rule(name=st.sampled_from(SERVICES), number=st.sampled_from([signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT]))
    def signal_service(self, name: str, number: signal.Signals) -> None:
        for found, pid in self.truth().services:
            if found == name:
                os.kill(pid, number)
                if number is signal.SIGKILL:
                    self.fallen.add((name, pid))
                    self.wait_for_state(pid, "ZX")

    @rule(number=st.sampled_from([signal.SIGKILL, signal.SIGSTOP]))
    def strike_manager(self, number: signal.Signals) -> None:
        for pid in self.truth().managers:
            os.kill(pid, number)
            self.wait_for_state(pid, "ZX" if number is signal.SIGKILL else "T")
            self.queued = self.queued and number is not signal.SIGKILL

    @rule()
    def kill_guardian(self) -> None:
        for pid in self.truth().guardians:
            os.kill(pid, signal.SIGKILL)
            self.wait_for_state(pid, "ZX")

    def wait_for_state(self, pid: int, states: str) -> None:
        """Waits until a signal has done its work; a process that is gone is in every state."""

        def reached() -> bool:
            stat = identity.stat(pid)
            return stat is None or stat.state in states

        eventually(reached)

    @rule()
    def wake_manager(self) -> None:
        for pid in self.truth().managers:
            os.kill(pid, signal.SIGCONT)
            self.wait_for_state(pid, "RSDZX")
        if self.queued:
            self.aim, self.queued = "either", False
            self.fallen.clear()

    # what must hold

    def nothing_is_left(self) -> None:
        truth = self.truth()
        assert not truth.managers | truth.guardians | truth.members, truth
        assert {path.name for path in self.suite.folder.iterdir()} - {"well"} == LEFT
        assert not list((self.suite.folder / "notify").iterdir())
        assert spawning.free(f"{self.mark}/spmd.lock")
        assert spawning.free(f"{self.mark}/order.lock")
        own = cgroup.own()
        assert not own or not list(own.glob(f"bansho.{self.host}.*"))
        now = lease.read(self.house.shared)
        assert now is None or not now.held
        self.fallen.clear()
        self.descriptors.clear()
        self.aim, self.queued = "either", False

    @invariant()
    def the_status_is_the_truth(self) -> None:
        until = time.monotonic() + SETTLING
        while True:
            before, value, after = self.truth(), self.suite.value, self.truth()
            if before == after and value in expected(before, self.aim):
                break
            assert time.monotonic() < until, f"{value} instead of {expected(after, self.aim)}: {after}"
            time.sleep(0.02)
        assert not {pid for name, pid in after.services if name in {fallen for fallen, _ in self.fallen}}, "restarted"
        self.nobody_leaks(after)

    def nobody_leaks(self, truth: Truth) -> None:
        """While all services live, a manager has as many descriptors as when it first had them all."""
        for pid in truth.managers - truth.frozen if len(truth.services) == len(SERVICES) else ():
            eventually(partial(self.has_no_more_than, pid, self.descriptors.setdefault(pid, self.count(pid))))

    def has_no_more_than(self, pid: int, wanted: int) -> bool:
        return self.count(pid) <= wanted

    def count(self, pid: int) -> int:
        """Open descriptors, but for what the lease's keeper opens for a moment."""
        try:
            links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            return self.count(pid)
        return sum(not link.endswith("/lease") for link in links)

    def teardown(self) -> None:
        self.suite.killall()
        truth = self.truth()
        for pid in truth.managers | truth.guardians | truth.members:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.house.root, ignore_errors=True)


TestSearch = pytest.mark.timeout(60 * EXAMPLES)(Machine.TestCase)
TestSearch.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
