"""The endurance run's own judgement: wrong answers, lost events, growth under load, and what each restart leaves."""

import json
import sys
from pathlib import Path

import pytest

from bansho.drill import calls, endurance, endurance_report
from bansho.drill.endurance import WORK, Done, Result, Settings
from bansho.drill.growth import growth
from bansho.drill.tally import Tally
from bansho.drill.usage import TOLERATED, Series

GOOD = Done("status", 10.0, 100, 100, 0.3, {"0": 100}, 0.01, 0.2)
COUNTED = Tally(10, 10, 10, 0, 0, 0, 0)
MEMORY, FILES = Series("base: event-service", "own memory"), Series("n1", "files")
RISING = [(float(n), 1000.0 + 500 * n) for n in range(40)]
STEADY = [(float(n), 1000.0) for n in range(40)]


@pytest.mark.parametrize(
    ("done", "counted"),
    [
        (GOOD._replace(values={"0": 99, "12": 1}), COUNTED),
        (GOOD._replace(values={"0": 99, "-9": 1}), COUNTED),
        (GOOD._replace(made=0, values={}), COUNTED),
        (GOOD, COUNTED._replace(lost=1)),
        (GOOD, COUNTED._replace(doubled=1)),
    ],
)
def test_a_wrong_answer_and_a_lost_event_are_named(done: Done, counted: Tally) -> None:
    assert len(list(endurance.wrong([GOOD, done], counted))) == 1
    assert list(endurance.wrong([GOOD], COUNTED)) == []


def test_what_grows_under_load_is_named_and_what_does_not_is_not() -> None:
    judged = {
        series: growth(values, TOLERATED[series.measure]) for series, values in ((MEMORY, RISING), (FILES, STEADY))
    }
    found = list(endurance.leaks({series: each for series, each in judged.items() if each}, {}))
    assert len(found) == 1
    assert "own memory of base: event-service grows" in found[0]


@pytest.mark.parametrize(
    ("left", "named"),
    [
        ([10, 11, 12, 13, 14, 15, 16, 17], True),
        ([10, 10, 11, 12, 12, 13, 14, 14], True),
        ([10, 12, 12, 12, 12, 12, 12, 12], False),
        ([10, 11, 10, 11, 10, 11, 10, 11], False),
    ],
)
def test_what_each_restart_leaves_behind_is_named(left: list[float], named: bool) -> None:
    values = [(float(number), value) for number, value in enumerate(left, 1)]
    assert bool(list(endurance.leaks({}, {FILES: values}))) == named
    assert not list(endurance.leaks({}, {MEMORY: values}))  # a new process has a memory of its own


def test_every_monitoring_command_is_compressed() -> None:
    programs = {Path(each.command[0]).name for each in WORK}
    assert {"jbs_spmd_status", "jco_spmd_status", "jimdbstatus", "jevstat"} <= programs


def test_calls_are_paced_made_side_by_side_and_answered_with_their_value(capfd: pytest.CaptureFixture[str]) -> None:
    calls.give(20, 1.0, 3, [sys.executable, "-S", "-c", "raise SystemExit(4)"])
    found = calls.answers(capfd.readouterr().out.splitlines())
    assert 0 < len(found) <= 20
    assert {each.value for each in found} == {4}
    assert all(each.took > 0 for each in found)


def test_each_call_is_due_its_share_of_the_way() -> None:
    moments = calls.due(4, 10.0, 100.0)
    assert [next(moments) for _ in range(4)] == [100.0, 102.5, 105.0, 107.5]


def test_the_report_has_every_series_and_escapes_what_it_shows(tmp_path: Path) -> None:
    judged = growth(RISING, 10.0)
    assert judged
    result = Result((GOOD,), (9.5,), COUNTED, {MEMORY: RISING}, {FILES: []}, {MEMORY: judged}, ("<it> grows",))
    endurance_report.write(Settings(), result, tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())
    assert not found["clean"]
    assert found["growth"]["base: event-service: own memory"]["leaks"]
    assert len(found["samples"]["base: event-service: own memory"]) == len(RISING)
    page = (tmp_path / "report.html").read_text()
    assert "&lt;it&gt; grows" in page
    assert page.count("<polyline") == 1
