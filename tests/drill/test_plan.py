"""The series of faults: a function of the seed, every fault before any comes again, pairs in an order that can work."""

import shlex
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.drill.choice import selected
from bansho.drill.errors import UnfitFault, UnknownFault
from bansho.drill.faults import FAULTS, GROUPS, chosen
from bansho.drill.faults.orders import CutShort
from bansho.drill.plan import expected, named, plan, shuffled
from bansho.drill.stage import PROGRAMS
from bansho.lab import limits

ALL = list(FAULTS.values())


@given(st.integers(0, 2**31), st.integers(1, 120), st.integers(1, 2))
def test_the_seed_decides_and_every_fault_comes_before_any_comes_again(seed: int, rounds: int, at_once: int) -> None:
    series = plan(ALL, rounds, seed, at_once)
    assert len(series) == rounds
    assert [named(faults) for faults in series] == [named(faults) for faults in plan(ALL, rounds, seed, at_once)]
    if at_once == 1:
        first = [faults[0].name for faults in series[: len(ALL)]]
        assert len(set(first)) == len(first)


@given(st.integers(0, 2**31))
def test_of_two_at_once_no_power_is_cut_before_the_other_strikes(seed: int) -> None:
    for faults in plan(ALL, 60, seed, 2):
        assert len({type(fault) for fault in faults}) == len(faults)
        assert [ALL.index(fault) for fault in faults] == sorted(ALL.index(fault) for fault in faults)
        assert len(faults) == 1 or not any(fault.rests for fault in faults)
        assert not (len(faults) > 1 and any(fault.of_standby for fault in faults) and all(f.may_fence for f in faults))


def test_another_seed_is_another_series() -> None:
    assert len({tuple(map(named, plan(ALL, 20, seed))) for seed in range(20)}) > 1


def test_what_is_expected_of_two_at_once() -> None:
    kill, loss, off = FAULTS["kill-imdb"], FAULTS["power-loss"], FAULTS["power-off"]
    assert [expected(each) for each in ((kill,), (loss,), (loss, off), (kill, loss))] == [
        "stays",
        "moves",
        "moves",
        "either",
    ]


def test_faults_are_chosen_by_name_or_group_and_by_the_number_of_nodes() -> None:
    assert {fault.name for fault in chosen((), 3)} == {fault.name for fault in ALL if not fault.lacks()}
    assert {fault.name for fault in chosen(("power", "kill-imdb"), 3)} == {*GROUPS["power"], "kill-imdb"}
    assert not {"cable-cut", "cut-during-takeover"} & {fault.name for fault in chosen((), 2)}
    with pytest.raises(UnknownFault, match="meteor"):
        chosen(("meteor",), 3)


def test_a_name_that_would_leave_nothing_is_refused_with_its_reason_and_never_dropped_in_silence() -> None:
    with pytest.raises(UnfitFault, match=r"'cable-cut'.*it needs 3 nodes, and there are 2"):
        chosen(("power", "cable-cut"), 2)
    unfit = {"fits": "", "flood": "no water", "drought": "no sun"}
    groups = {"weather": ["flood", "drought"], "all": [*unfit]}
    assert selected((), unfit, groups) == selected(["all"], unfit, groups) == ["fits"]
    with pytest.raises(UnfitFault, match=r"'weather'.*no sun; no water"):
        selected(["all", "weather"], unfit, groups)


def test_a_series_of_nothing_is_an_error_and_no_endless_search() -> None:
    with pytest.raises(ValueError, match="something to choose from"):
        plan([], 1, 7)
    assert sorted(shuffled("abc", 7, Random(7))[:6]) == list("aabbcc")


def test_a_command_is_cut_short_where_it_really_runs() -> None:
    """Its command line, which the fault looks for, is what the command's own file hands over to."""
    cut = [fault for fault in ALL if isinstance(fault, CutShort)]
    assert len(cut) == 4
    for fault in cut:
        line = next(line for line in (PROGRAMS / fault.command).read_text().splitlines() if line.startswith("exec "))
        given = shlex.split(line.removeprefix("exec ").replace("$@", "watch").replace("$bin", "/bin"))
        assert fault.mark in "\0".join([*given, ""]).encode()


def test_every_fault_says_what_it_does_and_how_it_is_undone() -> None:
    for fault in ALL:
        assert fault.what
        assert fault.undone
        assert fault.needs


def test_a_fault_that_this_machine_lacks_something_for_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available", lambda controller: controller == "pids")
    assert {fault.name for fault in chosen(("pressure",), 3)} == {"cpu-load", "process-table-full"}
    with pytest.raises(UnfitFault, match="this machine lacks the memory controller"):
        chosen(("memory-pressure",), 3)
