"""Rendered files above our own commands, with a real suite of small programs."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.commands.suites import Suite, steady, suite_in

from bansho.cluster import products
from bansho.logicalhost import definition

if TYPE_CHECKING:
    from tests.house import House

CLUSTER = """\
[disk]
device = "/dev/nothing"
mount-point = "/"
[cluster]
nodes = ["n1", "n2"]
interface = "eth0"
retries = 2
retry-interval = 0.05
monitor-interval = 0.1
"""


@pytest.fixture
def base(house: "House") -> Iterator[Suite]:
    """Base with two services, on a logical host that every product can be rendered for."""
    house.define(text=CLUSTER, address='"192.0.2.10/24"', suites='["base"]')
    for suite in suite_in(house):
        suite.write(steady("one"), steady("two", after=["one"]))
        yield suite


def rendered(house: "House", product: str) -> Path:
    folder = house.root / product
    for file in products.render(definition.load("watch"), product, folder):
        file.write()
    return folder


def call(file: Path, *arguments: str) -> int:
    return subprocess.run([file, *arguments], capture_output=True, check=False).returncode


def test_a_life(base: Suite) -> None:
    control = rendered(base.house, "vcs") / "control"
    assert call(control, "monitor") == 100
    assert call(control, "start") == 0
    assert call(control, "monitor") == 110
    os.kill(base.pid("one"), signal.SIGKILL)
    base.wait_for(4)
    assert call(control, "monitor") == 100
    assert base.processes() != {}, "partly stopped: what lives, clean has to end"
    assert call(control, "kill") == 0
    assert base.value == 8
    assert base.processes() == {}


def test_a_dead_process_manager_above_living_services_is_stopped_with_proof(base: Suite) -> None:
    control = rendered(base.house, "posix") / "control"
    assert call(control, "start") == 0
    assert call(control, "monitor") == 0
    base.kill_manager()
    assert call(control, "stop") == 0
    assert base.processes() == {}


class Unit:
    """The unit's commands, run as systemd would: the main process told where to say that it is ready."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "bansho-watch.service").read_text().splitlines()
        self.commands = dict(line.split("=", 1) for line in lines if line.startswith("Exec"))
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(folder / "notify"))
        self.told.settimeout(30)
        environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        self.main = subprocess.Popen(self.commands["ExecStart"].split(), env=environment, stderr=subprocess.DEVNULL)

    def after(self) -> int:
        """What systemd runs once the main process has ended."""
        return subprocess.run(self.commands["ExecStopPost"].split(), capture_output=True, check=False).returncode

    def end(self) -> None:
        self.told.close()
        self.main.kill()
        self.main.wait()


@pytest.fixture
def unit(base: Suite) -> Iterator[Unit]:
    unit = Unit(rendered(base.house, "systemd"))
    yield unit
    unit.end()


def test_systemd_is_told_when_it_runs_and_sees_a_failure_as_the_end_of_its_process(base: Suite, unit: Unit) -> None:
    assert unit.told.recv(100) == b"READY=1"
    assert base.value == 0
    os.kill(base.pid("two"), signal.SIGKILL)
    assert unit.main.wait(30) == 1
    assert unit.after() == 0
    assert base.processes() == {}


def test_systemd_stops_the_watch_first_and_the_suites_by_their_command(base: Suite, unit: Unit) -> None:
    assert unit.told.recv(100) == b"READY=1"
    unit.main.terminate()
    assert unit.main.wait(30) == -signal.SIGTERM
    assert base.value == 0
    assert unit.after() == 0
    assert base.processes() == {}


def test_a_start_that_fails_is_the_end_of_the_process_too(base: Suite) -> None:
    base.write("nonsense")
    unit = Unit(rendered(base.house, "systemd"))
    assert unit.main.wait(60) == 1
    assert unit.after() == 0
    unit.end()
