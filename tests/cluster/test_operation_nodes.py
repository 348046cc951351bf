"""Operating a registered logical host on real nodes: moved, left alone, compared, proved as it runs, examined."""

import json
from typing import Any

import pytest
from tests.cluster.registered import BANSHO, ORDER, STAND_INS, StandIns, until

from bansho.lab import Lab

pytestmark = [pytest.mark.nodes, pytest.mark.usefixtures("as_root")]
ETC = "/etc/bansho/logical-hosts/watch.toml"


def asked(watch: StandIns, *arguments: str, value: int = 0, node: str = "") -> Any:
    """What `bansho ... --json` says on a node, the first where none is named."""
    done = watch.lab.node(node or watch.lab.nodes[0].name).run([BANSHO, *arguments, "--json"])
    assert done.returncode == value, done.stderr
    return json.loads(done.stdout)


def test_moved_left_alone_compared_and_proved(lab: Lab) -> None:
    watch = StandIns(lab)
    watch.register()
    first = watch.home()

    proofs = asked(watch, "cluster", "verify", "watch", "--live")["events"]
    assert {proof["event"]: proof["problems"] for proof in proofs if proof["problems"]} == {}
    foretold = next(proof["actions"] for proof in proofs if proof["event"] == "node lost")

    moved = asked(watch, "cluster", "move", "watch")
    second = moved["home"]
    assert second not in ("", first)
    left = lab.nodes[0].run(["crm_resource", "--resource", "watch", "--constraints"]).stdout
    assert "cli-" not in left, "a move leaves nothing behind"
    assert "BSHO6047-I" in watch.bansho("standby", "on", second).stderr
    assert watch.home() not in ("", second), "a node put to rest runs nothing"
    assert "BSHO6048-I" in watch.bansho("standby", "off", second).stderr
    assert asked(watch, "cluster", "move", "watch", first)["home"] == first

    a_move_that_does_not_last_is_no_success(watch, first, second)
    a_second_apply_changes_nothing(watch)
    stays_alone_in_maintenance(watch, first)
    a_differing_definition_is_found(watch)

    lab.node(first).power("loss")
    until(lambda: watch.home() not in ("", first), "a takeover")
    lab.wait_online(first)
    watch.settle()
    stopped_by_fencing = [f"stop {each} on {first} (by fencing it)" for each in ORDER[::-1]]
    assert foretold[:5] == [f"fence {first}", *stopped_by_fencing]
    assert [each.split(" on ")[0] for each in foretold[5:]] == [f"start {each}" for each in ORDER]
    rows = watch.there(watch.home())
    assert [row[1:] for row in rows[-2:]] == [["jbs_start.cluster", "1", "1"], ["jco_start.cluster", "1", "1"]]
    fencing_is_seen_to_have_worked(watch, first)


def a_move_that_does_not_last_is_no_success(watch: StandIns, first: str, second: str) -> None:
    """Somebody's constraint prefers the node that it comes from, and gets it back once the move's own is gone."""
    node = watch.lab.nodes[0]
    node.run(["crm", "configure", "location", "prefers", "watch", "1000:", first], check=True)
    done = node.run([BANSHO, "cluster", "move", "watch", second])
    assert (done.returncode, f"expected on {second}" in done.stderr, f"on {first}" in done.stderr) == (1, True, True)
    node.run(["crm", "configure", "delete", "prefers"], check=True)


def a_second_apply_changes_nothing(watch: StandIns) -> None:
    """Neither the configuration nor what runs."""
    ask = ["cibadmin", "--query", "--scope", "configuration"]
    before, pids = watch.lab.nodes[0].run(ask, check=True).stdout, [watch.pid("base"), watch.pid("manager")]
    assert "BSHO6042-I" in watch.bansho("apply", "watch").stderr
    watch.settle()
    assert watch.lab.nodes[0].run(ask, check=True).stdout == before
    assert [watch.pid("base"), watch.pid("manager")] == pids


def stays_alone_in_maintenance(watch: StandIns, home: str) -> None:
    """A process killed in maintenance: nothing happens, and the status says why. Given back, the cluster mends it."""
    assert asked(watch, "cluster", "maintenance", "on", "watch")["maintenance"]
    before = watch.on(watch.lab.node(home), f"wc -l <{STAND_INS}/state/calls").stdout
    killed = watch.kill("manager")
    watch.settle()
    shown = watch.lab.nodes[1].run([BANSHO, "cluster", "status", "watch"]).stdout
    assert "IN MAINTENANCE" in shown
    assert watch.on(watch.lab.node(home), f"wc -l <{STAND_INS}/state/calls").stdout == before, "nobody was called"
    assert watch.pid("manager") == killed
    assert not asked(watch, "cluster", "maintenance", "off", "watch")["maintenance"]
    until(lambda: watch.pid("manager") not in ("", killed), "Manager restarts")
    watch.settle()
    status = asked(watch, "cluster", "status", "watch", node=home)[0]
    assert [(each["resource"], each["node"], each["counted"]) for each in status["failures"]] == [
        ("watch-manager", home, 1)
    ]
    assert status["home"] == home
    assert all(each["since"] for each in status["resources"])


def a_differing_definition_is_found(watch: StandIns) -> None:
    """Every node has told what it has when it was probed; a change is told by the next command there."""
    assert asked(watch, "cluster", "diff", "watch") == {"name": "watch", "changes": [], "effects": [], "nodes": []}
    watch.on(watch.lab.nodes[2], f"sed -i s/restarts.*/restarts\\ =\\ 5/ {ETC}")
    there = asked(watch, "cluster", "diff", "watch", value=1, node="n3")
    assert [(each["setting"], each["old"], each["new"]) for each in there["changes"]] == [
        ("group watch: option migration-threshold", "2", "6")
    ]
    until(lambda: differences(watch) != [], "n1 learns it")
    assert differences(watch) == ["the definition's cluster.restarts on n3 is 5; here it is 1"]
    watch.on(watch.lab.nodes[2], f"sed -i s/restarts.*/restarts\\ =\\ 1/ {ETC}")
    assert asked(watch, "cluster", "diff", "watch", node="n3")["changes"] == []


def differences(watch: StandIns) -> list[str]:
    """Between n1 and the other nodes."""
    nodes: list[str] = json.loads(watch.bansho("diff", "watch", "--json").stdout)["nodes"]
    return nodes


def fencing_is_seen_to_have_worked(watch: StandIns, fenced: str) -> None:
    """On a node that is furnished, the doctor's checks of the cluster pass, and it knows what was never tried."""
    done = watch.lab.node(watch.home()).run([BANSHO, "doctor", "watch", "--json"])
    checks = {each["check"]: each["findings"] for each in json.loads(done.stdout)["checks"]}
    for name in ("node name", "quorum", "address free", "mounted by the cluster alone", "agents"):
        assert {each["level"] for each in checks[name]} == {"right"}, checks[name]
    untried = next(each["what"] for each in checks["fencing"] if each["level"] == "warning")
    assert fenced not in untried.partition("fencing of ")[2].partition(" has ")[0]
