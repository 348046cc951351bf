"""The sequence of CONTRACT 2 held against transitions: those of Pacemaker's scheduler, and wrong ones made here."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.cluster import errors
from bansho.cluster.model import Model, model
from bansho.cluster.pacemaker import event, render, sequence, simulate
from bansho.cluster.pacemaker.cib import Cib, load, parse
from bansho.cluster.pacemaker.simulate import Proof
from bansho.cluster.pacemaker.transition import Action, Transition, read
from bansho.logicalhost.definition import parse as definition_of

ORDER = ("watch-disk", "watch-address", "watch-base", "watch-manager")
HOMES = dict.fromkeys(ORDER, "n1")
OVER = [*(Action("stop", each, "n1") for each in ORDER[::-1]), *(Action("start", each, "n2") for each in ORDER)]
needs_pacemaker = pytest.mark.skipif(
    not (shutil.which("crm") and shutil.which("crm_simulate")), reason="needs crmsh and pacemaker-cli-utils"
)


@pytest.fixture(scope="module")
def watch(definition: str) -> Model:
    return model(definition_of(definition, Path("watch.toml")))


def in_a_row(actions: list[Action]) -> Transition:
    """Each waits for all before it."""
    return Transition(tuple(actions), {each: frozenset(actions[:at]) for at, each in enumerate(actions)})


def test_a_takeover_in_order_is_right(watch: Model) -> None:
    assert sequence.problems(watch, in_a_row(OVER), HOMES) == []


@given(order=st.permutations(OVER))
def test_every_other_order_is_wrong(definition: str, order: list[Action]) -> None:
    watch = model(definition_of(definition, Path("watch.toml")))
    found = sequence.problems(watch, in_a_row(order), HOMES)
    assert (found == []) == (order == OVER)


@pytest.mark.parametrize("cut", range(len(OVER) - 1))
def test_an_order_that_nothing_forces_is_luck(watch: Model, cut: int) -> None:
    assert loosened(watch, OVER, cut) == [f"nothing makes '{OVER[cut + 1].words()}' wait for '{OVER[cut].words()}'"]


def test_a_start_that_does_not_wait_for_the_fence_is_luck(watch: Model) -> None:
    fence = Action("fence", "", "n1")
    assert loosened(watch, [fence, *OVER[4:]], 0) == ["nothing makes 'start watch-disk on n2' wait for 'fence n1'"]


def loosened(watch: Model, actions: list[Action], cut: int) -> list[str]:
    """What is wrong where the action after `cut` happens to come then, and need not."""
    lucky, then = in_a_row(actions), actions[cut + 1]
    waits_for = {**lucky.waits_for, then: lucky.waits_for[then] - {actions[cut]}}
    return sequence.problems(watch, lucky._replace(waits_for=waits_for), HOMES)


def test_a_part_that_is_left_running_above_is_wrong(watch: Model) -> None:
    only_disk = in_a_row([Action("stop", "watch-disk", "n1")])
    assert len(sequence.problems(watch, only_disk, HOMES)) == 3


def test_two_owners_are_wrong(watch: Model) -> None:
    found = sequence.problems(watch, in_a_row([Action("start", "watch-disk", "n2")]), HOMES)
    assert found == ["'start watch-disk on n2' while it runs on n1"]


def test_a_start_before_the_fence_is_wrong(watch: Model) -> None:
    fence = Action("fence", "", "n1")
    assert sequence.problems(watch, in_a_row([fence, *OVER[4:]]), HOMES) == []
    assert sequence.problems(watch, in_a_row([*OVER[4:], fence]), HOMES) != []


def test_an_action_on_another_resource_still_carries_the_order() -> None:
    graph = parse("""<transition_graph>
