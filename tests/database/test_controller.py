"""The service `imdb`: it brings PostgreSQL up, watches it, stops it, and never outlives it unnoticed."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest
from tests.database.imdb import BOTH, NEWEST, Imdb, define, until

from bansho.database import postmaster, schema
from bansho.database.connection import conninfo


@BOTH
def test_ready_comes_once_with_the_schema_in_place(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as connection:
        applied = connection.execute("select count(*) from migration").fetchone()
    assert applied == (len(schema.migrations()),)
    assert controller.stop() == 0
    while controller.next(0):
        pass
    assert controller.seen.count("READY=1") == 1, "PostgreSQL itself must not speak to our process manager"
    assert "STOPPING=1" in controller.seen


@BOTH
def test_what_was_written_is_there_after_a_stop_and_after_a_crash(imdb: Imdb) -> None:
    for end in (Imdb.crash, lambda imdb: imdb._controllers[-1].stop()):
        controller = imdb.controller().ready()
        with psycopg.connect(conninfo(imdb.host)) as connection:
            connection.execute("create table if not exists kept (number serial)")
            connection.execute("insert into kept default values")
        end(imdb)
        controller.ended()
    imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (2,)


def test_a_stop_makes_a_checkpoint_and_does_not_wait_for_clients(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    client = psycopg.connect(conninfo(imdb.host))
    client.execute("create table half (number integer)")
    assert controller.stop() == 0
    client.close()
    said = controller.said()
    assert said.index("checkpoint starting: immediate force wait") < said.index("received fast shutdown request")
    assert imdb.value() == 12


def test_a_stop_while_it_recovers(imdb: Imdb) -> None:
    (imdb.data / "standby.signal").touch()
    imdb.account.give(imdb.data / "standby.signal")
    with (imdb.data / "postgresql.auto.conf").open("a") as file:
        file.write("hot_standby = off\n")
    controller = imdb.controller()
    until(lambda: "reject" in imdb.status().stdout, "a postmaster that recovers")
    assert controller.stop() == 0
    assert postmaster.processes(imdb.data) == []


def test_a_postmaster_that_stands_still_is_stopped_in_order(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    os.kill(imdb.postmaster, signal.SIGSTOP)
    assert controller.stop() == 0
    said = controller.said()
    assert said.index("checkpoint starting: immediate force wait") < said.index("received fast shutdown request")


def test_a_postmaster_that_ignores_a_fast_shutdown_is_ended_harder(imdb: Imdb) -> None:
    code = (
        "import asyncio; from bansho.database import server, controller; server.CHECKPOINT = server.FAST = 0.2;"
        "server.IMMEDIATE = 0.2; controller.main()"
    )
    log = imdb.house.root / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "BANSHO_HOST": "watch"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    until(lambda: imdb.value() == 0, "a running database")
    client = psycopg.connect(conninfo(imdb.host))
    os.kill(client.info.backend_pid, signal.SIGSTOP)
    process.terminate()
    assert process.wait(20) == 1
    client.close()
    assert "BSHO3007-E" in log.read_text()
    assert "SIGKILL" in log.read_text()


def test_it_ends_with_the_postmaster(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    os.kill(imdb.postmaster, signal.SIGKILL)
    assert controller.ended() == 1
    assert "BSHO3007-E logical host watch: the postmaster ended (signal SIGKILL)" in controller.said()


def test_a_crashed_backend_is_a_failure_of_the_service_and_not_restarted_here(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    client = psycopg.connect(conninfo(imdb.host))
    os.kill(client.info.backend_pid, signal.SIGKILL)
    assert controller.ended() == 1
    client.close()
    assert imdb.value() == 8


def test_it_beats_while_connections_are_accepted_and_only_then(imdb: Imdb) -> None:
    controller = imdb.controller(WATCHDOG_USEC="400000").ready()
    for _ in range(3):
        controller.await_line("WATCHDOG=1")
    pid = imdb.postmaster
    os.kill(pid, signal.SIGSTOP)
    while controller.next(1.0):
        pass
    assert controller.next(1.0) == [], "a beat for a database that does not answer"
    os.kill(pid, signal.SIGCONT)
    controller.await_line("WATCHDOG=1")


def test_a_second_controller_is_refused_and_the_first_goes_on(imdb: Imdb) -> None:
    first = imdb.controller().ready()
    second = imdb.controller()
    assert second.ended() == 1
    assert f"BSHO3011-E logical host watch: process {first.process.pid} controls" in second.said()
    assert imdb.value() == 0


def test_an_orphaned_postmaster_is_named_and_left_alone(imdb: Imdb) -> None:
    first = imdb.controller().ready()
    orphan = imdb.postmaster
    first.process.kill()
    first.process.wait()
    assert imdb.value() == 0, "it still runs"
    second = imdb.controller()
    assert second.ended() == 1
    assert "BSHO3004-E" in second.said()
    assert str(orphan) in second.said()
    assert imdb.postmaster == orphan
    imdb.crash()
    imdb.controller().ready()
    assert imdb.value() == 0


def test_orphaned_backends_without_a_postmaster_are_found_too(imdb: Imdb) -> None:
    imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        leader = imdb.postmaster
        os.kill(leader, signal.SIGKILL)
        until(lambda: postmaster.processes(imdb.data) == [backend], "only the stopped backend")
        (imdb.data / "postmaster.pid").unlink()
        again = imdb.controller()
        assert again.ended() == 1
        assert f"is in use by process {backend} of" in again.said()
        os.kill(backend, signal.SIGKILL)


@BOTH
def test_another_nodes_postmaster_pid_is_stale_whoever_has_the_number_here(imdb: Imdb) -> None:
    stranger = imdb.as_database_user("sleep", "60")
    try:
        (imdb.data / "postmaster.pid").write_text(f"{stranger.pid}\n{imdb.data}\n0\n5432\n\n\n\nready\n")
        imdb.account.give(imdb.data / "postmaster.pid")
        imdb.controller().ready()
        assert imdb.postmaster != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_sockets_lock_file_is_stale_too(imdb: Imdb) -> None:
    stranger = imdb.as_database_user("sleep", "60")
    try:
        imdb.socket_folder.mkdir(parents=True)
        (imdb.socket_folder / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n{imdb.data}\n0\n5432\n\n")
        imdb.controller().ready()
    finally:
        stranger.kill()
        stranger.wait()


def test_without_a_database_it_says_how_to_make_one(not_set_up: Imdb) -> None:
    controller = not_set_up.controller()
    assert controller.ended() == 1
    assert "BSHO3002-E" in controller.said()
    assert "bansho setup watch" in controller.said()


@pytest.mark.skipif(len(NEWEST) < 2, reason="needs two versions of PostgreSQL")
def test_a_database_of_another_major_version_is_refused_untouched(imdb: Imdb) -> None:
    before = (imdb.data / "global" / "pg_control").read_bytes()
    define(imdb.house, NEWEST[1])
    controller = imdb.controller()
    assert controller.ended() == 1
    assert "BSHO3003-E" in controller.said()
    assert "version 15, the programs in" in controller.said()
    assert (imdb.data / "global" / "pg_control").read_bytes() == before


@pytest.mark.usefixtures("as_root")
def test_a_database_of_another_user_is_refused(imdb: Imdb) -> None:
    os.chown(imdb.data, 12345, -1)
    controller = imdb.controller()
    assert controller.ended() == 1
    assert "BSHO3005-E" in controller.said()
    assert "12345" in controller.said()


@pytest.mark.usefixtures("as_root")
def test_a_socket_folder_that_is_missing_where_it_cannot_be_made_is_told(imdb: Imdb) -> None:
    imdb.house.run.chmod(0o755)
    environment = {**os.environ, "BANSHO_HOST": "watch"}
    answer = subprocess.run(
        [sys.executable, "-m", "bansho.database.controller"],
        user=imdb.account.uid,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("BSHO3014-E ")
    assert len(answer.stderr.splitlines()) == 1


def test_a_schema_that_does_not_fit_ends_it_with_the_database_stopped_in_order(imdb: Imdb) -> None:
    first = imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as connection:
        connection.execute("insert into migration (number, name, checksum) values (9999, 'future', '')")
    first.stop()
    second = imdb.controller()
    assert second.ended() == 1
    assert "BSHO3010-E" in second.said()
    assert "READY=1" not in second.seen
    assert imdb.value() == 12


def test_an_unknown_host_is_one_line(imdb: Imdb) -> None:
    environment = {**os.environ, "BANSHO_HOST": "nobody-knows"}
    answer = subprocess.run(
        [sys.executable, "-m", "bansho.database.controller"], env=environment, capture_output=True, check=False
    )
    assert (answer.returncode, len(answer.stderr.splitlines())) == (1, 1)
