"""The summary: complete, the same for the same reports in any portions, and the page in docs/ is what it makes."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.nodes import CHECKOUT

from bansho.cli import drill, group
from bansho.drill import comparison, comparison_report, endurance, endurance_report, report, track_record
from bansho.drill.audits import AUDITS
from bansho.drill.campaign import Result, Settings
from bansho.drill.comparison import Trial
from bansho.drill.errors import NoReport, OnACluster, UnknownFault
from bansho.drill.faults import chosen
from bansho.drill.figures import Figures
from bansho.drill.growth import growth
from bansho.drill.legs import Leg
from bansho.drill.tally import Tally
from bansho.drill.trace import Event
from bansho.drill.usage import Series

CONDITIONS = {
    "processors": 2,
    "model": "a processor",
    "memory": 8 << 30,
    "kernel": "6.1",
    "python": "3.11.2",
    "bansho": "0.1.0",
    "packages": {"pacemaker": "2.1.5"},
    "load": [0.5, 0.25, 0.1],
}
COUNTED = Tally(100, 90, 95, 0, 0, 0, 5)


def round_(number: int, fault: str, recovered: float | None, error: str = "", **found: list[str]) -> Result:
    verdicts: dict[str, list[str] | None] = {audit.id: found.get(audit.id, []) for audit in AUDITS}
    legs, timeline = (Leg("fenced", "node fenced", 2.0, 1.0),), (Event(0.0, "n1", f"FAULT: {fault}"),)
    return Result(number, fault, "n1", "n2", 1000.0, True, recovered, 1.25, legs, COUNTED, verdicts, timeline, error)


ROUNDS = [
    round_(1, "power-loss", 8.0),
    round_(2, "kill-imdb", 3.5),
    round_(3, "power-loss", 10.0, I9=["1 of 90 acknowledged events lost"]),
    round_(4, "disk-full", None, error="BSHO8002-E waited"),
]
TRIALS = [
    Trial(1, name, "power-loss", "n1", "n2", 1000.0, silence, silence, silence + 2, COUNTED)
    for name, silence in (("bansho", 5.25), ("pgsql", 6.75))
]


def campaign(rounds: Sequence[Result], seed: int = 7, nodes: int = 3) -> dict[str, Any]:
    settings = Settings(seed, 4, ("power-loss", "kill-imdb", "disk-full"), nodes)
    return as_written(report.document(settings, rounds))


def compared(trials: Sequence[Trial] = TRIALS) -> dict[str, Any]:
    settings = comparison.Settings(7, 1, ("power-loss",), 3)
    return as_written(comparison_report.document(settings, trials, {"bansho": "primitive w", "pgsql": "primitive p"}))


def endured() -> dict[str, Any]:
    judged = growth([(float(n), 1000.0) for n in range(40)], 10.0)
    assert judged
    done = endurance.Done("status", 10.0, 2880, 2880, 8.0, {"0": 2880}, 0.01, 0.2)
    of = Series("base: event-service", "own memory")
    return as_written(
        endurance_report.document(
            endurance.Settings(), endurance.Result((done,), (9.0,), COUNTED, {of: []}, {}, {of: judged}, ())
        )
    )


def as_written(found: dict[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(json.dumps(found | {"conditions": CONDITIONS}))
    return decoded


def summed(*reports: dict[str, Any]) -> Figures:
    return track_record.merged(track_record.figures(each) for each in reports)


def row(page: str, first: str) -> list[str]:
    line = next(line for line in page.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_has_every_fault_invariant_and_figure() -> None:
    page = track_record.markdown(summed(campaign(ROUNDS), compared(), endured()), "reliability.svg")
    assert row(page, "power-loss")[:5] == ["power-loss", "2", "1", "1", "9.0 / 10.0 / 10.0"]
    assert row(page, "power-loss")[5] == "8.8 / 8.8 / 8.8"  # the plain group, until it runs again
    assert row(page, "disk-full")[1:5] == ["1", "0", "1", "-"]
    assert all(audit.holds in row(page, audit.id) for audit in AUDITS)
    assert row(page, "I9")[-1] == "1"
    assert "round 3, power-loss: I9: 1 of 90 acknowledged events lost" in page
    assert "round 4, disk-full: BSHO8002-E waited" in page
    assert "Events: 300 sent, 270 acknowledged, 285 stored, 0 lost, 0 doubled" in page
    assert "primitive p" in page
    assert "5.2 / 5.2 / 5.2 | 6.8 / 6.8 / 6.8" in page
    assert row(page, "status")[2:5] == ["2,880", "2,880", "8.0"]
    assert "2 processors (a processor), 8.0 GiB, Linux 6.1" in page
    assert "](reliability.svg)" in page


def test_what_a_comparison_has_not_run_is_told_from_what_never_came_back() -> None:
    lost = TRIALS[1]._replace(silence=None, reached=None, running=None, error="BSHO8002-E waited")
    alone = TRIALS[0]._replace(round=2, fault="power-off")
    page = track_record.markdown(summed(compared([TRIALS[0], lost, alone])))
    assert row(page, "power-loss")[1:] == ["5.2 / 5.2 / 5.2", "never", "7.2 / 7.2 / 7.2", "never"]
    assert row(page, "power-off")[1:] == ["5.2 / 5.2 / 5.2", "not run", "7.2 / 7.2 / 7.2", "not run"]


def test_a_campaign_with_a_fault_that_has_another_name_now_is_refused_with_a_message(tmp_path: Path) -> None:
    for found in (campaign(ROUNDS), compared()):
        found["settings"]["faults"] = ["flood"]
        (tmp_path / "report.json").write_text(json.dumps(found))
        result = CliRunner().invoke(group, ["drill", "resume", str(tmp_path)])
        assert isinstance(result.exception, UnknownFault), result.output
        assert "flood" in str(result.exception)


def test_the_faults_for_a_cluster_of_ones_own_are_listed_for_programs_too() -> None:
    listed = json.loads(CliRunner().invoke(group, ["drill", "faults", "--json"]).output)
    text = CliRunner().invoke(group, ["drill", "faults"]).output
    assert {each["name"] for each in listed["announced"]} >= {"kill-SERVICE", "move", "standby", "stop", "reset"}
    for each in [*listed["faults"], *listed["announced"]]:
        assert f"  {each['name']:<24} {each['what']}; undone {each['undone']}" in text


COMMANDS = re.findall(r"`bansho (drill [^`]*)`", (CHECKOUT / "docs/track-record.md").read_text())


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_page_of_found_bugs_still_means_something(line: str) -> None:
    _, name, *options = line.split()
    given = drill.command.commands[name].make_context(name, options).params
    assert chosen(given["names"].split(","), given["nodes"])


def test_each_bug_found_has_its_command() -> None:
    rows = (CHECKOUT / "docs/track-record.md").read_text().count("\n| ") - 1
    assert rows == len(COMMANDS) > 0


def test_a_campaign_in_portions_gives_the_same_figures_as_in_one() -> None:
    whole = summed(campaign(ROUNDS))
    portions = summed(campaign(ROUNDS[:1]), campaign(ROUNDS[1:3]), campaign(ROUNDS[3:]))
    for name in ("rounds", "clean", "faults", "invariants", "violations"):
        assert portions["campaigns"]["3"][name] == whole["campaigns"]["3"][name]
    assert summed(whole, campaign(ROUNDS, nodes=2)) == summed(campaign(ROUNDS), campaign(ROUNDS, nodes=2))


def test_the_same_reports_give_the_same_page() -> None:
    reports = campaign(ROUNDS), compared(), endured()
    assert track_record.markdown(summed(*reports)) == track_record.markdown(summed(*reports))
    assert track_record.svg(summed(*reports)) == track_record.svg(summed(*reports))


@pytest.mark.parametrize(
    ("reports", "dots"), [([campaign(ROUNDS)], 3), ([compared()], 2), ([campaign(ROUNDS), compared()], 2)]
)
def test_the_picture_has_a_dot_a_time(reports: list[dict[str, Any]], dots: int) -> None:
    root = ElementTree.fromstring(track_record.svg(summed(*reports)))
    assert len(root.findall("{*}circle")) == dots
    assert root.find("{*}rect") is not None  # a ground of its own: readable on light and dark pages


def test_the_command_writes_page_picture_and_figures_and_takes_figures_again(tmp_path: Path) -> None:
    reports = []
    for number, each in enumerate((campaign(ROUNDS), compared(), endured())):
        reports.append(tmp_path / f"{number}.json")
        reports[-1].write_text(json.dumps(each))
    out = tmp_path / "reliability"
    result = CliRunner().invoke(group, ["drill", "summary", "--out", str(out), *map(str, reports)])
    assert result.exit_code == 0, result.output
    again = CliRunner().invoke(group, ["drill", "summary", f"{out}.json"])
    written = Path(f"{out}.md").read_text()
    assert again.output.rstrip() == track_record.markdown(json.loads(Path(f"{out}.json").read_text())).rstrip()
    assert written.replace("![Times by fault](reliability.svg)\n\n", "") == again.output


def damaged(found: dict[str, Any], *path: str) -> list[str]:
    """A report without one of its parts, and with each of other kinds in its place."""
    *way, last = path
    texts = []
    for other in (None, 5, "text", [5], {"5": 5}):
        copy = json.loads(json.dumps(found))
        inner = reduce(lambda part, name: part[name], way, copy)
        inner[last] = other
        if other is None:
            del inner[last]
        texts.append(json.dumps(copy))
    return texts


NO_REPORTS = ["", "{", "[]", "[" * 100_000, '{"settings": {"nodes": 3}}', '{"kind": "campaign"}']
NO_REPORTS += damaged(campaign(ROUNDS), "settings") + damaged(campaign(ROUNDS), "rounds")
NO_REPORTS += damaged(compared(), "settings", "faults") + damaged(compared(), "trials")
NO_FIGURES = ['{"campaigns": 5}', '{"campaigns": {"3": {"rounds": 1}}}', '{"campaigns": {}, "endurance": [{}]}']
NO_FIGURES += damaged(summed(campaign(ROUNDS)), "campaigns", "3", "faults", "disk-full")[1:]
NO_FIGURES += damaged(summed(compared()), "comparisons", "3", "times", "silence")[1:4]


@pytest.mark.parametrize("text", [*NO_REPORTS, *NO_FIGURES])
def test_what_is_no_report_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    result = CliRunner().invoke(group, ["drill", "summary", str(path)])
    assert isinstance(result.exception, NoReport), result.output
    assert str(path) in str(result.exception)


@pytest.mark.parametrize("text", [*NO_REPORTS, *damaged(campaign([]), "settings", "faults"), *NO_FIGURES])
def test_what_is_no_report_is_not_gone_on_with(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    result = CliRunner().invoke(group, ["drill", "resume", str(tmp_path)])
    assert isinstance(result.exception, NoReport), result.output


def test_a_report_of_a_users_cluster_is_neither_gone_on_with_nor_added_to_a_labs(tmp_path: Path) -> None:
    """In a lab its faults would strike something else, and its report would be written over without its notes."""
    report.write(Settings(0, 1, ("stop",)), ROUNDS[:1], tmp_path, ["seen from one node"], report.ON_A_CLUSTER)
    path = tmp_path / "report.json"
    before = path.read_text()
    for arguments in (["resume", str(tmp_path)], ["summary", str(path)]):
        result = CliRunner().invoke(group, ["drill", *arguments])
        assert isinstance(result.exception, OnACluster), result.output
    assert path.read_text() == before
    with pytest.raises(KeyError, match=report.ON_A_CLUSTER):
        track_record.figures(json.loads(before))


def test_an_interrupted_campaign_is_read_back_as_it_was() -> None:
    settings, results = report.restored(campaign(ROUNDS))
    assert settings.seed == 7
    assert settings.faults == ("power-loss", "kill-imdb", "disk-full")
    assert results == ROUNDS


def test_the_published_page_is_what_its_figures_make() -> None:
    out = CHECKOUT / "docs" / "reliability"
    figures = json.loads(Path(f"{out}.json").read_text())
    assert Path(f"{out}.md").read_text() == track_record.markdown(figures, "reliability.svg")
    assert Path(f"{out}.svg").read_text() == track_record.svg(figures)


def test_a_folder_without_a_report_is_not_gone_on_with(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["drill", "resume", str(tmp_path)])
    assert isinstance(result.exception, NoReport), result.output
    assert str(tmp_path) in str(result.exception)
