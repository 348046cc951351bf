"""The comparison: a series that the seed decides and that is fair, a measure that is what a writer feels, a report."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.drill import census, comparison, comparison_report
from bansho.drill.comparison import CONTENDERS, Settings, Trial
from bansho.drill.contender import COMMON, OWN
from bansho.drill.errors import NoTarget, UnfitFault, UnknownFault
from bansho.drill.faults import FAULTS, GROUPS, unfit
from bansho.drill.faults.fault import Expected, Fault, Scene
from bansho.drill.pgsql_group import without_resources
from bansho.drill.tally import Tally
from bansho.drill.traffic import Acknowledged, Ledger

FOUR = ("power-loss", "move", "stop", "kill-server")


@given(st.integers(0, 2**31), st.integers(1, 60))
def test_each_round_strikes_both_and_every_fault_comes_before_any_comes_again(seed: int, rounds: int) -> None:
    settings = Settings(seed, rounds, FOUR)
    series = comparison.series(settings)
    assert series == comparison.series(settings)
    by_round = {number: {name for each, _, name in series if each == number} for number, _, _ in series}
    assert by_round == {number: set(CONTENDERS) for number in range(1, rounds + 1)}
    counts = Counter(fault for _, fault, _ in series)
    assert max(counts.values()) - min(counts[fault] for fault in FOUR) <= len(CONTENDERS)


@given(st.integers(0, 2**31))
def test_neither_is_always_struck_first_and_they_change_places_once_a_round(seed: int) -> None:
    names = [name for _, _, name in comparison.series(Settings(seed, 20, FOUR))]
    firsts = Counter(names[::2])
    assert set(firsts.values()) == {10}
    assert sum(one != other for one, other in pairwise(names)) == 20


def test_all_faults_are_chosen_where_none_is_named_and_those_for_three_nodes_only_there() -> None:
    assert comparison.chosen((), 3) == (*OWN, *(name for name in COMMON if not unfit(FAULTS[name], 3)))
    assert set(comparison.chosen((), 3)) - set(comparison.chosen((), 2)) == {
        name for name in COMMON if FAULTS[name].least_nodes > 2
    }
    assert comparison.chosen(["stop", "kill-server"], 2) == ("kill-server", "stop")
    assert comparison.chosen(["disk", "kill-server"], 3) == ("kill-server", *GROUPS["disk"])
    with pytest.raises(UnknownFault, match="flood"):
        comparison.chosen(["flood"], 3)
    with pytest.raises(UnfitFault, match="cable-deaf"):
        comparison.chosen(["stop", "cable-deaf"], 2)


def test_what_strikes_the_stage_alone_is_each_fault_of_its_groups_and_knows_nothing_of_the_logical_host() -> None:
    left_out = {"processes", "database", "orders"}
    assert set(COMMON) == {name for group, names in GROUPS.items() if group not in left_out for name in names}
    own = {"HOST", "SHARED", "USER", "PROGRAMS", "COMMANDS", "census"}
    for name in COMMON:
        known = set(vars(sys.modules[type(FAULTS[name]).__module__]))
        assert not known & own, name


class Stage:
    """A stage: what is done to it is noted. `runs`: whatever strikes, it is looked at once and all goes on."""

    def __init__(self, *, runs: bool) -> None:
        self.runs = runs
        self.done: list[str] = []
        self.stage = self
        self.watch = SimpleNamespace(changes=[])

    def give_back(self) -> None:
        self.done.append("give back")

    def running_on(self) -> object:
        if "look" not in self.done:
            self.done.append("look")
        return self if self.runs else None

    def ledger(self) -> Ledger:
        return ledger(time.time())


class Planted(Fault):
    """A fault of which only its undoing mends, or that the cluster must mend."""

    name, what, hold = "planted", "planted", 0.3

    def __init__(self, *, heals: bool, works: bool = True, expected: Expected = "either") -> None:
        self.heals, self.works, self.expected = heals, works, expected

    def strike(self, scene: Scene) -> None:
        scene.stage.lab.done.append("strike")  # type: ignore[attr-defined]
        if not self.works:
            raise NoTarget(what="it", node="n1")

    def undo(self, scene: Scene) -> None:
        scene.stage.lab.done.append("undo")  # type: ignore[attr-defined]


def under(fault: Fault, *, runs: bool = False) -> tuple[list[str], float]:
    """What is done to the stage, and for how long the fault lasted before all was due back."""
    stage: Any = SimpleNamespace(lab=(bare := Stage(runs=runs)))
    scene = Scene(stage, SimpleNamespace(), bare.watch, Random(1))  # type: ignore[arg-type]
    with suppress(NoTarget), comparison._under(bare, fault, scene, bare) as (struck, due):  # type: ignore[arg-type]
        bare.done.append("recover")
        return bare.done, due - struck
    return bare.done, 0.0


def test_what_only_undoing_mends_lasts_its_time_and_is_due_from_then_on() -> None:
    done, lasted = under(Planted(heals=False))
    assert done == ["strike", "look", "undo", "give back", "recover"]
    assert lasted > Planted.hold * 0.9


def test_what_the_cluster_must_mend_is_undone_once_it_is_back_and_is_due_at_once() -> None:
    assert under(Planted(heals=True)) == (["strike", "look", "recover", "undo"], 0.0)


def test_what_nothing_was_seen_of_was_never_away_but_what_must_move_is_late() -> None:
    assert under(Planted(heals=True), runs=True)[1] > Planted.hold * 0.9
    assert under(Planted(heals=True, expected="moves"), runs=True)[1] == 0.0


def test_a_fault_that_was_cut_short_is_undone_too() -> None:
    assert under(Planted(heals=True, works=False))[0] == ["strike", "undo"]


def test_what_never_came_back_is_not_the_next_ones_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage is built anew, whoever comes next."""
    built: list[Any] = []

    @contextmanager
    def turns(lab: str, nodes: int) -> Iterator[Any]:
        built.append(SimpleNamespace(on=SimpleNamespace(configuration=lambda: f"{lab} {nodes}")))
        yield built[-1]

    def found(on: Any, number: int, fault: str, name: str, *_: object) -> Trial:
        seen.append((name, built.index(on)))
        return trial(number, name, None if (number, name) == (1, "bansho") else 1.5)

    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(comparison, "_turns", turns)
    monkeypatch.setattr(comparison, "trial", found)
    trials = list(comparison.run(SETTINGS, {}, tmp_path))
    assert [each.silence for each in trials] == [None, 1.5, 1.5, 1.5]
    assert seen == [("bansho", 0), ("pgsql", 1), ("pgsql", 1), ("bansho", 1)]


