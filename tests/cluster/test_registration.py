"""`bansho cluster` against a cluster information base in a file: what Pacemaker's programs do with it is real."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import pytest
from click.testing import CliRunner, Result

from bansho import cli
from bansho.cluster import errors
from bansho.cluster.install import OUR_COMMANDS
from bansho.cluster.model import Model, model
from bansho.cluster.pacemaker import cib, registration, render
from bansho.cluster.pacemaker.cib import Cib
from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import parse

if TYPE_CHECKING:
    from tests.house import House

pytestmark = pytest.mark.skipif(
    not (shutil.which("crm") and shutil.which("cibadmin")), reason="needs crmsh and pacemaker-cli-utils"
)
FENCING = """\
node 1: n1
node 2: n2
node 3: n3
primitive fence stonith:fence_legacy params pcmk_host_list="n1 n2 n3" plugin=null
"""


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cluster information base that Pacemaker's programs take for the live one."""
    file = tmp_path / "cib.xml"
    file.write_text(Cib().run("cibadmin", "--empty").stdout)
    monkeypatch.setenv("CIB_file", str(file))
    return file


@pytest.fixture
def watch(definition: str) -> Model:
    return model(parse(definition, Path("watch.toml")))


@pytest.fixture(scope="module")
def registered_once(tmp_path_factory: pytest.TempPathFactory, definition: str) -> str:
    """An information base with `watch` in it, made once."""
    file = tmp_path_factory.mktemp("registered") / "cib.xml"
    file.write_text(Cib().run("cibadmin", "--empty").stdout)
    for text in (FENCING, render.crm(model(parse(definition, Path("watch.toml"))))):
        cib.load(Cib(file), text, file.with_name("text"))
    return file.read_text()


@pytest.fixture
def registered(live: Path, registered_once: str) -> Path:
    """The live information base, with `watch` in it."""
    live.write_text(registered_once)
    return live


def now() -> Element:
    return cib.parse(Cib().query())


def test_without_a_fencing_device_nothing_is_registered(live: Path, watch: Model) -> None:
    before = live.read_text()
    with pytest.raises(errors.NoFencing, match="no fencing device"):
        registration.apply(watch)
    assert live.read_text() == before


def test_with_fencing_switched_off_nothing_is_registered(live: Path, watch: Model, tmp_path: Path) -> None:
    cib.load(Cib(), FENCING + "property stonith-enabled=false", tmp_path / "text")
    before = live.read_text()
    with pytest.raises(errors.NoFencing, match="stonith-enabled=false"):
        registration.apply(watch)
    assert live.read_text() == before


def test_fencing_in_the_same_call_is_enough(live: Path, watch: Model, tmp_path: Path) -> None:
    cib.load(Cib(), "property stonith-enabled=false", tmp_path / "text")
    assert registration.apply(watch, FENCING)
    assert cib.members(now(), "watch") == watch.start_order
    assert cib.fencing_problem(now()) == ""


def test_fencing_text_without_a_device_is_not_enough(live: Path, watch: Model) -> None:
    before = live.read_text()
    with pytest.raises(errors.NoFencing, match="no fencing device"):
        registration.apply(watch, "property no-quorum-policy=stop stonith-enabled=true")
    assert live.read_text() == before


def test_text_that_is_no_configuration_changes_nothing(live: Path, watch: Model) -> None:
    before = live.read_text()
    with pytest.raises(errors.ToolFailed, match="BSHO6032-E crm ended with 1") as refused:
        registration.apply(
            watch, FENCING + "primitive x ocf:heartbeat:Dummy op monitor interval=10s on-fail=nonsense\n"
        )
    assert "Traceback" not in str(refused.value)
    assert live.read_text() == before


def test_what_pacemaker_finds_wrong_changes_nothing(live: Path, watch: Model) -> None:
    twice = FENCING + "primitive x ocf:heartbeat:Dummy op monitor interval=10s op monitor interval=10s\n"
    before = live.read_text()
    with pytest.raises(errors.InvalidConfiguration, match="nothing is changed"):
        registration.apply(watch, twice)
    assert live.read_text() == before


def test_the_clusters_other_properties_stay(live: Path, watch: Model, tmp_path: Path) -> None:
    cib.load(Cib(), "property no-quorum-policy=freeze", tmp_path / "text")
    registration.apply(watch, FENCING + "property stonith-timeout=7s")
    values = {pair.get("name"): pair.get("value") for pair in now().iter("nvpair")}
    assert (values["no-quorum-policy"], values["stonith-timeout"]) == ("freeze", "7s")


def test_a_second_call_changes_nothing(live: Path, watch: Model) -> None:
    assert registration.apply(watch, FENCING)
    before = live.read_text()
    assert not registration.apply(watch)
    assert live.read_text() == before


def test_a_changed_definition_is_brought_in(registered: Path, definition: str, watch: Model) -> None:
    changed = definition.replace('interface = "eth0"', "restarts = 7").replace(', "n3"', "")
    assert registration.apply(model(parse(changed, Path("watch.toml"))))
    values = {pair.get("name"): pair.get("value") for pair in now().iter("nvpair")}
    assert values["migration-threshold"] == "8"
    assert "nic" not in values
    assert [each.get("value") for each in now().iter("expression")] == ["n1", "n2"]


