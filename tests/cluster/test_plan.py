"""`bansho cluster` before and around a change: plan, proof, difference, question; on an information base in a file."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from bansho import cli
from bansho.cluster import facts, picture
from bansho.cluster.model import Model, key, model
from bansho.cluster.pacemaker import cib, drift, operate, registration, simulate, status
from bansho.cluster.pacemaker.cib import Cib
from bansho.logicalhost.definition import parse

if TYPE_CHECKING:
    from tests.house import House

needs_pacemaker = pytest.mark.skipif(
    not (shutil.which("crm") and shutil.which("crm_simulate")), reason="needs crmsh and pacemaker-cli-utils"
)


@pytest.fixture(scope="module")
def watch(definition: str) -> Model:
    return model(parse(definition, Path("watch.toml")))


@pytest.fixture
def defined(house: "House", definition: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of `watch`'s definition."""
    file = house.etc / "logical-hosts/watch.toml"
    file.write_text(definition)
    return file


@pytest.fixture(scope="module")
def running_once(watch: Model) -> bytes:
    """An information base in which `watch` runs, made once."""
    with simulate.imagined(watch) as file:
        simulate.Copy(file).settle(watch)
        return file.read_bytes()


@pytest.fixture
def live(running_once: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defined: Path) -> Path:
    """The same, taken for the live one."""
    file = tmp_path / "cib.xml"
    file.write_bytes(running_once)
    monkeypatch.setenv("CIB_file", str(file))
    return file


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.group, ["cluster", *arguments])


def said(*arguments: str) -> Any:
    """What a command says as JSON."""
    return json.loads(call(*arguments, "--json").stdout)


def test_the_plan_is_what_apply_loads(defined: Path, watch: Model) -> None:
    found = said("plan", "watch")
    assert (found["start"], found["stop"], found["fits"]) == (watch.start_order, watch.stop_order, True)
    limits = {
        (resource["id"], each["name"]): (each["seconds"], each["why"])
        for resource in found["resources"]
        for each in resource["operations"]
    }
    assert limits == {
        (resource.id, key(name)): (limit.seconds, limit.why)
        for resource in watch.resources
        for name, limit in resource.limits.items()
    }
    assert all(each["on_failure"] for resource in found["resources"] for each in resource["operations"])
    assert len(found["unchecked"]) == 2, "the services' own limits are on the disk, which is not here"


def test_the_plan_draws_a_tree(defined: Path) -> None:
    assert "\n      └─ watch-manager" in call("plan", "watch").output.replace("   └─ watch-base", "")


@needs_pacemaker
def test_numbers_that_do_not_fit_are_shown_and_never_applied(live: Path, defined: Path) -> None:
    defined.write_text(defined.read_text() + "[cluster.limits]\nmonitor = 72\n")
    before = live.read_text()
    planned = call("plan", "watch")
    assert "watch-base monitor: 73 of 72 s, DOES NOT FIT" in planned.output
    for refused in (planned, call("apply", "watch", "--yes")):
        assert "BSHO6051-E" in str(refused.exception)
        assert "raise cluster.limits.monitor to 131" in str(refused.exception)
    assert live.read_text() == before


def test_the_picture_is_drawn_from_the_model(watch: Model) -> None:
    drawn = ElementTree.fromstring(picture.svg(watch))
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert [each for each in texts if each in watch.start_order] == watch.start_order
    assert texts.count("1.  60 s") == 1
    assert "1.  212 s" in texts


