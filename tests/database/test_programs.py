"""Where PostgreSQL is found."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.database.imdb import NEWEST
from tests.house import House

from bansho.database import programs
from bansho.database.errors import ProgramsAbsent
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost


def host_with(house: House, text: str = "") -> LogicalHost:
    house.define("watch", text)
    return definition.load("watch")


def install(root: Path, version: str) -> Path:
    folder = root / version / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").touch()
    return folder


def test_the_definition_comes_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    named, other = install(house.root, "named"), install(house.root / "distribution", "15")
    monkeypatch.setattr(programs, "DISTRIBUTIONS", [(house.root / "distribution", "*/bin")])
    assert programs.bindir(host_with(house, f'[database]\nbindir = "{named}"')) == named
    assert programs.bindir(host_with(house)) == other


def test_a_named_folder_without_postgres_is_an_error_not_a_reason_to_look_elsewhere(house: House) -> None:
    with pytest.raises(ProgramsAbsent, match="/nowhere"):
        programs.bindir(host_with(house, '[database]\nbindir = "/nowhere"'))


def test_of_the_distribution_the_newest_counts_by_number(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "DISTRIBUTIONS", [(house.root, "*/bin")])
    for version in ("9.6", "15", "16", "100"):
        install(house.root, version)
    assert [folder.parent.name for folder in programs.distributions()] == ["100", "16", "15", "9.6"]


def test_without_a_distribution_it_is_the_wheel(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "DISTRIBUTIONS", [])
    assert programs.bindir(host_with(house)) == NEWEST[-1]
    assert programs.major_version(NEWEST[-1]) == 18


def test_the_wheel_is_never_imported() -> None:
    code = "import sys; from bansho.database import programs; print(*programs.wheel(), programs.WHEEL in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert answer == [str(NEWEST[-1]), "False"]


def test_nothing_anywhere_says_what_to_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "DISTRIBUTIONS", [(house.root, "*/bin")])
    monkeypatch.setattr(programs, "WHEEL", "no_such_package")
    with pytest.raises(ProgramsAbsent, match=r"BSHO3001-E .*database\.bindir"):
        programs.bindir(host_with(house))
