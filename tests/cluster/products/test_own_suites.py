"""Rendered files above our own commands, with a real suite of small programs: what each product calls, by its files."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cluster.products.conftest import Rendering
from tests.cluster.products.test_genuine import DRIVERS, Commands, value
from tests.cluster.products.test_scripts import TOLD
from tests.commands.suites import Suite, steady, suite_in

if TYPE_CHECKING:
    from tests.house import House

DISK = """\
[disk]
device = "/dev/nothing"
mount-point = "/"
"""
CLUSTER = """\
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
    define(house, DISK)
    for suite in suite_in(house):
        suite.write(steady("one"), steady("two", after=["one"]))
        yield suite


def define(house: "House", disk: str) -> None:
    house.define(text=disk + CLUSTER, address='"192.0.2.10/24"', suites='["base"]')


def product_of(base: Suite, name: str) -> Commands:
    """The product, with the commands that its files name."""
    return Commands(Rendering(base.house), name)


def fail(base: Suite) -> None:
    """One of the two services dies."""
    os.kill(base.pid("one"), signal.SIGKILL)
    base.wait_for(4)


@pytest.mark.parametrize("name", ["posix", "vcs", "hamonitor", "powerha", "solaris"])
def test_a_life(base: Suite, name: str) -> None:
    """In the products that ask for the state: stopped, started, failed, and cleaned up."""
    product = product_of(base, name)
    _, _, healthy, not_running, failed, _ = TOLD[name]
    assert value(product.monitors[0]) == not_running
    assert product.start()
    assert value(product.monitors[0]) == healthy
    fail(base)
    assert value(product.monitors[0]) == failed
    assert base.processes() != {}, "partly stopped: what lives has to be ended"
    assert clean(product)
    assert base.value == 8
    assert base.processes() == {}


def clean(product: Commands) -> bool:
    """Whether the product believes that it has cleaned up after a failure."""
    return all(value(command) == 0 for command in product.cleans)


def test_serviceguards_service_ends_with_the_suite(base: Suite) -> None:
    package = product_of(base, "serviceguard")
    assert value(package.monitors[0]) == 1, "before the start there is nothing to watch"
    assert package.start()
    with subprocess.Popen(package.monitors[0], stderr=subprocess.PIPE, text=True) as service:
        fail(base)
        assert "answered 4" in service.communicate(timeout=30)[1]
    assert service.returncode == 1
    assert package.stop()
    assert base.processes() == {}


def test_keepaliveds_master_starts_fails_and_is_released(base: Suite) -> None:
    """Without a disk, which it would mount itself; what its daemon does with all this is seen in the lab."""
    define(base.house, disk="")
    node = DRIVERS["keepalived"](Rendering(base.house), "keepalived")
    assert node.healthy(), "a standby may become the master"
    assert base.value == 8
    assert node.start()
    assert node.healthy()
    fail(base)
    assert not node.healthy(), "so it loses the address"
    assert node.stop()
    assert base.processes() == {}
    assert node.healthy(), "it may have it back"


def test_a_dead_process_manager_above_living_services_is_stopped_with_proof(base: Suite) -> None:
    product = product_of(base, "posix")
    assert product.start()
    assert product.healthy()
    base.kill_manager()
    assert product.stop()
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
    unit = Unit(Rendering(base.house).render("systemd"))
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
    unit = Unit(Rendering(base.house).render("systemd"))
    assert unit.main.wait(60) == 1
    assert unit.after() == 0
    unit.end()
