"""The agent above our own commands, with a real suite: what Pacemaker would see on a node."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bansho.cluster.install import OUR_COMMANDS, install
from bansho.logicalhost import history
from bansho.logicalhost.places import NodePlaces, SharedPlaces

if TYPE_CHECKING:
    from tests.house import House

SUCCESS, GENERIC, NOT_RUNNING = 0, 1, 7
SERVICE = """\
[[service]]
name = "{name}"
command = ["{{python}}", "-c", '''
import signal
from bansho.process.notify import notify
opened = open("{{shared}}/{name}", "w")
notify("READY=1")
signal.sigwait({{signal.SIGTERM}})
''']
"""


class OwnNode:
    """A node where `watch` may run."""

    def __init__(self, house: "House") -> None:
        house.define()
        house.suite("base", 'suite = "base"\n' + "".join(SERVICE.format(name=name) for name in ("one", "two")))
        self.house = house
        self.agent = install(house.root, OUR_COMMANDS)

    def call(self, action: str, interval: int = 10, **parameters: str) -> tuple[int, str]:
        given = {"host": "watch", "suite": "base", "directory": str(self.house.shared), "releases_disk": "true"}
        given |= {"retries": "1", "retry_interval": "0.1", **parameters}
        environment = {f"OCF_RESKEY_{name}": value for name, value in given.items()}
        environment |= {"OCF_RESKEY_CRM_meta_interval": str(interval * 1000)}
        done = subprocess.run(
            [self.agent, action], env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    def holders(self) -> dict[str, int]:
        """What of the suite holds a file in the shared directory: file -> pid."""
        found = {}
        for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                target = descriptor.readlink()
            except OSError:
                continue
            if target.parent == self.house.shared:
                found[target.name] = int(descriptor.parts[2])
        return found


@pytest.fixture
def own(house: "House") -> Iterator[OwnNode]:
    own = OwnNode(house)
    yield own
    subprocess.run([OUR_COMMANDS / "jbs_killall.cluster", "watch"], capture_output=True, check=False)


def test_a_life(own: OwnNode) -> None:
    assert own.call("monitor", interval=0)[0] == NOT_RUNNING
    assert own.call("start")[0] == SUCCESS
    assert own.call("monitor")[0] == SUCCESS
    assert own.call("monitor", interval=0)[0] == SUCCESS
    assert own.call("start")[0] == SUCCESS
    assert {"one", "two"} <= set(own.holders())
    assert own.call("stop")[0] == SUCCESS
    assert own.holders() == {}
    assert own.call("stop")[0] == SUCCESS
    assert own.call("monitor")[0] == NOT_RUNNING
    legs = [mark.leg for mark in history.marks(SharedPlaces(own.house.shared))]
    assert legs == ["base start begins", "lease", "base started"]


def test_a_service_that_dies_is_a_failure_and_the_stop_leaves_nothing(own: OwnNode) -> None:
    own.call("start")
    os.kill(own.holders()["one"], signal.SIGKILL)
    until_monitored(own, GENERIC)
    assert own.call("stop")[0] == SUCCESS
    assert own.holders() == {}


def until_monitored(own: OwnNode, value: int) -> None:
    for _ in range(100):
        if own.call("monitor")[0] == value:
            return
    pytest.fail(f"the monitor never returned {value}")


def test_a_dead_process_manager_above_living_services_is_stopped_with_proof(own: OwnNode) -> None:
    own.call("start")
    record = (NodePlaces.of("watch").suite("base") / "record").read_text()
    manager = os.pidfd_open(int(record.split()[4]))
    signal.pidfd_send_signal(manager, signal.SIGKILL)
    assert select.select([manager], [], [], 30)[0], "killed, and not ended"
    os.close(manager)
    value, said = own.call("monitor")
    assert value == GENERIC or (value == NOT_RUNNING and not own.holders()), said
    value, said = own.call("stop")
    assert value == SUCCESS, said
    assert own.holders() == {}
    assert own.call("start")[0] == SUCCESS


def test_a_suite_that_cannot_start_says_why(own: OwnNode) -> None:
    (own.house.shared / "conf/base.toml").write_text("suite = 7\n")
    value, said = own.call("start")
    assert value == GENERIC
    assert "BSHO6014-E" in said
    assert own.call("stop")[0] == SUCCESS


def test_a_standby_server_is_left_untouched(own: OwnNode) -> None:
    own.house.shared.rename(own.house.root / "elsewhere")
    before = sorted(own.house.root.rglob("*"))
    assert own.call("monitor", interval=0)[0] == NOT_RUNNING
    assert own.call("stop")[0] == SUCCESS
    assert sorted(own.house.root.rglob("*")) == before
