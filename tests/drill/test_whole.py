"""A report is there whole, old or new, whenever the drill is ended: an interruption loses no round."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.drill import test_comparison, test_endurance, test_report

from bansho.drill import comparison_report, endurance, endurance_report, report

JUDGED = endurance.Result((test_endurance.GOOD,), (9.5,), test_endurance.COUNTED, {}, {}, {}, ())
WRITERS: dict[str, Callable[[Path, int], None]] = {
    "campaign": lambda folder, count: report.write(test_report.SETTINGS, test_report.RESULTS[:count], folder),
    "comparison": lambda folder, count: comparison_report.write(
        test_comparison.SETTINGS, test_comparison.TRIALS[:count], test_comparison.SHOWN, folder
    ),
    "endurance": lambda folder, count: endurance_report.write(
        endurance.Settings(nodes=count), JUDGED._replace(problems=("grows",) * count), folder
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_an_interruption_in_the_middle_of_writing_leaves_the_report_as_it_was(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS[kind](tmp_path, 1)
    before = {path.name: path.read_text() for path in tmp_path.glob("report.*")}
    whole = Path.write_text

    def interrupted(path: Path, text: str) -> int:
        whole(path, text[: len(text) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        WRITERS[kind](tmp_path, 2)
    assert {path.name: path.read_text() for path in tmp_path.glob("report.*")} == before
    monkeypatch.undo()
    WRITERS[kind](tmp_path, 2)
    assert json.loads((tmp_path / "report.json").read_text()) != json.loads(before["report.json"])
    assert {path.name for path in tmp_path.iterdir()} == set(before)


def test_an_interrupted_campaign_goes_on_from_its_last_whole_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS["campaign"](tmp_path, 2)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        WRITERS["campaign"](tmp_path, 3)
    _, results = report.restored(json.loads((tmp_path / "report.json").read_text()))
    assert results == test_report.RESULTS[:2]
