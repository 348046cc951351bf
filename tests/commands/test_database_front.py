"""The front of `jimdbstatus` says 0 exactly where Python would from the same record, and hands everything else over."""

import json
import os
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.commands import records
from tests.commands.records import AGES, OWNERS, TEXTS, VALUES, Damage
from tests.house import COMMANDS, House

from bansho.commands import status
from bansho.contract import imdatabase
from bansho.database.state import State
from bansho.process import record
from bansho.process.record import Record

FRONT = COMMANDS / "jimdbstatus"
RUNNING = State(imdatabase.RUNNING, "the postmaster lives: accepts connections")
TEXT = RUNNING.line("watch")


@pytest.fixture
def folder(house: House) -> Path:
    """The database's run-time folder; nothing runs."""
    folder = house.run / "watch" / status.DATABASE
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """The front without Python."""
    return records.without_python(FRONT, tmp_path)


def front(alone: Path, *arguments: str) -> tuple[int, str] | None:
    """What the front answers by itself; None where it hands over."""
    command: list[str | Path] = [alone, *(arguments or ("-h", "watch"))]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=20)
    if ended.returncode in {126, 127}:
        return None
    assert ended.stderr == b""
    return ended.returncode, ended.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def python(*arguments: str) -> tuple[int, str] | None:
    """The same question, past the front; None where only a look at the database answers it."""
    return status.quickly(status.DATABASE, list(arguments or ("-h", "watch")))


def own(**changes: Any) -> Record:
    """A record that names this process as the postmaster."""
    found = record.own(0, TEXT, RUNNING.facts("watch") | {"text": TEXT})
    return found._replace(**{"until": record.now() + 6000} | changes)


@pytest.mark.parametrize(("age", "owner"), list(product(AGES, OWNERS)))
def test_whether_a_record_is_believed(folder: Path, alone: Path, age: str, owner: str) -> None:
    record.write(folder / "record", own(until=records.until(age))._replace(**OWNERS[owner]))
    believed = (age, owner) == ("fresh", "this process")
    assert front(alone) == python() == ((0, TEXT) if believed else None)


def test_0_is_the_only_value(folder: Path, alone: Path) -> None:
    for value in VALUES:
        record.write(folder / "record", own(value=value))
        assert front(alone) == python() == (None if value else (0, TEXT))


def test_nothing_but_letters_is_printed(folder: Path, alone: Path) -> None:
    """The folder is the database's user's, the terminal may be root's."""
    for text in (*TEXTS, "\x1b[2J", "a\tb", "a\rb", "\x7f", ""):
        record.write(folder / "record", own(text=text))
        assert front(alone) == python() == ((0, text) if text.isascii() and text.isprintable() else None)


def test_a_zombie_is_dead(folder: Path, alone: Path) -> None:
    with records.zombie() as stat:
        record.write(folder / "record", own(pid=stat.pid, ticks=stat.ticks))
        assert front(alone) is python() is None


def test_who_holds_the_controllers_sign_of_life_lives(folder: Path, alone: Path) -> None:
    """As its postmaster does. The start time is wrong on purpose: it is not read then."""
    with records.holder(folder / "controller") as pid:
        record.write(folder / "record", own(pid=pid, ticks=1))
        assert front(alone) == (0, TEXT)
        (folder / "controller").rename(folder / "another")
        assert front(alone) is python() is None


@pytest.mark.parametrize(
    "arguments", [["-h", "watch"], ["-h", "watch", "-t", "5"], ["-t", "0", "-h", "watch"], ["-t", "32767"]]
)
def test_every_form_of_the_arguments(
    folder: Path, alone: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("JP1_HOSTNAME", "watch")
    record.write(folder / "record", own())
    assert front(alone, *arguments) == python(*arguments) == (0, TEXT)


@pytest.mark.parametrize(
    "arguments",
    [["-h"], ["-h", ""], ["-h", "../watch"], ["-hwatch"], ["-h", "watch", "-t", "32768"], ["-h", "watch", "x"]],
)
def test_other_arguments_are_handed_over(folder: Path, alone: Path, arguments: list[str]) -> None:
    record.write(folder / "record", own())
    assert front(alone, *arguments) is python(*arguments) is None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records.damages)
def test_a_spoilt_record_is_judged_alike(folder: Path, alone: Path, damages: list[Damage]) -> None:
    text = records.spoilt(record.render(own()), damages)
    (folder / "record").write_text(text, newline="")
    assert front(alone) == python(), repr(text)


def test_what_is_no_file_of_its_own_is_not_opened(folder: Path, alone: Path) -> None:
    elsewhere = folder / "elsewhere"
    record.write(elsewhere, own())

    def link(path: Path) -> None:
        path.symlink_to(elsewhere)

    for number, plant in enumerate((os.mkfifo, os.mkdir, link)):
        plant(folder / "record")
        assert front(alone) is python() is None
        (folder / "record").rename(folder / f"done.{number}")
    os.link(elsewhere, folder / "record")
    assert front(alone) == python() == (0, TEXT)


def test_reading_is_bounded(folder: Path, alone: Path) -> None:
    """In processor time, which whatever lies there can cost: a file without an end is given up."""
    (alone.parent / "python3").write_text("#!/bin/sh\nulimit -S -t\n")
    (alone.parent / "python3").chmod(0o755)
    record.write(folder / "record", own(until=0))
    assert front(alone) == (0, "5")


def test_json_is_the_record_s(folder: Path) -> None:
    record.write(folder / "record", own())
    answer = python("-h", "watch", "--json")
    assert answer is not None
    assert json.loads(answer[1]) == {"return": 0, **RUNNING.facts("watch"), "text": TEXT, "messages": []}
    for said in ({"host": "other"}, {"text": "other"}, {"value": 4}):
        record.write(folder / "record", own(document=json.dumps(RUNNING.facts("watch") | {"text": TEXT} | said)))
        assert python("-h", "watch", "--json") is None


def test_it_judges_as_the_suites_fronts_do() -> None:
    """Line by line the same, apart from what is said here."""
    theirs, ours = (set((COMMANDS / name).read_text().splitlines()) for name in ("jbs_spmd_status", "jimdbstatus"))
    code = {line for line in ours - theirs if not line.startswith("#")}
    assert code == {
        "suite=database held=controller",
        '[ -f "$record" ] && [ ! -L "$record" ] && [ -r "$record" ] && ulimit -S -t 5 || python "$@"',
        r'case $text in *[!\ -~]*) python "$@" ;; esac',
        'trusted "$header" && [ "$value" = 0 ] || python "$@"',
    }
    assert {line for line in theirs - ours if not line.startswith("#")} == {
        "suite=base held=spmd.lock",
        '[ -r "$record" ] || python "$@"',
        'trusted "$header" || python "$@"',
    }


def test_what_is_installed_is_what_is_here() -> None:
    source = Path(status.__file__).parent / "sh" / FRONT.name
    assert FRONT.read_bytes() == source.read_bytes(), "run scripts/setup run"
