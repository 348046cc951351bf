"""The controller's record of its postmaster: what `jimdbstatus` may say without asking, in every real condition."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.commands.records import without_python
from tests.database.imdb import Imdb, until
from tests.house import COMMANDS

from bansho.commands import jimdbstatus, status
from bansho.contract import limits
from bansho.database import observe, presence, sighting
from bansho.database.sighting import Sightings
from bansho.database.state import Answer, Facts
from bansho.process import identity, record
from bansho.process.record import Record
from bansho.process.spawning import HELD

TWO_BEATS = round(limits.STALE_BEATS * limits.BEAT * 100)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """The command's front without Python."""
    return without_python(COMMANDS / "jimdbstatus", tmp_path)


def quick(alone: Path) -> bool:
    """Whether the front itself says 0; all it can do else is hand over."""
    ended = subprocess.run([alone, "-h", "watch"], capture_output=True, check=False)
    assert ended.returncode in {0, 126, 127}
    return ended.returncode == 0


def seen(imdb: Imdb) -> Record:
    """The record that is there."""
    found = record.read(sighting.path_of(imdb.host))
    assert found
    return found


def lasting(imdb: Imdb) -> None:
    """Makes the record that is there one that stays fresh for ten minutes, for nobody else writes one now."""
    sighting.write(imdb.host, seen(imdb)._replace(until=record.now() + 60000))


def running(imdb: Imdb, alone: Path) -> None:
    imdb.controller().ready()
    until(lambda: quick(alone), "the controller's record")


