"""A search: random commands and faults against a real suite, and after each step everything that must hold then.

What is true is read from /proc here, without the product. A failure prints its steps and its seed; these repeat it and
search longer:

    BANSHO_SEED=7 BANSHO_EXAMPLES=50 BANSHO_STEPS=30 pytest tests/commands/test_stateful.py
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_UN, flock
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.commands.suites import Suite, eventually, service, steady
from tests.house import House

from bansho.contract.limits import BEAT, LOST_BEATS, RETURN_SLACK, STALE_BEATS
from bansho.logicalhost import lease
from bansho.process import cgroup, identity, record, spawning

SEED, EXAMPLES, STEPS = (
    int(os.environ.get(f"BANSHO_{name}", default))
    for name, default in (("SEED", "1"), ("EXAMPLES", "8"), ("STEPS", "15"))
)
SETTLING = 25.0
"""Seconds within which the status must come to agree with the truth; far beyond two beats, for a busy machine."""
LEFT = {"notify", "order.lock", "spmd.lock", "spmd.log"}
"""What may stay in a suite's run-time folder."""
WORKING = LEFT | {"record", "control.sock", "cgroup", "well"}
"""What may be there while something of the suite lives."""
SERVICES = ("plain", "beating", "forking", "slow")
SIGNALLED = SERVICES[:3]
WATCHED, SLOW = "beating", "slow"
SHARED = {"conf/base.toml", "lease", "log/takeover.jsonl"} | {f"log/base.{name}.log" for name in SERVICES}
"""All that a suite may have in its shared directory."""
PATIENT, HASTY = 20.0, 0.3
"""Seconds: time-outs that all orders keep, and none to a process manager or a service that does not go on."""
LIMIT = 1.0
"""Seconds: the start limit of the slow service and the stop limit of all."""
BARE = [sys.executable, "-I", "-S", "-c", "pass"]
BARES = 10
"""A command takes some time before and after what its limit bounds: so many times a bare interpreter's at most, beside
it and right after it."""
MECHANISMS = ["process tree"] if cgroup.own() is None else ["control group", "process tree"]


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


def expected(truth: Truth, aim: str, unready: Collection[int]) -> set[int]:
    """The values of 3.2 that `truth` allows once it no longer changes. `aim`: up, down, or either.

    12 is none of them: nothing that is under way here lasts as long as the search waits.
    """
    if not truth.managers:
        return {4} if truth.members else {8}
    if aim == "down":
        return set()
    hung = {pid for name, pid in truth.services if name == WATCHED} & truth.frozen
    running = {name for name, pid in truth.services if pid not in hung and pid not in unready}
    return {0} if running == set(SERVICES) else {4}


