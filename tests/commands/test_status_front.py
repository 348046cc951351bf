"""The front in sh answers exactly as Python would, whatever the record says, and hands every doubt over."""

import os
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.commands import records
from tests.commands.records import AGES, OWNERS, TEXTS, VALUES, Damage
from tests.house import COMMANDS, House

from bansho.logicalhost import definition
from bansho.process import identity, observation, record
from bansho.process.record import Record

FRONT = COMMANDS / "jbs_spmd_status"


@pytest.fixture
def folder(house: House) -> Path:
    """The suite's run-time folder; nothing runs."""
    house.define()
    folder = house.run / "watch" / "base"
    folder.mkdir(parents=True)
    return folder


def front(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run([FRONT, *(arguments or ("-h", "watch"))], capture_output=True, check=False)
    return ended.returncode, ended.stdout.decode("utf-8", "surrogateescape")


def python() -> tuple[int, str]:
    """The same question, past the front."""
    answer = observation.observe(definition.load("watch"), "base", 10)
    return answer.value, f"{answer.text}\n"


def own(**changes: Any) -> Record:
    return record.own(0, "base on watch: all running", {"a": 1})._replace(**{"until": record.now() + 6000} | changes)


@pytest.mark.parametrize(("age", "owner"), list(product(AGES, OWNERS)))
def test_whether_a_record_is_believed(folder: Path, age: str, owner: str) -> None:
    record.write(folder / "record", own(until=records.until(age))._replace(**OWNERS[owner]))
    answer = front()
    assert answer == python()
    if (age, owner) == ("fresh", "this process"):
        assert answer == (0, "base on watch: all running\n")
    else:
        assert answer[0] in {1, 8, 12}


@pytest.mark.parametrize("value", VALUES)
def test_every_value(folder: Path, value: int) -> None:
    record.write(folder / "record", own(value=value))
    assert front() == python()
    assert front()[0] == (value if value in {0, 1, 4, 12} else 1)


def test_it_asks_no_python_while_the_record_is_fresh(folder: Path, tmp_path: Path) -> None:
    """A front in a folder without an interpreter can still answer."""
    command: list[str | Path] = [records.without_python(FRONT, tmp_path), "-h", "watch"]
    record.write(folder / "record", own(value=4))
    ended = subprocess.run(command, env=dict(os.environ, PATH="/nowhere"), check=False)
    assert ended.returncode == 4
    record.write(folder / "record", own(until=0))
    ended = subprocess.run(command, capture_output=True, check=False)
    assert ended.returncode in {126, 127}


def test_it_does_not_read_the_details(folder: Path) -> None:
    """They are the longest part, and a shell reads byte by byte: it answers from a pipe before they are in it."""
    os.mkfifo(folder / "record")
    process = subprocess.Popen([FRONT, "-h", "watch"], stdout=subprocess.PIPE, text=True)
    with process, (folder / "record").open("w") as pipe:
        pipe.write("".join(record.render(own(value=4)).splitlines(keepends=True)[:2]))
        pipe.flush()
        try:
            answer, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, answer) == (4, "base on watch: all running\n")


@pytest.mark.parametrize(
    "arguments",
    [["-h", "watch"], ["-h", "watch", "-t", "5"], ["-t", "0", "-h", "watch"], ["-h", "watch", "-t", "00032767"[3:]]],
)
def test_every_form_of_the_arguments(folder: Path, arguments: list[str]) -> None:
    record.write(folder / "record", own(value=4, text="four"))
    assert front(*arguments) == (4, "four\n")


def test_a_text_is_printed_as_it_is(folder: Path) -> None:
    for text in TEXTS:
        record.write(folder / "record", own(text=text))
        assert front() == python() == (0, f"{text}\n")


def test_a_zombie_is_dead(folder: Path) -> None:
    with records.zombie() as stat:
        record.write(folder / "record", own(pid=stat.pid, ticks=stat.ticks))
        assert front() == python() == (8, "base on watch: all stopped\n")


def test_who_holds_the_lock_lives_and_nothing_more_is_read_of_it(folder: Path) -> None:
    """The start time in the record is wrong on purpose, so that it can only be the lock that is believed."""
    with records.holder(folder / "spmd.lock") as pid:
        record.write(folder / "record", own(pid=pid, ticks=1, value=4))
        assert front()[0] == 4
        (folder / "spmd.lock").unlink()
        (folder / "spmd.lock").touch()
        assert front() == python()
        assert front()[0] != 4


def test_a_manager_with_a_nasty_program_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a) R 1 (b) *").symlink_to("/bin/cat")
    with subprocess.Popen([tmp_path / "a) R 1 (b) *"], stdin=subprocess.PIPE) as child:
        stat = identity.stat(child.pid)
        assert stat is not None
        assert stat.program == "a) R 1 (b) *"
        record.write(folder / "record", own(value=4, pid=child.pid, ticks=stat.ticks))
        assert front() == python()
        assert front()[0] == 4


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(damages=[("put", -1, "\n")])
@example(damages=[("cut", -2, "")])
@given(records.damages)
def test_a_spoilt_record_is_judged_alike(folder: Path, damages: list[Damage]) -> None:
    text = records.spoilt(record.render(own(value=4)), damages)
    (folder / "record").write_text(text, newline="")
    assert front() == python(), repr(text)


def test_both_fronts_are_the_same_but_for_the_suite() -> None:
    base, manager = (COMMANDS / f"{prefix}_spmd_status" for prefix in ("jbs", "jco"))
    changed = base.read_text().replace("jbs_", "jco_").replace("Base", "Manager").replace("=base", "=manager")
    assert changed == manager.read_text()


def test_what_is_installed_is_what_is_here() -> None:
    sources = Path(__file__).parents[2] / "src" / "bansho" / "commands" / "sh"
    for source in sources.glob("*_*"):
        assert (COMMANDS / source.name).read_bytes() == source.read_bytes(), "run scripts/setup run"


def test_a_command_works_through_symbolic_links(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to(FRONT)
    (tmp_path / "second").symlink_to("first")
    for way in ([tmp_path / "second"], ["sh", "second"]):
        ended = subprocess.run([*way, "-h", "watch"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (8, "base on watch: all stopped\n", "")