def test_it_names_the_postmaster_and_goes_on(imdb: Imdb, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running(imdb, alone)
    first = seen(imdb)
    assert (first.value, first.pid) == (0, imdb.postmaster)
    until(lambda: seen(imdb).until > first.until, "the next look")
    for given in ([], ["--json"]):
        answer = status.quickly(status.DATABASE, ["-h", "watch", *given])
        assert answer is not None
        assert answer[0] == 0
        assert parsed(answer[1]) == parsed(thoroughly(monkeypatch, *given))


def parsed(answer: str) -> object:
    return json.loads(answer) if answer.startswith("{") else answer.rstrip("\n")


def thoroughly(monkeypatch: pytest.MonkeyPatch, *given: str) -> str:
    """What the command finds at the database itself."""
    monkeypatch.setattr(sys, "argv", ["-c", status.DATABASE, "-h", "watch", *given])
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        jimdbstatus.main()
    return out.getvalue()


def test_the_postmaster_has_the_sign_of_life_where_the_front_looks_for_it(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    assert Path(f"/proc/{imdb.postmaster}/fd/{HELD}").samefile(imdb.socket_folder / "controller")


def test_a_postmaster_that_was_killed_is_not_believed_in_any_more(imdb: Imdb, alone: Path) -> None:
    """At once, although nobody takes the record away: the controller stands still."""
    running(imdb, alone)
    imdb._controllers[-1].process.send_signal(signal.SIGSTOP)
    lasting(imdb)
    assert quick(alone)
    imdb.crash()
    assert not quick(alone)
    assert imdb.value() == 16


def test_a_postmaster_that_stands_still_is_believed_in_for_two_beats(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    pid = imdb.postmaster
    os.kill(pid, signal.SIGSTOP)
    until(lambda: (stat := identity.stat(pid)) and stat.state == "T", "a postmaster that stands still")
    latest = record.now() + TWO_BEATS
    while quick(alone):
        assert (found := record.read(sighting.path_of(imdb.host))) is None or found.until <= latest
    until(lambda: not sighting.path_of(imdb.host).exists(), "the look that gets no answer")
    assert imdb.status("-t", "1").returncode == 1
    os.kill(pid, signal.SIGCONT)
    until(lambda: quick(alone), "a record after that")


def test_a_controller_that_was_killed_leaves_a_record_that_is_soon_stale(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    imdb._controllers[-1].process.kill()
    imdb._controllers[-1].ended()
    until(lambda: not quick(alone), "a stale record")
    assert imdb.value() == 0, "the postmaster still runs, as a look at it shows"
    lasting(imdb)
    assert imdb.controller().ended() == 1
    assert not sighting.path_of(imdb.host).exists(), "a new controller begins without one"
    imdb.crash()
    assert imdb.value() == 8


def test_a_stop_takes_it_away_first(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    controller = imdb._controllers[-1]
    controller.process.terminate()
    controller.await_line("STOPPING=1")
    assert not quick(alone)
    assert controller.ended() == 0
    assert not sighting.path_of(imdb.host).exists()


def test_a_look_under_way_finds_nothing_any_more_after_the_end(imdb: Imdb, monkeypatch: pytest.MonkeyPatch) -> None:
    imdb.socket_folder.mkdir(parents=True)
    asked, answer, shown = threading.Event(), threading.Event(), threading.Event()

    def look(*_: object) -> Record:
        asked.set()
        answer.wait()
        return record.own(0, "", {})

    class Watched(Sightings):
        def _show(self, found: Record | None) -> None:
            super()._show(found)
            shown.set()

    monkeypatch.setattr(sighting, "look", look)
    sightings = Watched(imdb.host, os.getpid())
    sightings.begin()
    assert asked.wait(20)
    sightings.end()
    answer.set()
    assert shown.wait(20)
    assert list(imdb.socket_folder.iterdir()) == []


def test_without_the_shared_disk_there_is_none(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    imdb.house.shared.rename(imdb.house.root / "elsewhere")
    until(lambda: not quick(alone), "the end of the record")
    assert imdb.value() == 20
    (imdb.house.root / "elsewhere").rename(imdb.house.shared)
    until(lambda: quick(alone), "a record again")


def test_a_shared_disk_that_does_not_answer_keeps_the_controller_from_nothing_else(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    (imdb.data / "postmaster.pid").unlink()
    os.mkfifo(imdb.data / "postmaster.pid")
    until(lambda: not quick(alone), "a stale record")
    assert imdb.status("-t", "1").returncode == 1
    assert imdb._controllers[-1].stop() == 0


def test_somebody_elses_postmaster_is_not_ours(imdb: Imdb, alone: Path) -> None:
    running(imdb, alone)
    other = identity.stat(os.getpid())
    assert other
    assert sighting.look(imdb.host, other) is None
    ours = identity.stat(imdb.postmaster)
    assert ours
    assert sighting.look(imdb.host, ours)


def test_it_is_fresh_from_when_the_look_began(imdb: Imdb, monkeypatch: pytest.MonkeyPatch) -> None:
    me = identity.stat(os.getpid())
    assert me
    asked = 0

    def slow(*_: object) -> Facts:
        nonlocal asked
        asked = record.now()
        until(lambda: record.now() > asked + 5, "an answer that takes its time")
        return Facts(set_up=True, postmaster=os.getpid(), answer=Answer.ACCEPTING)

    monkeypatch.setattr(observe, "postmaster_alone", slow)
    found = sighting.look(imdb.host, me)
    assert found
    assert found.until <= asked + TWO_BEATS


def test_a_look_leaves_the_controller_its_sign_of_life(imdb: Imdb) -> None:
    """Which a process loses where it closes the file anywhere."""
    me = identity.stat(os.getpid())
    assert me
    imdb.socket_folder.mkdir(parents=True)
    with presence.claim(imdb.host, imdb.account):
        assert sighting.look(imdb.host, me) is None
        assert imdb.value() == 4
    assert imdb.value() == 12


def test_what_lies_in_the_folder_is_not_written_through(imdb: Imdb) -> None:
    """It is the database's user's, and the controller may be root."""
    imdb.socket_folder.mkdir(parents=True)
    victim = imdb.house.root / "victim"
    victim.write_text("mine")
    for name in ("record", "record.new"):
        (imdb.socket_folder / name).symlink_to(victim)
    sighting.write(imdb.host, record.own(0, "", {}))
    assert victim.read_text() == "mine"
    assert [path.name for path in imdb.socket_folder.iterdir()] == ["record"]
    assert not sighting.path_of(imdb.host).is_symlink()


def test_nor_what_is_put_there_meanwhile(imdb: Imdb, monkeypatch: pytest.MonkeyPatch) -> None:
    imdb.socket_folder.mkdir(parents=True)
    victim = imdb.house.root / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok: missing_ok and path.symlink_to(victim))
    with pytest.raises(FileExistsError):
        sighting.write(imdb.host, record.own(0, "", {}))
    assert victim.read_text() == "mine"


def test_a_folder_that_takes_nothing_leaves_no_record(imdb: Imdb) -> None:
    imdb.socket_folder.mkdir(parents=True)
    sighting.write(imdb.host, record.own(0, "", {}))
    (imdb.socket_folder / "record.new").mkdir()
    Sightings(imdb.host, os.getpid())._show(record.own(0, "", {}))
    assert not sighting.path_of(imdb.host).exists()