def outrun(pid: int | str = "self") -> float:
    """Seconds that a process was ready to run, and others ran."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def held_open(directory: Path) -> set[str]:
    """What any process has open there: "pid path"."""
    found = set()
    for link in (*Path("/proc").glob("[0-9]*/fd/*"), *Path("/proc").glob("[0-9]*/cwd")):
        with suppress(OSError):
            if link.readlink().is_relative_to(directory):
                found.add(f"{link} {link.readlink()}")
    return found


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


def present(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Latch:
    """A file: whoever has to pass through waits, in the kernel, for as long as it is shut."""

    def __init__(self, path: Path) -> None:
        self.path, self.is_shut = path, False
        self._file = path.open("w")

    def shut(self, *, shut: bool) -> None:
        flock(self._file, LOCK_EX if shut else LOCK_UN)
        self.is_shut = shut

    def close(self) -> None:
        self._file.close()


something = precondition(lambda self: self.seen.members | self.seen.managers)
"""There is something of the suite to strike."""


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
        self.start_latch, self.stop_latch = (Latch(self.house.root / name) for name in ("slow-start", "slow-stop"))
        self.aim = "up"
        self.frozen_at = 0.0
        self.through: set[int] = set()
        """Processes of the slow service that have come up."""
        self.queued = False
        """An order waits for the frozen manager to wake up."""
        self.descriptors: dict[int, int] = {}
        self.fallen: set[tuple[str, int]] = set()
        """Services that were killed: they may not come back under the same manager."""
        self.write()
        self.settled = self.truth()

    def write(self, *more: str) -> None:
        start, stop = f"hold={self.start_latch.path}", f"term-hold={self.stop_latch.path}"
        self.suite.write(
            steady("plain", stop_limit=LIMIT),
            service("beating", "ready", "beat=0.1", "wait", after=["plain"], watchdog=1, stop_limit=LIMIT),
            service("forking", "escapee=orphan", "ready", "wait", stop_limit=LIMIT),
            service(SLOW, stop, start, "ready", "wait", start_limit=LIMIT, stop_limit=LIMIT),
            *more,
        )

    def truth(self) -> Truth:
        self.seen = look(self.mark)
        return self.seen

    # commands

    @initialize(mechanism=st.sampled_from(MECHANISMS))
    def begin(self, mechanism: str) -> None:
        os.environ[cgroup.WITHOUT] = "1" if mechanism == "process tree" else ""
        self.neighbour = Suite(self.house.beside("other"), f"n{self.host}")
        self.neighbour.house.define(self.neighbour.host)
        self.neighbour.write(steady("one"), service("two", "escapee=setsid+orphan", "ready", "wait"))
        self.neighbour.start()
        self.start()
        self.suite.wait_for(0)
        assert bool((self.suite.folder / "cgroup").read_text().strip()) == (mechanism == "control group")
        eventually(lambda: len(look(str(self.neighbour.folder)).members) == 3)
        self.untouched = look(str(self.neighbour.folder))

    def ordered(self, verb: str, timeout: float) -> str:
        """What the command said; it came back in time, but for when others had their turn on a busy machine."""
        began, before = time.monotonic(), outrun()
        bare = subprocess.Popen(BARE)
        command = self.suite.popen(f"{verb}.cluster", "--timeout", str(timeout))
        bare.wait()
        beside = time.monotonic() - began
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
        ended = time.monotonic()
        took = ended - began - outrun(command.pid) - (outrun() - before)
        _, said = command.communicate()
        subprocess.run(BARE, check=True)
        allowed = timeout + RETURN_SLACK + BARES * (beside + time.monotonic() - ended)
        assert took <= allowed, f"{verb} took {took:.2f} s, allowed are {allowed:.2f} s"
        assert command.returncode == 0, said
        assert "Traceback" not in said, said
        return said

    def order(self, verb: str, aim: str) -> None:
        before = self.truth()
        frozen = bool(before.managers & before.frozen)
        shut = self.start_latch.is_shut or self.stop_latch.is_shut
        said = self.ordered(verb, HASTY if frozen or shut else PATIENT)
        if before.members and not before.managers:
            assert "BSHO2005-E" in said
            assert self.truth().members == before.members
            return
        under_way = "still under way" in said
        assert under_way if frozen else shut or not under_way, said
        if aim == self.aim == "up":
            self.nothing_changed(before)
        self.queued |= frozen
        self.aim = aim

    def nothing_changed(self, before: Truth) -> None:
        """By one more start: unless the one before it is still under way."""
        now = self.truth()
        if before.managers and before == self.settled:
            assert (now.managers, now.services) == (before.managers, before.services), before

    @rule(verb=st.sampled_from(["start", "stop", "killall", "reload"]), times=st.integers(1, 2))
    def command(self, verb: str, times: int) -> None:
        for _ in range(times):
            getattr(self, verb)()

    def start(self) -> None:
        self.order("start", "up")

    def stop(self) -> None:
        before = self.truth()
        self.order("stop", "down")
        if not before.managers & before.frozen and (before.managers or not before.members):
            if self.stop_latch.is_shut or self.start_latch.is_shut:
                eventually(lambda: not self.truth().managers, SETTLING)
            self.nothing_is_left()

    @rule(which=st.sampled_from(["start_latch", "stop_latch"]))
    def toggle(self, which: str) -> None:
        """From now on the slow service does not come up, or does not go down, until this comes again."""
        latch: Latch = getattr(self, which)
        latch.shut(shut=not latch.is_shut)

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
        if self.aim == "up" and "stop" not in verbs:
            self.nothing_changed(now)
        self.aim = {"start": "up", "stop": "down"}[verbs[0]] if len(set(verbs)) == 1 else "either"
        if "stop" in verbs:
            self.fallen.clear()

    def killall(self) -> None:
        ended = self.suite.killall()
        assert ended.returncode == 0, ended.stderr
        self.nothing_is_left()

    def reload(self) -> None:
        now = self.truth()
        if not now.managers & now.frozen:
            self.write(steady("spare", enabled=False))
            assert self.suite.reload().returncode == (0 if now.managers else 1)

    # faults

    @something
    @rule(name=st.sampled_from(SIGNALLED), number=st.sampled_from([signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT]))
    def signal_service(self, name: str, number: signal.Signals) -> None:
        for found, pid in self.truth().services:
            if found == name:
                os.kill(pid, number)
                if number is signal.SIGKILL:
                    self.fallen.add((name, pid))
                    self.wait_for_state(pid, "ZX")

    @something
    @rule(fault=st.sampled_from(["kill_manager", "freeze_manager", "wake_manager", "kill_guardian"]))
    def strike(self, fault: str) -> None:
        getattr(self, fault)()

    def kill_manager(self) -> None:
        for pid in self.truth().managers:
            os.kill(pid, signal.SIGKILL)
            self.wait_for_state(pid, "ZX")
            self.queued = False

    def freeze_manager(self) -> None:
        """For so long that its beat is missed; when it is frozen already, for so long that it is lost."""
        truth = self.truth()
        for pid in truth.managers:
            if pid not in truth.frozen:
                os.kill(pid, signal.SIGSTOP)
                self.wait_for_state(pid, "T")
                self.frozen_at = time.monotonic()
            self.pass_time(LOST_BEATS if pid in truth.frozen else STALE_BEATS)

    def pass_time(self, beats: int) -> None:
        """The frozen manager's record is made that much older: nobody but itself writes it."""
        path = self.suite.folder / "record"
        found = record.read(path)
        assert found is not None
        record.write(path, found._replace(until=max(0, found.until - round(beats * BEAT * 100))))
        self.frozen_at -= beats * BEAT

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
        assert present(self.suite.folder) - {"well"} == LEFT
        assert not list((self.suite.folder / "notify").iterdir())
        assert spawning.free(f"{self.mark}/spmd.lock")
        assert spawning.free(f"{self.mark}/order.lock")
        assert not held_open(self.house.shared)
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
            began, before, value, after = time.monotonic(), self.truth(), self.suite.value, self.truth()
            allowed = self.allowed(after, began)
            if before == after and value in allowed:
                break
            assert time.monotonic() < until, f"{value} instead of {allowed}: {after}"
            time.sleep(0.02)
        assert not {pid for name, pid in after.services if name in {fallen for fallen, _ in self.fallen}}, "restarted"
        self.settled = after
        self.nobody_leaks(after)

    def allowed(self, truth: Truth, began: float) -> set[int]:
        """The values that a status may have which was asked at `began` and has answered now."""
        slow = {pid for name, pid in truth.services if name == SLOW}
        self.unready = slow - self.through if self.start_latch.is_shut else set()
        self.through = slow - self.unready
        if not truth.managers & truth.frozen:
            return expected(truth, self.aim, self.unready)
        lost = self.frozen_at + LOST_BEATS * BEAT
        if began > lost:
            return {1}
        return {12} if time.monotonic() < lost - STALE_BEATS * BEAT else {1, 12}

    @invariant()
    def nothing_is_strewn_about(self) -> None:
        """No temporary file stays, here or on the shared disk; what is written just now is there for a moment."""
        shared, folder = self.house.shared, self.suite.folder
        eventually(lambda: files(shared) <= SHARED, what=lambda: str(files(shared)))
        half = {"record.new"} if self.truth().frozen else set()
        eventually(lambda: present(folder) <= WORKING | half, what=lambda: str(present(folder)))

    @invariant()
    def the_neighbour_is_left_alone(self) -> None:
        assert look(str(self.neighbour.folder)) == self.untouched
        eventually(lambda: self.neighbour.value == 0)

    def nobody_leaks(self, truth: Truth) -> None:
        """While all services live, a manager has as many descriptors as when it first had them all."""
        for pid in truth.managers - truth.frozen if len(truth.services) == len(SERVICES) else ():
            eventually(partial(self.has_no_more_than, pid, self.descriptors.setdefault(pid, self.count(pid))))

    def has_no_more_than(self, pid: int, wanted: int) -> bool:
        return self.count(pid) <= wanted

    def count(self, pid: int) -> int:
        """Open descriptors, but for what the lease's keeper opens for a moment, and what is held while all is well."""
        try:
            links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            return self.count(pid)
        return sum(not link.endswith(("/lease", "/well")) for link in links)

    def teardown(self) -> None:
        self.suite.killall()
        self.neighbour.killall()
        truth = self.truth()
        for pid in truth.managers | truth.guardians | truth.members:
            os.kill(pid, signal.SIGKILL)
        os.environ.pop(cgroup.WITHOUT, None)
        for latch in (self.start_latch, self.stop_latch):
            latch.close()
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
