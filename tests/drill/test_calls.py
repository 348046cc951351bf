"""Calls of `bansho drill` that cannot be: refused before any node is built, and nothing that is there is lost."""

from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

from bansho.cli import drill_record, group
from bansho.drill import campaign, comparison, endurance

REPORT = '{"hours": "of rounds"}'


@pytest.fixture(autouse=True)
def _interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a lab would be built, the user interrupts."""

    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(drill_record, "missing", list)
    for module in (campaign, comparison):
        monkeypatch.setattr(module, "run", interrupt)
    monkeypatch.setattr(endurance, "run_all", interrupt)


def drill(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["drill", *map(str, arguments)])


@pytest.mark.parametrize("command", ["run", "compare", "endure", "run --on-this-cluster watch"])
def test_a_report_is_never_written_over_by_a_new_one(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "a drill"
    folder.mkdir()
    (folder / "report.json").write_text(REPORT)
    result = drill(*command.split(), "--report", folder)
    assert result.exit_code == 2
    assert result.output.startswith(f"BSHO8012-E {folder}/report.json: a report is there already;")
    assert (f"bansho drill resume '{folder}'" in result.output) == (command in {"run", "compare"})
    assert [path.read_text() for path in folder.iterdir()] == [REPORT]


@pytest.mark.parametrize("command", ["run", "compare"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--faults", "flood"], "BSHO8003-E fault 'flood'"),
        (["--faults", "cable-cut", "--nodes", "2"], "BSHO8011-E fault 'cable-cut'"),
        (["--rate", "0"], "--rate"),
        (["--rate", "-1"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--rate", "inf"], "--rate"),
    ],
)
def test_what_cannot_be_asked_for_is_wrong_usage(tmp_path: Path, command: str, options: list[str], said: str) -> None:
    result = drill(command, *options, "--report", tmp_path / "new")
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", ["run", "compare"])
def test_what_was_interrupted_names_its_folder_and_is_gone_on_with(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "a drill"
    for result in (drill(command, "--report", folder), drill("resume", folder)):
        assert result.exit_code == 1
        assert f"go on with: bansho drill resume '{folder}'" in result.output


def test_an_interrupted_endurance_run_names_no_way_to_go_on(tmp_path: Path) -> None:
    result = drill("endure", "--report", tmp_path)
    assert result.exit_code == 1
    assert "taken down" in result.output
    assert "resume" not in result.output
