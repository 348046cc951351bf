"""The rendered Pacemaker configuration: its text, and what Pacemaker's own scheduler makes of it, without a cluster."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bansho.cluster.model import Model, model
from bansho.cluster.pacemaker import cib, registration, render
from bansho.cluster.pacemaker.cib import Cib
from bansho.logicalhost.definition import parse

GOLDEN = Path(__file__).parent / "watch.crm"
CLUSTER = """\
node 1: n1
node 2: n2
node 3: n3
node 4: n4
primitive fence stonith:fence_legacy params pcmk_host_list="n1 n2 n3 n4" plugin=null
"""
needs_pacemaker = pytest.mark.skipif(
    not (shutil.which("crm") and shutil.which("crm_simulate")), reason="needs crmsh and pacemaker-cli-utils"
)


@pytest.fixture
def watch(definition: str) -> Model:
    return model(parse(definition, Path("watch.toml")))


class Scheduler:
    """Pacemaker's scheduler on a cluster that exists only as a file: four nodes, and `watch` on the first three."""

    def __init__(self, folder: Path, model: Model) -> None:
        self.file = folder / "cib.xml"
        self.file.write_text(Cib().run("cibadmin", "--empty").stdout)
        cib.load(Cib(self.file), CLUSTER + render.crm(model), folder / "text.crm")
        self.simulate("--quorum=true", *(f"--node-up=n{number}" for number in range(1, 5)))

    def simulate(self, *events: str) -> list[str]:
        """Lets events happen; what the cluster does about them, in order. The file is then the state afterwards."""
        files = ("--xml-file", str(self.file), "--save-output", str(self.file))
        done = Cib().run("crm_simulate", "--simulate", *files, *events)
        actions = done.stdout.partition("Executing Cluster Transition")[2]
        found = re.findall(r"^ +\* (?:Resource action:|Fencing) +(.+?) *$", actions, re.MULTILINE)
        return [" ".join(action.split()) for action in found]

    def set(self, name: str, value: str) -> None:
        registration.set_meta(Cib(self.file), "watch", name, value)

    def verify(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["crm_verify", "--verbose", "--xml-file", self.file],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ,
        )


@pytest.fixture
def scheduler(tmp_path: Path, watch: Model) -> Scheduler:
    return Scheduler(tmp_path, watch)


def of(actions: list[str], operation: str) -> list[str]:
    """`RESOURCE on NODE` for each action of that kind, in order."""
    return [each.replace(f" {operation} on ", " on ") for each in actions if f" {operation} on " in each]


def test_the_text(watch: Model) -> None:
    assert render.crm(watch) == GOLDEN.read_text()


def test_what_could_break_out_of_a_value_is_escaped(definition: str, tmp_path: Path) -> None:
    text = definition.replace("/dev/disk/by-label/watch", '/dev/a \\"b\\" $c #d')
    rendered = render.crm(model(parse(text, Path("watch.toml"))))
    assert 'device="/dev/a \\"b\\" $c #d"' in rendered


@needs_pacemaker
def test_pacemaker_finds_no_error_in_it(scheduler: Scheduler) -> None:
    assert "error" not in scheduler.verify().stderr.lower()


@needs_pacemaker
def test_it_starts_in_the_contracts_sequence_on_one_node(tmp_path: Path, watch: Model) -> None:
    scheduler = Scheduler(tmp_path, watch)
    located = Cib(scheduler.file).run("crm_resource", "--resource", "watch-manager", "--locate").stdout
    node = located.split()[-1]
    scheduler.set("target-role", "Stopped")
    stopped = of(scheduler.simulate(), "stop")
    assert stopped == [f"{each} on {node}" for each in watch.stop_order]
    scheduler.set("target-role", "Started")
    started = of(scheduler.simulate(), "start")
    assert [each.split()[0] for each in started] == watch.start_order
    assert len({each.split()[-1] for each in started}) == 1


@needs_pacemaker
def test_it_never_runs_on_a_node_that_is_not_its_own(scheduler: Scheduler, watch: Model) -> None:
    for node in ("n1", "n2", "n3"):
        scheduler.simulate(f"--node-down={node}")
    for resource in watch.start_order:
        located = Cib(scheduler.file).run("crm_resource", "--resource", resource, "--locate", accepted=range(256))
        assert "is running on" not in located.stdout


def home(scheduler: Scheduler) -> str:
    found = Cib(scheduler.file).run("crm_resource", "--resource", "watch-base", "--locate").stdout
    return found.split()[-1]


@needs_pacemaker
def test_it_restarts_on_its_node_before_it_fails_over(scheduler: Scheduler, watch: Model) -> None:
    first = home(scheduler)
    for _ in range(watch.restarts):
        scheduler.simulate(f"--op-inject=watch-base_monitor_200@{first}=1")
        assert home(scheduler) == first
    actions = scheduler.simulate(f"--op-inject=watch-base_monitor_200@{first}=1")
    assert home(scheduler) != first
    assert of(actions, "stop") == [f"{each} on {first}" for each in watch.stop_order]
    assert of(actions, "start") == [f"{each} on {home(scheduler)}" for each in watch.start_order]


@needs_pacemaker
def test_a_failure_of_base_restarts_manager_too_and_leaves_disk_and_address(scheduler: Scheduler) -> None:
    node = home(scheduler)
    actions = scheduler.simulate(f"--op-inject=watch-base_monitor_200@{node}=1")
    assert of(actions, "stop") == [f"watch-manager on {node}", f"watch-base on {node}"]
    assert of(actions, "start") == [f"watch-base on {node}", f"watch-manager on {node}"]


@needs_pacemaker
def test_a_stop_without_proof_fences_the_node(scheduler: Scheduler) -> None:
    node = home(scheduler)
    scheduler.set("target-role", "Stopped")
    scheduler.simulate(f"--op-fail=watch-base_stop_0@{node}=1")
    assert f"{node} (reboot)" in scheduler.simulate()


@needs_pacemaker
def test_a_lost_node_is_fenced_before_anything_starts_elsewhere(scheduler: Scheduler, watch: Model) -> None:
    first = home(scheduler)
    actions = scheduler.simulate(f"--node-fail={first}")
    assert home(scheduler) != first
    begun = actions.index(f"watch-disk start on {home(scheduler)}")
    assert actions.index(f"{first} (reboot)") < begun
    assert of(actions, "start") == [f"{each} on {home(scheduler)}" for each in watch.start_order]


@needs_pacemaker
def test_it_stays_where_it_runs_when_a_node_comes_back(scheduler: Scheduler) -> None:
    first = home(scheduler)
    scheduler.simulate(f"--node-fail={first}")
    second = home(scheduler)
    scheduler.simulate(f"--node-up={first}")
    assert home(scheduler) == second
