"""`bansho drill run --on-this-cluster` as its user calls it, on a node of a cluster and without the lab's means."""

import json
import subprocess
from collections.abc import Callable, Sequence
from subprocess import PIPE, CompletedProcess
from typing import Any

import pytest
from tests.nodes import until

from bansho.drill import census
from bansho.drill.stage import HOST, PROGRAMS, Stage
from bansho.lab.node import Node

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(300)]

BANSHO = str(PROGRAMS / "bansho")
DRILL = [BANSHO, "drill", "run", "--on-this-cluster", HOST]
REPORT = "/root/report"
REFUSED, SHOWN, VIOLATED = 3, 2, 1

Do = Callable[[Stage, Node], object]


def sh(script: str) -> Do:
    """Runs a script on the active node, in which $1 is that node and $2 another one."""

    def do(stage: Stage, node: Node) -> None:
        other = next(each.name for each in stage.lab.nodes if each.name != node.name)
        path = f"PATH={PROGRAMS}:$PATH"
        done = node.run(["sh", "-ec", f"{path}\n{script}", "sh", node.name, other])
        assert done.returncode == 0, done.stderr

    return do


def kill_event_service(stage: Stage, node: Node) -> None:
    """In maintenance nobody starts it again."""
    sh(f"bansho cluster maintenance on {HOST}")(stage, node)
    main = census.main_processes(census.take(stage.lab)[node.name])["base", "event-service"]
    subprocess.run(["kill", "-9", str(main.pid)], check=True)
    until(lambda: stage.value(node, "base") != 0)


def lose_quorum(stage: Stage, node: Node) -> None:
    """One of three nodes goes, where all three votes are needed; what runs is told to run on."""
    sh("crm_attribute -n no-quorum-policy -v ignore; corosync-quorumtool -e 5")(stage, node)
    next(each for each in stage.lab.nodes if each.name != node.name).power("off")


OTHERS = "for n in n1 n2 n3; do test $n = $1 || bansho cluster standby {} $n; done"
PARAMETER = "crm_resource -r fence --set-parameter pcmk_host_list --parameter-value"
BAN = f"crm_resource {{}} -r {HOST} -N $2"
CONDITIONS: dict[str, tuple[Do, Do, Sequence[str]]] = {
    "fencing switched off, a move's constraint, another drill": (
        sh(
            f"crm_attribute -n stonith-enabled -v false; {BAN.format('--ban')}; bansho token create drill --host {HOST}"
        ),
        sh(
            f"bansho token revoke drill --host {HOST}; {BAN.format('--clear')}\n"
            "crm_attribute -n stonith-enabled -v true"
        ),
        ["fencing is switched off", "an operator's move left cli-ban", "another drill runs"],
    ),
    "fencing device stopped": (
        sh("crm --wait resource stop fence"),
        sh("crm --wait resource start fence"),
        ["the fencing device fence does not run"],
    ),
    "a node that no device can fence": (
        sh(f"{PARAMETER} 'n1 n2'; crm_resource --wait"),
        sh(f"{PARAMETER} 'n1 n2 n3'; crm_resource --wait"),
        ["no fencing device can fence n3"],
    ),
    "a failure counted": (
        sh("crm_resource --fail -r fence -N $(crm_resource -r fence -W | sed 's/.*: *//')"),
        sh("crm_resource --wait; crm_resource --cleanup; crm_resource --wait"),
        ["fence has failures counted"],
    ),
    "without quorum": (
        lose_quorum,
        sh("corosync-quorumtool -e 3; crm_attribute -n no-quorum-policy -D"),
        ["no quorum"],
    ),
    "nobody to take over": (sh(OTHERS.format("on")), sh(OTHERS.format("off")), ["two nodes must be online"]),
}


@pytest.fixture
def active(standing: Stage) -> Node:
    """Where it runs, by the cluster too: that learns of a start after the suites, and of what it forgot by probes.

    No report of an earlier drill is there: no other one is written over it.
    """
    node = standing.settle()
    node.run(["rm", "-rf", REPORT], check=True)
    until(lambda: status(node)["home"] == node.name)
    return node


