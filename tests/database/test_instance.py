"""Making the database."""

import subprocess
from pathlib import Path

import pytest
from tests.database.imdb import BOTH, Imdb

from bansho.database import configuration, instance, programs
from bansho.database.errors import DirectoryOccupied, ProgramFailed


def control_data(imdb: Imdb) -> str:
    command = [programs.bindir(imdb.host) / "pg_controldata", imdb.data]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={"LC_ALL": "C"}).stdout


@BOTH
def test_it_is_made_once_with_checksums_and_shut_down(not_set_up: Imdb) -> None:
    assert instance.create(not_set_up.host) is True
    made = (not_set_up.data / "PG_VERSION").stat().st_mtime_ns
    assert not_set_up.value() == 12
    assert "Data page checksum version:           1" in control_data(not_set_up)
    assert instance.create(not_set_up.host) is False
    assert (not_set_up.data / "PG_VERSION").stat().st_mtime_ns == made


def test_it_starts(not_set_up: Imdb) -> None:
    instance.create(not_set_up.host)
    not_set_up.controller().ready()
    assert not_set_up.value() == 0


def test_an_interrupted_making_leaves_no_database_and_no_obstacle(not_set_up: Imdb) -> None:
    half = not_set_up.data.with_name("database.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    assert not_set_up.value() == 20
    assert instance.create(not_set_up.host)
    assert not_set_up.value() == 12
    assert not half.exists()


def test_an_empty_folder_in_its_place_is_no_obstacle(not_set_up: Imdb) -> None:
    not_set_up.data.mkdir()
    assert instance.create(not_set_up.host)


def test_what_else_is_in_its_place_stays(not_set_up: Imdb) -> None:
    not_set_up.data.mkdir()
    (not_set_up.data / "letters").write_text("dear all")
    with pytest.raises(DirectoryOccupied, match=r"BSHO3012-E .*letters"):
        instance.create(not_set_up.host)
    assert (not_set_up.data / "letters").read_text() == "dear all"


def test_a_failing_initdb_is_told_in_one_line_and_leaves_no_database(
    not_set_up: Imdb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(configuration, "ROLE", "pg_reserved")
    with pytest.raises(ProgramFailed, match=r"BSHO3008-E .*initdb failed: .*pg_reserved") as error:
        instance.create(not_set_up.host)
    assert "\n" not in str(error.value)
    assert not_set_up.value() == 20


@pytest.mark.usefixtures("as_root")
def test_a_folder_that_the_databases_user_cannot_enter_is_told(not_set_up: Imdb) -> None:
    not_set_up.house.shared.chmod(0o700)
    with pytest.raises(ProgramFailed, match="Permission denied"):
        instance.create(not_set_up.host)


def test_postgresql_sees_nothing_of_our_notify_socket_nor_of_a_clients_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "PGDATA", "PGOPTIONS", "BANSHO_MARK"):
        monkeypatch.setenv(name, "set")
    environment = instance.environment()
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "PGDATA", "PGOPTIONS"} & environment.keys()
    assert environment["BANSHO_MARK"] == "set"
