"""The agent above our own commands, with a real suite: what Pacemaker would see on a node."""

import os
import select
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.cluster.own import GENERIC, NOT_RUNNING, SUCCESS, OwnNode

from bansho.logicalhost import history
from bansho.logicalhost.places import NodePlaces, SharedPlaces

if TYPE_CHECKING:
    from tests.house import House


@pytest.fixture
def own(house: "House") -> Iterator[OwnNode]:
    own = OwnNode(house)
    yield own
    own.end()


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


@pytest.mark.parametrize("suite", ["base", "manager"])
def test_a_standby_server_is_left_untouched(own: OwnNode, suite: str) -> None:
    own.house.shared.rename(own.house.root / "elsewhere")
    before = sorted(own.house.root.rglob("*"))
    for level in (0, 10):
        assert own.call("monitor", interval=0, level=level, suite=suite)[0] == NOT_RUNNING
    assert own.call("stop", suite=suite)[0] == SUCCESS
    assert sorted(own.house.root.rglob("*")) == before