def ledger(*times: float) -> Ledger:
    return Ledger({}, {number: Acknowledged(number, at) for number, at in enumerate(times)})


def test_the_longest_silence_and_its_end_are_counted_from_the_fault() -> None:
    assert comparison.longest_silence(ledger(90.0, 105.0, 106.0), 100.0) == (5.0, 5.0)
    late = ledger(99.0, 101.0, 103.0, 110.0, 111.0)
    assert comparison.longest_silence(late, 100.0) == (7.0, 10.0)
    assert comparison.longest_silence(ledger(), 100.0) == (0.0, 0.0)


def trial(number: int, contender: str, silence: float | None, error: str = "") -> Trial:
    counted = Tally(10, 9, 9, 0, 0, 0, 0)
    return Trial(number, contender, "stop", "n1", "n2", 1000.0, silence, silence, silence, counted, error=error)


SETTINGS = Settings(7, 2, ("stop",), 2)
TRIALS = [
    trial(1, "bansho", 1.5),
    trial(1, "pgsql", 2.5),
    trial(2, "pgsql", None, "BSHO8002-E waited <400> s"),
    trial(2, "bansho", 3.5),
]
SHOWN = {"bansho": "primitive watch-base", "pgsql": "primitive <pgsql>"}


def test_the_report_sets_both_side_by_side_and_names_what_never_came_back() -> None:
    found = comparison_report.document(SETTINGS, TRIALS, SHOWN)
    assert found["times"]["silence"]["stop"]["bansho"] == {"rounds": 2, "median": 2.5, "p95": 3.5, "max": 3.5}
    assert found["times"]["silence"]["stop"]["pgsql"]["rounds"] == 1
    assert found["events"]["pgsql"]["acknowledged"] == 9
    assert found["failed"] == ["round 2, pgsql: stop BSHO8002-E waited <400> s"]


def test_where_nobody_took_over_a_server_that_lives_on_is_no_second_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "running", lambda *_: frozenset({"n1", "n2"}))
    stage: Any = SimpleNamespace(lab=None)
    assert comparison._left_on(stage, "n2") == ("n1",)
    assert comparison._left_on(stage, None) == ()


def test_a_server_that_lives_on_where_its_disk_is_not_is_named_as_a_second_owner() -> None:
    found = comparison_report.document(SETTINGS, [TRIALS[0], TRIALS[1]._replace(left_on=("n1",))], SHOWN)
    assert found["second owners"] == ["round 1, pgsql: stop: a server still ran on n1 when n2 had taken over"]


def test_a_report_that_is_read_again_is_the_same_and_its_page_shows_both_configurations(tmp_path: Path) -> None:
    comparison_report.write(SETTINGS, TRIALS, SHOWN, tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())
    assert comparison_report.restored(found) == (SETTINGS, TRIALS, SHOWN)
    page = (tmp_path / "report.html").read_text()
    assert "primitive watch-base" in page
    assert "primitive &lt;pgsql&gt;" in page
    assert "<400>" not in page
    assert page.count("<circle") == 3


CIB = """<configuration><crm_config><nvpair name="stonith-enabled" value="true"/></crm_config><nodes/><resources>
<primitive id="fence" class="stonith" type="fence_bansho_lab"/><group id="watch"><primitive id="watch-base"/></group>
</resources><constraints><rsc_location id="watch-nodes"/></constraints></configuration>"""


def test_a_stage_for_the_other_keeps_nodes_and_fencing_alone() -> None:
    left = ElementTree.fromstring(without_resources(CIB))
    assert [each.get("id") for each in left.iter() if each.get("id")] == ["fence"]
    assert left.find("crm_config/nvpair") is not None
    assert left.find("constraints") is not None