def test_a_report_holds_picture_and_tables(defined: Path, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    call("plan", "watch", "--report", str(page))
    assert "<svg" in page.read_text()
    assert "first look 11 + start limit 60" in page.read_text()
    call("plan", "watch", "--report", str(tmp_path / "plan.md"))
    assert "![Plan of the logical host watch](plan.svg)" in (tmp_path / "plan.md").read_text()
    ElementTree.parse(tmp_path / "plan.svg")
    refused = call("plan", "watch", "--report", str(tmp_path / "none/plan.html"))
    assert "BSHO6052-E" in str(refused.exception)


@needs_pacemaker
def test_a_proof_is_shown_and_reported(live: Path, tmp_path: Path) -> None:
    page = tmp_path / "proof.html"
    shown = call("verify", "watch", "--live", "--report", str(page))
    assert shown.exit_code == 0
    assert "right  node lost: fence the node, then stop watch-manager" in shown.output
    assert "fence n" in page.read_text()


@needs_pacemaker
def test_a_live_cluster_that_would_do_wrong_is_found(live: Path, watch: Model) -> None:
    home = said("status", "watch")[0]["home"]
    for node in watch.nodes:
        if node != home:
            Cib().run("crm_resource", "--resource", "watch", "--ban", "--node", node)
    found = call("verify", "watch", "--live")
    assert "BSHO6058-E logical host watch: the cluster would not do the right thing after: node lost," in str(
        found.exception
    )
    assert "would start: nothing" in found.output


@needs_pacemaker
def test_a_change_that_restarts_asks_first(live: Path, defined: Path) -> None:
    defined.write_text(defined.read_text().replace('interface = "eth0"', "retries = 1"))
    before = live.read_text()
    refused = call("apply", "watch")
    assert "BSHO6054-E logical host watch: would stop watch-manager on n" in str(refused.exception)
    assert "~ watch-base: parameter retries: 3 -> 1" in refused.output
    assert "- watch-address: parameter nic = eth0" in refused.output
    assert live.read_text() == before
    foretold = said("diff", "watch")
    done = said("apply", "watch", "--yes")
    assert done["changed"]
    assert (done["changes"], done["effects"]) == (foretold["changes"], foretold["effects"])
    assert said("apply", "watch") == {"name": "watch", "changed": False, "changes": [], "effects": []}


@needs_pacemaker
def test_a_change_that_restarts_nothing_does_not_ask(live: Path, defined: Path) -> None:
    defined.write_text(defined.read_text().replace('interface = "eth0"', 'interface = "eth0"\nrestarts = 5'))
    done = said("apply", "watch")
    assert [each["setting"] for each in done["changes"]] == ["group watch: option migration-threshold"]
    assert done["effects"] == []


@needs_pacemaker
def test_what_runs_is_not_removed_unasked(live: Path) -> None:
    before = live.read_text()
    assert "BSHO6054-E" in str(call("remove", "watch").exception)
    assert live.read_text() == before


@needs_pacemaker
def test_the_status_tells_where_since_when_and_what_failed(live: Path, watch: Model) -> None:
    shown = said("status", "watch")[0]
    home = shown["home"]
    assert home in watch.nodes
    assert [each["id"] for each in shown["resources"]] == watch.start_order
    assert all(each["since"] for each in shown["resources"])
    simulate.Copy(live).simulate({}, [f"--op-inject=watch-base_monitor_10000@{home}=1"])
    assert [(each["resource"], each["counted"]) for each in said("status")[0]["failures"]] == [("watch-base", 1)]
    assert f"failures of watch-base on {home}: 1 counted" in call("status", "watch").output


@needs_pacemaker
def test_maintenance_shows_and_ends(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operate, "HANDS_OFF", 1.0)  # in a file nothing ever comes to rest
    assert said("maintenance", "on", "watch")["maintenance"]
    assert "IN MAINTENANCE" in call("status", "watch").output
    assert not said("maintenance", "off", "watch")["maintenance"]


@needs_pacemaker
def test_unmanaged_is_not_called_maintenance(live: Path, watch: Model) -> None:
    registration.set_meta(Cib(), "watch", "is-managed", "false")
    assert (said("status")[0]["maintenance"], said("status")[0]["unmanaged"]) == (False, watch.start_order)
    assert "UNMANAGED: watch-disk, " in call("status", "watch").output
    registration.set_meta(Cib(), "watch", "maintenance", "true")
    assert (said("status")[0]["maintenance"], said("status")[0]["unmanaged"]) == (True, [])


@needs_pacemaker
def test_what_the_cluster_does_not_know_is_named(live: Path) -> None:
    assert "BSHO6056-E" in str(call("status", "guard").exception)
    assert "BSHO6055-E node n9: expected one of n1, n2, n3" in str(call("move", "watch", "n9").exception)
    assert "BSHO6055-E" in str(call("standby", "on", "n9").exception)


def test_a_ban_and_an_unclean_node_are_told() -> None:
    seen = cib.parse("""<pacemaker-result><summary><current_dc with_quorum="false"/></summary>
<nodes><node name="n1" online="false" unclean="true"/><node name="n2" online="true" standby="true"/></nodes>
<resources><group id="watch" managed="true" disabled="true"><resource id="watch-base" resource_agent="ocf:bansho:suite"
role="Stopped" managed="true"/>
</group></resources><node_history><node name="n2"><resource_history id="watch-base" fail-count="INFINITY"/></node>
</node_history><failures><failure op_key="watch-base_start_0" node="n2" exitreason="did not start"/></failures>
</pacemaker-result>""")
    found = status.read(seen, "watch")
    assert found
    assert (found.home, found.quorum, found.stopped) == ("", False, True)
    assert [each.state for each in found.nodes] == ["unclean", "standby"]
    assert found.failures[0].bans
    assert found.resources[0].reason == "did not start"


def test_differences_are_told_by_resource_and_parameter() -> None:
    text = """<cib><configuration><crm_config/><resources><group id="g"><primitive id="a" class="ocf" type="x">
<instance_attributes id="a-i"><nvpair id="a-i-p" name="p" value="{p}"/></instance_attributes>
<operations><op id="a-s" name="start" interval="0s" timeout="{t}"/></operations></primitive></group>{more}</resources>
</configuration></cib>"""
    old = cib.parse(text.format(p=1, t="5s", more=""))
    new = cib.parse(text.format(p=2, t="6s", more='<primitive id="b" class="ocf" type="y"/>'))
    assert drift.changes(old, old) == []
    assert [each.words() for each in drift.changes(old, new)] == [
        "~ a: parameter p: 1 -> 2",
        "~ a: operation start, timeout: 5s -> 6s",
        "+ b: class = ocf",
        "+ b: type = y",
    ]


def test_a_definition_is_the_same_whatever_its_comments_and_order(defined: Path, definition: str) -> None:
    one = facts.of_this_node("watch")
    defined.write_text("# why\n" + definition + "\n[ports]\nconsole = 7711\n")
    assert facts.of_this_node("watch") == one
    assert facts.decode(facts.encode(one)) == one


def test_a_definition_that_differs_is_told_by_key_and_node(defined: Path, definition: str) -> None:
    told = facts.decode(facts.encode(facts.of_this_node("watch")))
    changed = definition.replace('interface = "eth0"', 'restarts = 7\nbase-commands = "/opt/my base=1"')
    defined.write_text(changed.replace(', "n3"]', "]"))
    assert facts.compare(["n1", "n2"], "n1", facts.of_this_node("watch"), {"n2": told}) == [
        'the definition\'s cluster.nodes on n2 is ["n1", "n2", "n3"]; here it is ["n1", "n2"]',
        "the definition's cluster.restarts on n2 is 2; here it is 7",
        "the definition's cluster.base-commands on n2 is not set; here it is /opt/my base=1",
        "the definition's cluster.interface on n2 is eth0; here it is not set",
    ]


def test_a_node_without_a_right_definition_says_so(defined: Path, definition: str) -> None:
    defined.write_text("nonsense")
    assert facts.of_this_node("watch")["definition"] == facts.WRONG
    defined.unlink()
    assert facts.of_this_node("watch")["definition"] == facts.ABSENT
    absent = facts.of_this_node("watch")
    assert facts.compare(["n1"], "n1", absent, {}) == ["the definition here is absent"]
    defined.write_text(definition)
    here = facts.of_this_node("watch")
    assert facts.compare(["n1", "n2"], "n1", here, {"n2": absent}) == ["the definition on n2 is absent"]
    assert facts.compare(["n1", "n2"], "n1", absent, {"n2": here}) == ["the definition here is absent"]
