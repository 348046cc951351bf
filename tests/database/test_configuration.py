"""PostgreSQL runs as the logical host needs it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from tests.database.imdb import BOTH, Imdb

from bansho.database import configuration
from bansho.database.account import Account
from bansho.database.connection import conninfo


def test_a_folder_with_quotes_cannot_break_out_of_its_setting() -> None:
    text = configuration.settings(Path("/run/o'clock"))
    assert "unix_socket_directories = '\"/run/o''clock\"'\n" in text


def test_root_and_the_postmasters_user_may_be_the_role_and_nobody_else() -> None:
    lines = configuration.identities(Account("postgres", 101, 104)).splitlines()
    assert [line.split() for line in lines] == [["bansho", '"postgres"', "bansho"], ["bansho", '"root"', "bansho"]]
    assert len(configuration.identities(Account("root", 0, 0)).splitlines()) == 1


@BOTH
def test_the_running_server_has_what_safety_and_recovery_need(imdb: Imdb) -> None:
    with (imdb.data / "postgresql.conf").open("a") as file:
        file.write("work_mem = '5MB'\nmax_locks_per_transaction = 70\n")
    imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as connection:
        rows = connection.execute("select name, setting from pg_settings").fetchall()
        encoding = connection.execute("show server_encoding").fetchone()
    settings: dict[str, str] = dict(rows)
    expected = {
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "restart_after_crash": "off",
        "checkpoint_timeout": "60",
        "max_wal_size": "256",
        "unix_socket_directories": f'"{imdb.socket_folder}"',
        "max_locks_per_transaction": "70",
    }
    assert {name: settings[name] for name in expected} == expected
    assert encoding == ("UTF8",)


def test_everything_is_closed_to_other_users(imdb: Imdb) -> None:
    imdb.controller().ready()
    paths = [imdb.socket_folder, imdb.data, *imdb.data.rglob("*.conf"), imdb.socket_folder / "controller"]
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        assert path.stat().st_uid == imdb.account.uid, path


@pytest.mark.usefixtures("as_root")
def test_another_user_is_turned_away_even_at_an_open_door(imdb: Imdb) -> None:
    imdb.controller().ready()
    imdb.socket_folder.chmod(0o755)
    (imdb.socket_folder / ".s.PGSQL.5432").chmod(0o777)
    code = f"import psycopg; psycopg.connect({conninfo(imdb.host)!r})"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        user="daemon",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Peer authentication failed" in answer.stderr