def status(node: Node) -> dict[str, Any]:
    """What the cluster says of `watch`."""
    found: list[dict[str, Any]] = json.loads(node.run([BANSHO, "cluster", "status", HOST, "--json"], check=True).stdout)
    return found[0]


def drill(node: Node, *options: str) -> CompletedProcess[str]:
    return node.run([*DRILL, "--report", REPORT, *options])


def left(stage: Stage, node: Node) -> Sequence[str]:
    """What a drill must give back: this node's own state, the cluster's settings, tokens and failures."""
    tokens = node.run([BANSHO, "token", "list", "--host", HOST], check=True).stdout
    seen = status(node)
    cib = node.run(["cibadmin", "--query"], check=True).stdout
    constraints = [line for line in cib.splitlines() if "cli-" in line or 'name="standby"' in line]
    return [tokens, seen["home"], str(seen["nodes"]), str(seen["failures"]), *constraints]


@pytest.mark.parametrize(("about", "back", "reasons"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_cluster_that_is_not_well_is_refused(
    standing: Stage, active: Node, about: Do, back: Do, reasons: Sequence[str]
) -> None:
    try:
        about(standing, active)
        until(lambda: named(reasons, drill(active).stderr))  # without --yes: before the cluster knows, it would be done
        refused = drill(active, "--yes")
    finally:
        back(standing, active)
    assert refused.returncode == REFUSED, refused
    assert refused.stderr.startswith("BSHO8021-E")
    assert refused.stdout == ""


def named(reasons: Sequence[str], text: str) -> bool:
    """Every reason is named at once: who mends one must not meet the next only then."""
    return all(reason in text for reason in reasons)


def test_maintenance_and_suites_that_do_not_run_are_refused(standing: Stage, active: Node) -> None:
    try:
        kill_event_service(standing, active)
        refused = drill(active, "--yes")
    finally:
        sh(f"bansho cluster maintenance off {HOST}")(standing, active)
    assert refused.returncode == REFUSED
    assert "it is in maintenance" in refused.stderr
    assert "its suites are not all running: base 4" in refused.stderr


def test_where_it_does_not_run_the_node_where_it_does_is_named(standing: Stage, active: Node) -> None:
    refused = drill(next(each for each in standing.lab.nodes if each.name != active.name), "--yes")
    assert (refused.returncode, f"it runs on {active.name}" in refused.stderr) == (REFUSED, True)


def test_without_yes_the_plan_is_shown_and_nothing_done(standing: Stage, active: Node) -> None:
    before = left(standing, active)
    shown = drill(active)
    assert shown.returncode == SHOWN, shown.stderr
    assert "BSHO8022-E" in shown.stderr
    plan = shown.stdout
    for fault in ("kill-event-service", "kill-base-manager", "kill-postmaster", "stop", "move", "standby"):
        assert f"{fault} on {active.name}: " in plan
    assert "reset" not in plan
    assert plan.count("users notice") == plan.count("outage expected") == plan.count("by hand") == plan.count("\nround")
    assert left(standing, active) == before
    assert active.run(["test", "-e", REPORT]).returncode == 1


def test_a_fencing_device_that_must_not_run_here_counts(standing: Stage, active: Node) -> None:
    """This node's fencer has not got it then: the device's own list says whom it can fence."""
    listed = ["stonith_admin", "--list", active.name]
    sh("crm configure location not-here fence -inf: $1; crm_resource --wait")(standing, active)
    try:
        until(lambda: "0 fence devices" in active.run(listed).stdout)
        shown = drill(active)
    finally:
        sh("crm configure delete not-here; crm_resource --wait")(standing, active)
    assert shown.returncode == SHOWN, shown.stderr
    until(lambda: "1 fence device" in active.run(listed).stdout)


def test_a_reset_needs_a_flag_of_its_own(standing: Stage, active: Node) -> None:
    refused = drill(active, "--faults", "reset", "--yes")
    assert (refused.returncode, "--with-reset" in refused.stderr) == (1, True)
    shown = drill(active, "--faults", "reset", "--with-reset")
    assert shown.returncode == SHOWN
    assert f"reset on {active.name}" not in shown.stdout


def test_a_node_that_is_not_as_announced_any_more_is_not_reset(standing: Stage, active: Node) -> None:
    """A preference above the stickiness draws the logical host home, once the constraint of the move is gone."""
    before, power = left(standing, active), len(standing.lab.power_log())
    sh(f"crm configure location home {HOST} 100000: $1")(standing, active)
    try:
        done = drill(active, "--faults", "reset", "--with-reset", "--yes")
    finally:
        sh("crm configure delete home; crm_resource --wait")(standing, active)
    assert done.returncode == VIOLATED, (done.stdout, done.stderr)
    report = json.loads(active.run(["cat", f"{REPORT}/report.json"], check=True).stdout)
    assert "BSHO6057-E" in report["rounds"][0]["error"]
    assert len(standing.lab.power_log()) == power
    assert left(standing, active) == before


def test_the_announced_node_alone_is_reset_and_everything_is_given_back(standing: Stage, active: Node) -> None:
    before, power = left(standing, active), len(standing.lab.power_log())
    done = drill(active, "--faults", "reset", "--with-reset", "--yes")
    assert done.returncode == 0, "\n".join([*done.stdout.splitlines()[-2:], done.stderr])
    report = json.loads(active.run(["cat", f"{REPORT}/report.json"], check=True).stdout)
    victim = report["rounds"][0]["victim"]
    assert victim != active.name
    assert f"round 1: reset on {victim}: " in done.stdout
    assert {each.node for each in standing.lab.power_log()[power:]} == {victim}
    assert left(standing, active) == before


def test_the_node_itself_is_put_to_rest_and_everything_is_given_back(standing: Stage, active: Node) -> None:
    before = left(standing, active)
    done = drill(active, "--faults", "standby", "--yes", "--rate", "20")
    assert done.returncode == 0, "\n".join([*done.stdout.splitlines()[-2:], done.stderr])
    report = json.loads(active.run(["cat", f"{REPORT}/report.json"], check=True).stdout)
    (round_,) = report["rounds"]
    assert report["kind"] == "campaign on a cluster"
    assert round_["victim"] == active.name != round_["successor"]
    assert round_["noticed"]
    kept = {name for name, found in round_["verdicts"].items() if found == []}
    assert kept >= {"I0", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I14"}
    assert round_["verdicts"]["I1"] is None
    assert "seen from other nodes" in report["notes"][0]
    assert left(standing, active) == before


def test_an_interrupted_drill_gives_everything_back(standing: Stage, active: Node) -> None:
    before = left(standing, active)
    with active.popen([*DRILL, "--report", REPORT, "--faults", "standby", "--yes"], stdout=PIPE, stderr=PIPE) as going:
        until(lambda: "standby" in left(standing, active)[2], limit=60)
        going.terminate()
        _, errors = going.communicate(timeout=180)
    assert going.returncode == VIOLATED
    assert b"ended early" in errors
    assert left(standing, active) == before


def test_a_violation_ends_it_and_everything_is_given_back(standing: Stage, active: Node) -> None:
    """A start command that returns 7: I6 must notice."""
    before, start = left(standing, active), PROGRAMS / "jbs_start.cluster"
    script = f"cp -p {start} {start}.real; printf '#!/bin/sh\\n{start}.real \"$@\"\\nexit 7\\n' >{start}.new"
    sh(f"{script}; chmod 755 {start}.new; mv {start}.new {start}")(standing, active)
    try:
        done = drill(active, "--faults", "kill-event-console,stop", "--yes")
    finally:
        sh(f"mv {start}.real {start}")(standing, active)
    assert done.returncode == VIOLATED, (done.stdout, done.stderr)
    report = json.loads(active.run(["cat", f"{REPORT}/report.json"], check=True).stdout)
    (round_,) = report["rounds"]
    assert "returned 7" in round_["verdicts"]["I6"][0]
    kept = active.run(["ls", f"{REPORT}/round-1"], check=True).stdout.split()
    assert {"evidence.json", "timeline.txt", "crm_mon.txt", "run"} <= set(kept)
    assert left(standing, active) == before
