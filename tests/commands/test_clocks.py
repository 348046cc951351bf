"""Clocks that jump: the wall clock by an hour both ways, and a node that slept. Limits, beats and values stay true.

The wall clock is libfaketime's (github.com/wolfcw/libfaketime), in the process manager, its services and the commands
alone; it shifts when its file is written. The monotonic clocks are left alone, as when somebody sets a node's clock.
"""

import json
import os
import signal
import subprocess
from pathlib import Path
from threading import Timer

import pytest
from tests.base.service import free_ports
from tests.commands.suites import Suite, eventually, service, steady
from tests.commands.test_status import age_record
from tests.house import COMMANDS

from bansho.base import tokens
from bansho.contract import limits
from bansho.logicalhost import definition
from bansho.process import spawning
from bansho.process.folder import Folder

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
SLEEP, HIDDEN = b"\0clock_nanosleep\0", b"\0clock_nanosleeX\0"
"""The library spoils sleeps until a time of a clock that it leaves alone (0.9.10: EINVAL): libc's own are used."""
HOUR = 3600


class Wall:
    """A wall clock that can be set."""

    def __init__(self, file: Path) -> None:
        assert LIBRARY, "scripts/setup test installs faketime"
        self._file, library = file, file.with_name("faketime.so")
        library.write_bytes(LIBRARY.read_bytes().replace(SLEEP, HIDDEN, 1))  # the first one is in the symbols' table
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, seconds: int) -> None:
        """Makes it differ from the true time by so much."""
        fresh = self._file.with_name("wall.new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file)

    @property
    def toml(self) -> str:
        """The last line of a service that lives by this clock."""
        pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in self.environment.items())
        return f"environment = {{ {pairs} }}\n"


@pytest.fixture
def wall(base: Suite, monkeypatch: pytest.MonkeyPatch) -> Wall:
    """A wall clock for what is started from now on; a process manager does not inherit it, so it is given to it."""
    wall = Wall(base.house.root / "wall")
    for name, value in wall.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(spawning, "KEPT", (*spawning.KEPT, *wall.environment))
    return wall


def begin(suite: Suite) -> None:
    """Starts the suite's process manager as a start does, but with what `spawning.KEPT` has in this test."""
    folder = Folder(suite.folder)
    folder.create()
    with os.fdopen(spawning.spawn(folder.mark, suite.suite, suite.host)) as line:
        assert line.readline() == "listening\n"


def jump(suite: Suite, wall: Wall, seconds: int) -> None:
    """Sets the clock, and waits until the process manager has beaten by it twice."""
    before = since(suite)
    wall.set(seconds)
    eventually(lambda: abs(since(suite) - before) > HOUR / 2, what=lambda: "the clock cannot be set")
    beaten = until(suite)
    eventually(lambda: until(suite) > beaten + 150 * limits.BEAT)


def since(suite: Suite) -> float:
    """Since when the first service is in its state, by the process manager's wall clock."""
    return float(next(iter(suite.services().values()))["since"])


def until(suite: Suite) -> int:
    return int((suite.folder / "record").read_text().split()[6])


FRESH = 100 * limits.STALE_BEATS * limits.BEAT
"""For so long a record is fresh, in hundredths of a second."""


def uptime(*namespace: str) -> float:
    """The time by which a reader in sh judges the record, in hundredths of a second."""
    said = subprocess.run([*namespace, "cat", "/proc/uptime"], capture_output=True, text=True, check=True).stdout
    return float(said.split()[0]) * 100


def states(suite: Suite) -> dict[str, str]:
    return {name: each["state"] for name, each in suite.services().items()}


BEATING = ("ready", "beat=0.1", "wait")
both_ways = pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["forward", "back"])


def test_a_running_suite_does_not_notice(base: Suite, wall: Wall) -> None:
    port, console = free_ports()
    (base.house.shared / "events").mkdir()
    base.house.define(text=f"[ports]\nevent-service = {port}\nconsole = {console}")
    tokens.create(definition.load("watch").shared, "reader", "read")
    events = '[[service]]\nname = "events"\ncommand = ["{python}", "-m", "bansho.base.event_service"]\nwatchdog = 10\n'
    base.write(events + wall.toml, service("beats", *BEATING, watchdog=2) + wall.toml)
    begin(base)
    started = base.start()
    assert started.stdout == "base on watch: all running\n", started.stderr
    jump(base, wall, HOUR)
    assert base.value == 0
    jump(base, wall, -HOUR)
    eventually(lambda: 0 <= until(base) - uptime() <= FRESH)
    assert (base.value, json.loads(base.status("--json").stdout)["value"]) == (0, 0)
    assert base.house.command("jevstat", "watch").returncode == 0
    pid = base.pid("beats")
    os.kill(pid, signal.SIGSTOP)
    wall.set(0)
    base.wait_for(4)
    assert states(base) == {"events": "ready", "beats": "hung"}
    os.kill(pid, signal.SIGCONT)
    base.wait_for(0)
    log = (base.folder / "spmd.log").read_text()
    assert base.stop().stdout == "base on watch: all stopped\n"
    assert [word in log for word in ("overdue", "stalled", "lost")] == [False, False, False]


@both_ways
def test_a_start_has_as_long_as_ever(base: Suite, wall: Wall, seconds: int) -> None:
    gate = base.gate("gate")
    base.write(
        service("patient", f"gate={gate}", "ready", "wait", start_limit=60),
        service("late", f"gate={gate}", "ready", "wait", start_limit=1),
    )
    begin(base)
    start = base.popen("start.cluster", "--timeout", "2")
    base.wait_for_service("late", "starting")
    jump(base, wall, seconds)
    _, said = start.communicate(timeout=20)
    assert start.returncode == 0
    assert "is still under way after 2 s" in said
    base.wait_for_service("late", "overdue")
    assert (states(base)["patient"], base.value) == ("starting", 4)
    writer = os.open(gate, os.O_WRONLY)
    os.close(writer)  # both read the end
    base.wait_for(0)


def test_a_node_that_slept_is_no_failure(base: Suite) -> None:
    """Its record is as old as the sleep was long; the status gives the process manager the time of a beat."""
    base.write(steady("one"))
    base.start()
    manager = base.manager
    os.kill(manager, signal.SIGSTOP)
    age_record(base, 60)  # a record cannot be older than the node's boot, which may have been minutes ago
    wakes_up = Timer(limits.BEAT / 2, os.kill, [manager, signal.SIGCONT])
    wakes_up.start()
    assert base.status().stdout == "base on watch: all running\n"
    wakes_up.join()


SLEPT = ["unshare", "--time", "--boottime", str(30 * HOUR), "--fork"]
"""A namespace in which the node has slept for thirty hours since it was booted."""


@pytest.mark.usefixtures("as_root")
def test_a_suite_on_a_node_that_had_slept_before(base: Suite) -> None:
    """Times that are compared are of the same clock: the one that counts the sleep is far from the other one here."""
    base.write(service("beats", *BEATING, watchdog=2))

    def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*SLEPT, COMMANDS / program, *arguments], capture_output=True, text=True, check=False)

    assert run("jbs_start.cluster", "watch").stdout == "base on watch: all running\n"
    eventually(lambda: 0 <= until(base) - uptime(*SLEPT) <= FRESH)
    assert uptime(*SLEPT) - uptime() > 100 * 20 * HOUR
    for more in ([], ["--json"]):
        assert run("jbs_spmd_status", "-h", "watch", *more).returncode == 0
    assert run("jbs_stop.cluster", "watch").stdout == "base on watch: all stopped\n"
    assert run("jbs_spmd_status", "-h", "watch").returncode == 8