def test_what_an_operator_has_set_stays(registered: Path, watch: Model) -> None:
    registration.set_meta(Cib(), "watch", "target-role", "Stopped")
    registration.set_meta(Cib(), "watch-base", "is-managed", "false")
    assert not registration.apply(watch)
    assert cib.operators_settings(now(), ["watch", *watch.start_order]) == [
        ("watch", "target-role", "Stopped"),
        ("watch-base", "is-managed", "false"),
    ]


def test_a_suite_that_left_the_definition_is_never_left_running_alone(
    registered: Path, definition: str, watch: Model
) -> None:
    with pytest.raises(errors.NotForACluster, match="watch-manager is registered and no longer defined"):
        registration.apply(model(parse('suites = ["base"]\n' + definition, Path("watch.toml"))))


def test_two_logical_hosts_live_side_by_side(registered: Path, definition: str, watch: Model) -> None:
    other = definition.replace('"watch"', '"guard"').replace("192.0.2.10", "192.0.2.11").replace("/watch", "/guard")
    registration.apply(model(parse(other, Path("guard.toml"))))
    assert registration.remove("watch", 5)
    assert cib.members(now(), "watch") == []
    assert cib.members(now(), "guard") == ["guard-disk", "guard-address", "guard-base", "guard-manager"]
    assert [each.get("id") for each in now().iter("rsc_location")] == ["guard-nodes"]


def test_what_a_move_left_behind_goes_too(registered: Path) -> None:
    Cib().run("crm_resource", "--resource", "watch", "--ban", "--node", "n1")
    Cib().run("crm_resource", "--resource", "fence", "--ban", "--node", "n1")
    assert registration.remove("watch", 5)
    assert [each.get("rsc") for each in now().iter("rsc_location")] == ["fence"]


def test_what_is_not_registered_is_removed_already(live: Path) -> None:
    assert not registration.remove("watch", 5)


def test_somebody_elses_group_is_left_alone(live: Path, defined: "House", watch: Model, tmp_path: Path) -> None:
    theirs = "primitive web-server ocf:heartbeat:Dummy\ngroup watch web-server\n"
    cib.load(Cib(), FENCING + theirs, tmp_path / "text")
    before = live.read_text()
    for arguments in ("remove watch --yes", "apply watch --yes", "move watch", "maintenance on watch", "status watch"):
        assert "BSHO6060-E" in str(call(*arguments.split()).exception), arguments
    assert call("status").output.strip() == ""
    assert live.read_text() == before


def test_what_still_runs_is_not_removed(registered: Path, watch: Model) -> None:
    up = [f"--node-up=n{number}" for number in range(1, 4)]
    files = ("--xml-file", str(registered), "--save-output", str(registered))
    Cib().run("crm_simulate", "--simulate", *files, "--quorum=true", *up)
    with pytest.raises(errors.StillRunning, match="BSHO6035-E logical host watch: watch-"):
        registration.remove("watch", 1)
    assert cib.members(now(), "watch") == watch.start_order


def test_without_pacemakers_programs_one_line_says_what_to_install(
    watch: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.ToolMissing, match="BSHO6031-E cibadmin: no such program"):
        registration.apply(watch)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.group, ["cluster", *arguments], catch_exceptions=True)


@pytest.fixture
def defined(house: "House", definition: str) -> "House":
    (house.etc / "logical-hosts/watch.toml").write_text(definition)
    return house


def test_plan_tells_the_sequence_and_derives_each_limit(defined: "House") -> None:
    said = call("plan", "watch").output
    assert "start: watch-disk -> watch-address -> watch-base -> watch-manager\n" in said
    assert "stop: watch-manager -> watch-base -> watch-address -> watch-disk\n" in said
    assert "  start: 124 s = first look 11 + start limit 60" in said


def test_plan_as_crm_is_what_apply_loads(defined: "House", watch: Model) -> None:
    assert call("plan", "watch", "--format", "crm").output == render.crm(watch)


def test_apply_and_remove_from_the_command_line(defined: "House", live: Path) -> None:
    refused = call("apply", "watch")
    assert isinstance(refused.exception, BanshoError)
    fencing = defined.root / "fencing.crm"
    fencing.write_text(FENCING)
    assert "BSHO6041-I" in call("apply", "watch", "--fencing", str(fencing)).output
    assert "BSHO6042-I" in call("apply", "watch").output
    assert "BSHO6043-I" in call("remove", "watch").output
    assert "BSHO6044-I" in call("remove", "watch").output


def test_a_fencing_file_that_cannot_be_read_is_named(defined: "House", live: Path) -> None:
    refused = call("apply", "watch", "--fencing", str(defined.root / "none"))
    assert "BSHO6037-E" in str(refused.exception)


def test_the_agent_is_installed_for_this_python(house: "House") -> None:
    done = call("agent", "install", "--root", str(house.root), "--json")
    agent = house.root / "usr/lib/ocf/resource.d/bansho/suite"
    assert "BSHO6045-I" in done.stderr
    assert json.loads(done.stdout) == {"path": str(agent), "commands": str(OUR_COMMANDS)}
    assert agent.stat().st_mode & 0o777 == 0o755
    described = subprocess.run([agent, "meta-data"], capture_output=True, text=True, check=True).stdout
    assert '<resource-agent name="suite"' in described


def test_an_agent_that_cannot_be_written_is_one_line(house: "House") -> None:
    (house.root / "usr").write_text("in the way")
    done = call("agent", "install", "--root", str(house.root))
    assert "BSHO6036-E" in str(done.exception)
