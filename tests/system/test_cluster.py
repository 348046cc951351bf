"""The logical host under real Pacemaker: order, restart before failover, standbys, two owners."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from bansho.contract.suites import COMMANDS
from bansho.drill.stage import HOST, MOUNT_POINT, PROGRAMS, SHARED, Stage, run, wait
from bansho.lab.node import Node
from bansho.lab.watch import Watch, overlaps

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(180)]

RESULT = re.compile(
    r"(?P<at>\w{3} \d+ [\d:.]+) .*Result of (?P<action>\w+) operation"
    r" for watch-(?P<what>\w+) on (?P<node>\w+): (?P<result>[\w ]+)"
)


def results(node: Node, action: str, skip: int = 0) -> dict[str, tuple[float, str]]:
    """Resource -> when an action's result was noted on a node, and what it was: Pacemaker's log after `skip` lines."""
    found: dict[str, tuple[float, str]] = {}
    for line in log(node)[skip:]:
        match = RESULT.search(line)
        if match and match["action"] == action and match["node"] == node.name:
            at = datetime.strptime(match["at"], "%b %d %H:%M:%S.%f").timestamp()  # noqa: DTZ007 - only compared
            found[match["what"]] = (at, match["result"].strip())
    return found


def log(node: Node) -> list[str]:
    return run(node, "read Pacemaker's log", ["cat", "/var/log/pacemaker/pacemaker.log"]).splitlines()


def service_pid(node: Node, suite: str, service: str) -> int:
    """The pid of a service on its node, from the status record; 0 while it has none."""
    script = f"import json; r = json.loads(open('/run/bansho/{HOST}/{suite}/record').read().splitlines()[2])"
    pick = f"print(next(s['pid'] or 0 for s in r['services'] if s['name'] == '{service}'))"
    return int(run(node, "find the service", ["python3", "-c", f"{script}\n{pick}"]))


def kill(node: Node, suite: str, service: str) -> None:
    run(node, "kill the service", ["kill", "-9", str(service_pid(node, suite, service))])


@contextmanager
def stopped(stage: Stage) -> Iterator[None]:
    """The cluster stops the logical host, and starts it again at the end."""
    first = stage.lab.nodes[0]
    run(first, "stop the group", ["crm", "--wait", "resource", "stop", HOST])
    yield
    run(first, "start the group", ["crm", "--wait", "resource", "start", HOST])
    stage.wait_up()


def test_it_stops_and_starts_in_the_contracts_order(settled: Stage) -> None:
    node = settled.wait_up()
    before = len(log(node))
    with stopped(settled):
        ends = results(node, "stop", before)
        assert settled.active() is None
        begun = {each.name: len(log(each)) for each in settled.lab.nodes}
    assert [what for what, _ in sorted(ends.items(), key=lambda item: item[1])] == [
        "manager",
        "base",
        "address",
        "disk",
    ]
    now = settled.wait_up()
    starts = results(now, "start", begun[now.name])
    assert [what for what, _ in sorted(starts.items(), key=lambda item: item[1])] == [
        "disk",
        "address",
        "base",
        "manager",
    ]


def test_a_standby_says_not_running_and_writes_nothing(settled: Stage) -> None:
    active = settled.wait_up()
    for node in settled.lab.nodes:
        if node.name == active.name:
            continue
        run(node, "forget what was written by earlier tests", ["rm", "-rf", f"/run/bansho/{HOST}"])
        before = len(log(node))
        run(node, "probe again", ["crm_resource", "--refresh", "--resource", HOST, "--node", node.name])
        wait("the probes", lambda node=node, before=before: len(results(node, "probe", before)) == 4)  # type: ignore[misc]
        assert {result for _, result in results(node, "probe", before).values()} == {"not running"}
        assert [settled.value(node, suite) for suite in COMMANDS] == [1, 1]
        assert node.run(["test", "-e", f"/run/bansho/{HOST}"]).returncode == 1
    assert settled.wait_up().name == active.name


def test_a_killed_service_is_restarted_on_the_same_node_and_often_killed_fails_over(settled: Stage) -> None:
    first = settled.wait_up()

    def pid() -> int:
        return service_pid(first, "base", "event-service")

    for _ in range(2):
        old = pid()
        kill(first, "base", "event-service")
        wait(
            "the restart by the cluster",
            lambda old=old: settled.running_on() is not None and pid() not in (0, old),  # type: ignore[misc]
            state=settled.overview,
        )
        assert settled.wait_up().name == first.name
    kill(first, "base", "event-service")
    assert settled.wait_up(elsewhere_than=first.name).name != first.name


def test_a_dead_database_is_seen_and_restarted(settled: Stage) -> None:
    node = settled.wait_up()
    old = service_pid(node, "manager", "imdb")
    postmaster = run(node, "find the postmaster", ["head", "-1", f"{SHARED}/database/postmaster.pid"]).strip()
    run(node, "kill the postmaster", ["kill", "-9", postmaster])
    wait(
        "the restart",
        lambda: settled.running_on() is not None and service_pid(node, "manager", "imdb") not in (0, old),
        state=settled.overview,
    )
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