<synapse><action_set><rsc_op id="1" operation="start" operation_key="watch-disk_start_0" on_node="n1"/></action_set>
<inputs/></synapse>
<synapse><action_set><pseudo_event id="2" operation="running" operation_key="other_running_0"/></action_set>
<inputs><trigger><rsc_op id="1"/></trigger></inputs></synapse>
<synapse><action_set><rsc_op id="3" operation="start" operation_key="watch-base_start_0" on_node="n1"/></action_set>
<inputs><trigger><pseudo_event id="2"/></trigger></inputs></synapse></transition_graph>""")
    found = read(graph, dict.fromkeys(ORDER, ""))
    first, then = Action("start", "watch-disk", "n1"), Action("start", "watch-base", "n1")
    assert found.actions == (first, then)
    assert found.waits_for[then] == {first}


@pytest.fixture(scope="module")
def imagined(tmp_path_factory: pytest.TempPathFactory, watch: Model) -> Path:
    """The imagined cluster's file, made once."""
    kept = tmp_path_factory.mktemp("imagined") / "cib.xml"
    with simulate.imagined(watch) as file:
        kept.write_bytes(file.read_bytes())
    return kept


def problems(proofs: list[Proof]) -> dict[str, tuple[str, ...]]:
    return {proof.event.name: proof.problems for proof in proofs if proof.problems}


@needs_pacemaker
def test_what_is_rendered_is_right_after_every_event(imagined: Path, watch: Model) -> None:
    proofs = list(simulate.prove(watch, imagined))
    assert problems(proofs) == {}
    assert [proof.event.name for proof in proofs] == [
        "node lost",
        "watch-base failed once",
        "watch-base failed and could not be restarted",
        "watch-base failed past the threshold",
        "watch-manager failed once",
        "watch-manager failed and could not be restarted",
        "watch-manager failed past the threshold",
        "IM database failed",
        "address lost",
        "disk lost",
        "disk lost for this node",
        "standby probed",
        "standby probe answered",
        "operator's move",
        "node put on standby",
    ]


def problems_after(event: str, watch: Model, file: Path) -> tuple[str, ...]:
    """What is wrong after one event; those that come later are not simulated."""
    return next(proof.problems for proof in simulate.prove(watch, file) if proof.event.name == event)


BREAKS = {
    "no restart before failover": (("migration-threshold", "1"), "watch-base failed once"),
    "never fails over": (("migration-threshold", "9"), "watch-manager failed past the threshold"),
}


@needs_pacemaker
@pytest.mark.parametrize("name", BREAKS)
def test_what_was_changed_by_hand_is_found(name: str, imagined: Path, watch: Model, tmp_path: Path) -> None:
    (option, value), wrong = BREAKS[name]
    file = tmp_path / "cib.xml"
    file.write_bytes(imagined.read_bytes())
    Cib(file).run("crm_resource", "--resource", "watch", "--meta", "--set-parameter", option, "-v", value)
    assert problems_after(wrong, watch, file)


@needs_pacemaker
def test_resources_that_are_only_kept_together_are_found(
    watch: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = render.crm(watch).replace(f"group watch {' '.join(ORDER)}", f"group watch {' '.join(ORDER[1:])}")
    monkeypatch.setattr(render, "crm", lambda _: together + "\ncolocation c inf: watch watch-disk\n")
    with simulate.imagined(watch) as file:
        found = problems_after("node lost", watch, file)
    assert any("nothing makes 'start watch-address" in each for each in found)


@needs_pacemaker
def test_without_fencing_a_lost_node_is_no_proof(imagined: Path, watch: Model, tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    file.write_bytes(imagined.read_bytes())
    load(Cib(file), "property stonith-enabled=false", tmp_path / "text")
    assert any("expected to fence" in each for each in problems_after("node lost", watch, file))


@needs_pacemaker
def test_what_does_not_run_cannot_be_proved(imagined: Path, watch: Model, tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    file.write_bytes(imagined.read_bytes())
    Cib(file).run("crm_resource", "--resource", "watch", "--meta", "--set-parameter", "target-role", "-v", "Stopped")
    with pytest.raises(errors.NotSettled, match="watch-disk: nowhere"):
        list(simulate.prove(watch, file))


@needs_pacemaker
def test_without_restarts_the_first_failure_fails_over(definition: str) -> None:
    watch = model(definition_of(definition + "restarts = 0\n", Path("watch.toml")))
    with simulate.imagined(watch) as file:
        proofs = list(simulate.prove(watch, file))
    assert problems(proofs) == {}
    found = {each.event.name: each.event.expected.where for each in proofs}
    assert "watch-base failed once" not in found
    assert found["address lost"] is event.Where.OTHER
