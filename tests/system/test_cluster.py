"""The logical host under real Pacemaker: order, standbys, two owners. What follows each event: test_events.py."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.system.history import History
from tests.system.services import pid_of

from bansho.contract import operation
from bansho.contract.suites import COMMANDS
from bansho.drill.stage import HOST, MOUNT_POINT, PROGRAMS, Stage, run, wait
from bansho.lab.watch import Watch, overlaps

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(180)]


@contextmanager
def stopped(stage: Stage) -> Iterator[None]:
    """The cluster stops the logical host, and starts it again at the end."""
    first = stage.lab.nodes[0]
    try:
        run(first, "stop the group", ["crm", "--wait", "resource", "stop", HOST])
        yield
    finally:
        run(first, "start the group", ["crm", "--wait", "resource", "start", HOST])
    stage.wait_up()


def test_it_stops_and_starts_in_the_contracts_order(settled: Stage) -> None:
    history = History(settled.lab)
    with stopped(settled):
        assert settled.active() is None
    assert [(deed.action.operation, deed.action.resource) for deed in history.deeds("stop", "start")] == [
        *(("stop", each) for each in ("watch-manager", "watch-base", "watch-address", "watch-disk")),
        *(("start", each) for each in ("watch-disk", "watch-address", "watch-base", "watch-manager")),
    ]


def test_a_standby_says_not_running_and_writes_nothing(settled: Stage) -> None:
    active = settled.wait_up()
    for node in settled.lab.nodes:
        if node.name == active.name:
            continue
        run(node, "forget what was written by earlier tests", ["rm", "-rf", f"/run/bansho/{HOST}"])
        history = History(settled.lab)
        run(node, "probe again", ["crm_resource", "--refresh", "--resource", HOST, "--node", node.name])
        wait("the probes", lambda history=history: len(history.deeds("probe")) == 4)  # type: ignore[misc]
        assert {deed.result for deed in history.deeds("probe")} == {"not running"}
        assert [settled.value(node, suite) for suite in COMMANDS] == [1, 1]
        assert node.run(["test", "-e", f"/run/bansho/{HOST}"]).returncode == 1
    assert settled.wait_up().name == active.name


def test_in_maintenance_nothing_follows_a_kill_and_afterwards_it_is_found(settled: Stage) -> None:
    node = settled.wait_up()
    bansho = str(PROGRAMS / "bansho")
    run(node, "keep the cluster's hands off", [bansho, "cluster", "maintenance", "on", HOST])
    history = History(settled.lab)
    try:
        run(node, "kill a service", ["kill", "-9", str(pid_of(node, "manager", "event-base"))])
        wait("the failure", lambda: settled.value(node, "manager") == operation.PARTLY_STOPPED)
        run(node, "wait for the cluster", ["crm_resource", "--wait", "--timeout=60s"])
    finally:
        given_back = time.time()
        run(node, "give it back", [bansho, "cluster", "maintenance", "off", HOST])
    wait("the restart", lambda: len(history.deeds("stop", "start")) == 2)
    deeds = history.deeds("stop", "start")
    assert [each.action.words() for each in deeds] == [
        f"{each} watch-manager on {node.name}" for each in ("stop", "start")
    ]
    assert deeds[0].begun > given_back
    assert settled.wait_up().name == node.name


def test_of_two_nodes_told_to_start_at_once_one_runs_and_the_other_says_why(settled: Stage) -> None:
    first, second, _ = settled.lab.nodes
    start, status = (str(PROGRAMS / name) for name in (COMMANDS["base"].start, COMMANDS["base"].status))
    with stopped(settled):
        pair = (first, second)
        for node in pair:
            run(node, "mount the disk", ["mount", settled.lab.disk, MOUNT_POINT])
        try:
            started = [node.popen([start, HOST], stderr=-1, stdout=-1, text=True) for node in pair]
            said = [process.communicate(timeout=90)[1] for process in started]
            assert [process.returncode for process in started] == [0, 0]
            values = [node.run([status, "-h", HOST]).returncode for node in pair]
            refused = [text for text in said if "BSHO1006-E" in text]
            assert len(refused) == 1, said
            assert values[said.index(refused[0])] == 1
        finally:
            for node in pair:
                node.run([str(PROGRAMS / COMMANDS["base"].stop), HOST])
                node.run([str(PROGRAMS / COMMANDS["base"].killall), HOST])
                run(node, "unmount the disk", ["umount", MOUNT_POINT])


def test_a_frozen_node_is_fenced_and_never_shares(settled: Stage) -> None:
    victim = settled.wait_up()
    with Watch(settled.lab) as watch:
        frozen = time.time()
        victim.power("freeze")
        settled.wait_up(elsewhere_than=victim.name)
    by = {entry.by for entry in settled.lab.power_log() if entry.node == victim.name and entry.wall > frozen}
    assert by & set(settled.lab.spec.nodes)
    assert overlaps(watch.changes) == []
