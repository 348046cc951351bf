"""A logical host on three real Pacemaker nodes: with stand-ins that others could have written, and with our suites."""

import json
from pathlib import Path

import pytest
from tests.cluster.registered import BANSHO, STAND_INS, StandIns, Watch, until

from bansho.lab import Lab

pytestmark = [pytest.mark.nodes, pytest.mark.usefixtures("as_root")]


def test_a_life_with_stand_ins(lab: Lab) -> None:
    """One registration, from its start to its removal, on each of the three nodes in turn."""
    watch = StandIns(lab)
    watch.register()
    first = watch.home()
    it_starts_in_sequence_and_nowhere_else(watch, first)
    a_failure_restarts_on_the_node_then_fails_over(watch, first)
    second = watch.home()
    third = next(node.name for node in lab.nodes if node.name not in (first, second))
    a_stop_without_proof_gets_its_node_fenced(watch, second, third)
    it_stops_in_sequence_and_leaves_the_cluster(watch, third)


def it_starts_in_sequence_and_nowhere_else(watch: StandIns, home: str) -> None:
    rows = watch.there(home)
    assert [row[1:] for row in rows] == [["jbs_start.cluster", "1", "1"], ["jco_start.cluster", "1", "1"]]
    assert [leg for _, leg in watch.marks()] == [
        "base start begins",
        "base started",
        "manager start begins",
        "manager started",
    ]
    times = [at for at, _ in watch.marks()]
    assert times == sorted(times)
    for node in watch.lab.nodes:
        calls = watch.on(node, f"cat {STAND_INS}/state/calls", check=False).stdout
        assert (calls == "") == (node.name != home), "a probe without the disk asks nobody"
    status = watch.lab.nodes[0].run(["crm_mon", "--one-shot", "--output-as=text", "--operations"]).stdout
    assert "Failed Resource Actions" not in status


def a_failure_restarts_on_the_node_then_fails_over(watch: StandIns, first: str) -> None:
    pid = watch.kill("base")
    until(lambda: watch.home() == first and watch.pid("base") not in ("", pid), "a restart on the same node")
    watch.settle()
    assert watch.home() == first
    watch.kill("base")
    until(lambda: watch.home() not in ("", first), "a failover")
    watch.settle()
    rows = watch.there(first)
    assert {(row[2], row[3]) for row in rows} == {("1", "1")}
    stopped = [row[1] for row in rows if "stop" in row[1]]
    # Base was dead each time, so only Manager could be stopped in order; forced termination swept up behind it.
    assert stopped == ["jco_stop.cluster"] * 2
    assert not watch.has_disk(first)


def a_stop_without_proof_gets_its_node_fenced(watch: StandIns, home: str, other: str) -> None:
    for name in ("jbs_stop.cluster", "jbs_killall.cluster"):
        watch.place(watch.lab.node(home), f"{STAND_INS}/state/{name}.do", "exit 0\n")
    boot = watch.lab.node(home).boot_id()
    watch.lab.node(other).run(["crm_resource", "--resource", "watch", "--move", "--node", other], check=True)
    until(lambda: watch.home() == other, "it runs elsewhere")
    watch.lab.wait_online(home)
    assert watch.lab.node(home).boot_id() != boot
    watch.settle()


def it_stops_in_sequence_and_leaves_the_cluster(watch: StandIns, home: str) -> None:
    done = watch.bansho("remove", "watch", "--yes")
    assert "BSHO6043-I" in done.stderr
    rows = watch.there(home)[2:]
    assert [row[1:] for row in rows] == [["jco_stop.cluster", "1", "1"], ["jbs_stop.cluster", "1", "1"]]
    assert not watch.has_disk(home)
    left = watch.lab.nodes[0].run(["crm_mon", "--one-shot"]).stdout
    assert "watch" not in left
    assert "BSHO6044-I" in watch.bansho("remove", "watch", "--yes").stderr


LEGS = ["base start begins", "lease", "base started", "manager start begins", "database open", "manager started"]


def test_our_own_suites_survive_a_failed_service_and_a_lost_node(lab: Lab) -> None:
    watch = Watch(lab, "/srv/watch", "")
    watch.on_disk(f"{BANSHO} setup watch")
    watch.register()
    first = watch.home()
    assert [leg for _, leg in watch.marks()] == LEGS

    record = watch.on(lab.node(first), "cat /run/bansho/watch/manager/record").stdout.splitlines()[2]
    pids = {service["name"]: service["pid"] for service in json.loads(record)["services"]}
    watch.on(lab.node(first), f"kill -9 {pids['event-base']}")
    until(
        lambda: watch.home() == first and [leg for _, leg in watch.marks()] == LEGS + LEGS[3:], "Manager restarts there"
    )

    lab.node(first).power("loss")
    until(lambda: watch.home() not in ("", first), "a takeover")
    lab.wait_online(first)
    watch.settle()
    assert [leg for _, leg in watch.marks()][-len(LEGS) :] == LEGS
    for name in ("jbs_spmd_status", "jco_spmd_status"):
        asked = lab.node(first).run([str(Path(BANSHO).with_name(name)), "-h", "watch"])
        assert asked.returncode == 1, "a standby has no shared directory"
    assert watch.home() != first
    assert "BSHO6043-I" in watch.bansho("remove", "watch", "--yes").stderr
