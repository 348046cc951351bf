"""The report: verdicts over rounds, times, events; one file that fetches nothing."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bansho.drill import report
from bansho.drill.audits import AUDITS
from bansho.drill.campaign import Result, Settings
from bansho.drill.legs import Leg
from bansho.drill.round import longest_silence
from bansho.drill.tally import Tally
from bansho.drill.trace import Event
from bansho.drill.traffic import Acknowledged, Ledger

SETTINGS = Settings(7, 3, ("power-loss", "kill-imdb"))
KEPT: dict[str, list[str] | None] = {audit.id: [] for audit in AUDITS} | {"I8": None}


def result(number: int, fault: str, recovered: float | None, **found: list[str]) -> Result:
    return Result(
        number=number,
        fault=fault,
        victim="n1",
        successor="n2",
        struck=1000.0,
        noticed=True,
        recovered=recovered,
        silence=1.5,
        legs=(Leg("fenced", "node <fenced>", 2.0, 1.0),),
        tally=Tally(10, 9, 10, 0, 0, 0, 1),
        verdicts={**KEPT, **found},
        timeline=(Event(0.0, "n1", "FAULT: <it>"),),
        error="",
    )


RESULTS = [
    result(1, "power-loss", 8.0),
    result(2, "kill-imdb", 3.0),
    result(3, "power-loss", 10.0, I9=["1 of 9 acknowledged events lost"]),
]


def test_one_violation_is_the_verdict_of_all_rounds_of_a_fault() -> None:
    verdicts = report.document(SETTINGS, RESULTS)["verdicts"]
    assert verdicts["power-loss"]["I9"] == report.BROKEN
    assert verdicts["kill-imdb"]["I9"] == report.KEPT
    assert verdicts["kill-imdb"]["I8"] == report.SILENT


def test_clean_means_that_rounds_ran_and_none_violated_anything() -> None:
    assert report.document(SETTINGS, RESULTS[:2])["clean"]
    assert not report.document(SETTINGS, RESULTS)["clean"]
    assert not report.document(SETTINGS, [])["clean"]
    assert not report.document(SETTINGS, [RESULTS[0]._replace(error="it ended")])["clean"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([4.0], (1, 4.0, 4.0, 4.0)),
        ([1.0, 3.0], (2, 2.0, 3.0, 3.0)),
        ([*map(float, range(1, 21))], (20, 10.5, 19.0, 20.0)),
    ],
)
def test_times(values: list[float], expected: tuple[float, ...]) -> None:
    assert report.times(values) == expected


def test_a_round_without_effect_has_no_time() -> None:
    unseen = RESULTS[1]._replace(noticed=False)
    assert report.distribution([RESULTS[0], unseen, RESULTS[2]]) == {"power-loss": [8.0, 10.0]}


def test_events_of_all_rounds_are_added_and_those_of_an_unfinished_one_are_not() -> None:
    found = report.totals([*RESULTS, RESULTS[0]._replace(error="it ended")])
    assert (found["sent"], found["acknowledged"], found["unanswered"]) == (30, 27, 3)


class Fetches(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [tag for name, _ in attributes if name in {"src", "href"}]
        self.found += [tag] * (tag in {"script", "link"})


def test_the_page_fetches_nothing_and_escapes_what_it_shows(tmp_path: Path) -> None:
    report.write(SETTINGS, RESULTS, tmp_path)
    page = (tmp_path / "report.html").read_text()
    fetches = Fetches()
    fetches.feed(page)
    assert fetches.found == []
    assert "<it>" not in page
    assert "<fenced>" not in page
    assert "1 of 9 acknowledged events lost" in page
    assert len(re.findall("<circle", page)) == 3
    assert json.loads((tmp_path / "report.json").read_text())["rounds"][2]["verdicts"]["I9"]


def test_the_longest_silence_is_counted_from_the_fault_on() -> None:
    times = [90.0, 100.5, 104.0, 105.0]
    ledger = Ledger({}, {number: Acknowledged(number, at) for number, at in enumerate(times)})
    assert longest_silence(ledger, since=100.0) == 3.5
    assert longest_silence(Ledger({}, {}), since=100.0) == 0.0
