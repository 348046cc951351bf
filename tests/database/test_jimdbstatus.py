"""Every value of CONTRACT 3.3, each from its real cause, by the command."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from tests.database.imdb import BOTH, NEWEST, PATIENCE, Imdb, define, until
from tests.house import COMMANDS

from bansho.contract import imdatabase
from bansho.database import postmaster, programs, sighting
from bansho.database.connection import conninfo


@BOTH
def test_0_it_accepts_connections(imdb: Imdb) -> None:
    imdb.controller().ready()
    answer = imdb.status()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "IM database of watch: running (the postmaster lives: accepts connections)\n"


def test_0_asking_leaves_no_trace_in_the_servers_log(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    before = controller.said()
    assert imdb.value() == 0
    assert controller.stop() == 0
    said = controller.said().removeprefix(before)
    assert "checkpoint starting" in said.splitlines()[0]


def test_0_with_every_connection_taken_but_it_runs(imdb: Imdb) -> None:
    imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host), autocommit=True) as first:
        first.execute("alter system set max_connections = 4")
        first.execute("alter system set superuser_reserved_connections = 0")
        first.execute("alter system set max_wal_senders = 0")
    imdb._controllers[-1].stop()
    imdb.controller().ready()
    connections = [psycopg.connect(conninfo(imdb.host)) for _ in range(4)]
    with pytest.raises(psycopg.OperationalError, match="too many clients"):
        psycopg.connect(conninfo(imdb.host))
    assert imdb.value() == 0
    for connection in connections:
        connection.close()


def test_0_with_every_login_refused_but_it_runs(imdb: Imdb) -> None:
    """Its rules ask for a password, and nobody has one; the right rules back, all goes on."""
    controller = imdb.controller().ready()
    before = controller.said()
    rules = imdb.data / "pg_hba.conf"
    right = rules.read_text()
    rules.write_text("local all all scram-sha-256\n")
    os.kill(imdb.postmaster, signal.SIGHUP)
    until(lambda: "password" in login(imdb), "a login refused")
    sighting.remove(imdb.host)  # so that the command itself asks
    assert imdb.value() == 0
    rules.write_text(right)
    os.kill(imdb.postmaster, signal.SIGHUP)
    until(lambda: not login(imdb), "a login")
    assert imdb.value() == 0
    assert "FATAL" not in controller.said().removeprefix(before)


def login(imdb: Imdb) -> str:
    """Why nobody is let in; empty where one is."""
    try:
        psycopg.connect(conninfo(imdb.host)).close()
    except psycopg.OperationalError as refusal:
        return str(refusal)
    return ""


@BOTH
def test_4_while_it_recovers(imdb: Imdb) -> None:
    (imdb.data / "standby.signal").touch()
    imdb.account.give(imdb.data / "standby.signal")
    with (imdb.data / "postgresql.auto.conf").open("a") as file:
        file.write("hot_standby = off\n")
    imdb.controller()
    until(lambda: imdb.value() == 4 and "reject" in imdb.status().stdout, "a postmaster that recovers")
    for _ in range(3):
        assert imdb.value() == 4


@BOTH
def test_4_while_it_shuts_down(imdb: Imdb) -> None:
    imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as client:
        os.kill(imdb.postmaster, signal.SIGTERM)  # "smart": it waits for its clients
        until(lambda: imdb.value() != 0, "a postmaster that shuts down")
        assert imdb.value() == 4
        assert client.execute("select 1").fetchone() == (1,)


def test_4_while_the_controller_waits_for_a_program_that_does_not_get_going(imdb: Imdb) -> None:
    real, slow, gate = programs.bindir(imdb.host), imdb.house.root / "bin", imdb.house.root / "gate"
    slow.mkdir()
    for program in real.iterdir():
        (slow / program.name).symlink_to(program)
    os.mkfifo(gate)
    (slow / "postgres").unlink()
    (slow / "postgres").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || read -r go <{gate}\nexec {real}/postgres "$@"\n'
    )
    (slow / "postgres").chmod(0o755)
    gate.chmod(0o644)
    define(imdb.house, slow)
    controller = imdb.controller()
    controller.await_line("STATUS=the postmaster starts")
    answer = imdb.status()
    assert (answer.returncode, "its controller is starting" in answer.stdout) == (4, True)
    gate.write_text("go\n")
    controller.ready()
    assert imdb.value() == 0


def test_4_while_the_controller_has_still_to_end_after_its_postmaster(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    checkpointer, postmaster_pid = imdb.part("checkpointer"), imdb.postmaster
    os.kill(checkpointer, signal.SIGSTOP)  # so that the stop takes its time
    controller.process.terminate()
    controller.await_line("STOPPING=1")
    controller.process.send_signal(signal.SIGSTOP)
    os.kill(checkpointer, signal.SIGCONT)
    os.kill(postmaster_pid, signal.SIGINT)
    until(lambda: not postmaster.processes(imdb.data), "the end of the postmaster")
    answer = imdb.status()
    assert (answer.returncode, "its controller is stopping" in answer.stdout) == (4, True)
    controller.process.send_signal(signal.SIGCONT)
    assert controller.ended() == 0
    assert imdb.value() == 12


@BOTH
def test_8_after_a_crash(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    imdb.crash()
    assert controller.ended() == 1
    answer = imdb.status()
    assert (answer.returncode, "control file: in production" in answer.stdout) == (8, True)


def test_8_where_the_recovery_itself_was_interrupted(imdb: Imdb) -> None:
    imdb.controller().ready()
    imdb.crash()
    (imdb.data / "standby.signal").touch()
    imdb.account.give(imdb.data / "standby.signal")
    with (imdb.data / "postgresql.auto.conf").open("a") as file:
        file.write("hot_standby = off\n")
    again = imdb.controller()
    until(lambda: "reject" in imdb.status().stdout, "a postmaster that recovers")
    imdb.crash()
    assert again.ended() == 1
    answer = imdb.status()
    assert (answer.returncode, "recovery" in answer.stdout) == (8, True)


SHUTTING_DOWN = 3
"""`DBState` in the control file, four bytes at 16 (PostgreSQL's pg_control.h)."""


def test_8_where_the_stop_was_interrupted(imdb: Imdb) -> None:
    """PostgreSQL says "shutting down" while it writes to its files what it has in memory, which is much here."""
    controller = imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host), autocommit=True) as connection:
        connection.execute(
            "create table much as select number, repeat('x', 500) from generate_series(1, 100000) number"
        )
    leader, checkpointer = imdb.postmaster, imdb.part("checkpointer")
    others = [pid for pid in postmaster.processes(imdb.data) if pid not in (leader, checkpointer)]
    with (imdb.data / "global" / "pg_control").open("rb", buffering=0) as control:
        os.kill(leader, signal.SIGINT)
        end = time.monotonic() + PATIENCE
        while int.from_bytes(os.pread(control.fileno(), 4, 16), "little") != SHUTTING_DOWN:
            assert time.monotonic() < end
        for pid in (checkpointer, leader, *others):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert controller.ended() == 1
    until(lambda: not postmaster.processes(imdb.data), "the end of all processes of the database")
    answer = imdb.status()
    assert (answer.returncode, "control file: shutting down" in answer.stdout) == (8, True)
    imdb.controller().ready()
    with psycopg.connect(conninfo(imdb.host)) as connection:
        assert connection.execute("select count(*) from much").fetchone() == (100000,)


def test_12_after_a_stop(imdb: Imdb) -> None:
    assert imdb.controller().ready().stop() == 0
    assert imdb.value() == 12


def test_16_with_a_controller_that_lost_its_postmaster_and_hangs(imdb: Imdb) -> None:
    controller = imdb.controller().ready()
    controller.process.send_signal(signal.SIGSTOP)
    os.kill(imdb.postmaster, signal.SIGKILL)
    until(lambda: imdb.value() not in (0, 4), "the postmaster's end")
    assert imdb.value() == 16
    controller.process.send_signal(signal.SIGCONT)
    assert controller.ended() == 1
    assert imdb.value() == 8


def test_20_without_a_data_directory(not_set_up: Imdb) -> None:
    assert not_set_up.value() == 20
    not_set_up.data.mkdir()
    assert not_set_up.value() == 20


def test_20_where_the_disk_is_not_here(not_set_up: Imdb) -> None:
    not_set_up.house.shared.rename(not_set_up.house.root / "elsewhere")
    assert not_set_up.value() == 20


@BOTH
def test_20_for_a_server_without_our_database(imdb: Imdb) -> None:
    imdb.controller().ready()
    other = conninfo(imdb.host).replace("dbname=bansho", "dbname=postgres")
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute("drop database bansho with (force)")
    until(lambda: imdb.value() == 20, "a server without our database")


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[40] ^= 0xFF
    path.write_bytes(content)


@BOTH
def test_1_for_a_control_file_that_cannot_be_read(imdb: Imdb) -> None:
    path = imdb.data / "global" / "pg_control"
    whole = path.read_bytes()
    for how in (damage, Path.unlink, lambda path: os.truncate(path, 100)):
        path.write_bytes(whole)
        assert imdb.value() == 12
        how(path)
        answer = imdb.status()
        assert answer.returncode == 1
        assert answer.stderr.startswith("BSHO3013-E ")
        assert "pg_controldata" in answer.stderr


@pytest.mark.skipif(len(NEWEST) < 2, reason="needs two versions of PostgreSQL")
def test_1_for_a_database_of_another_version(imdb: Imdb) -> None:
    define(imdb.house, NEWEST[1])
    assert imdb.controller().ended() == 1
    answer = imdb.status()
    assert answer.returncode == 1
    assert answer.stderr.startswith("BSHO3003-E ")


@pytest.mark.usefixtures("as_root")
def test_12_where_the_data_directory_is_another_users(imdb: Imdb) -> None:
    os.chown(imdb.data, 12345, -1)
    assert imdb.controller().ended() == 1
    assert imdb.value() == 12


def test_1_for_a_postmaster_that_hangs(imdb: Imdb) -> None:
    imdb.controller().ready()
    os.kill(imdb.postmaster, signal.SIGSTOP)
    until(lambda: imdb.status("-t", "1").returncode, "a postmaster that hangs")
    answer = imdb.status("-t", "1")
    assert (answer.returncode, "no answer in time" in answer.stderr) == (1, True)
    os.kill(imdb.postmaster, signal.SIGCONT)
    assert imdb.value() == 0


def test_1_for_a_postmaster_whose_socket_somebody_removed(imdb: Imdb) -> None:
    imdb.controller().ready()
    (imdb.socket_folder / ".s.PGSQL.5432").unlink()
    until(imdb.value, "a postmaster without a socket")
    answer = imdb.status()
    assert (answer.returncode, "nobody listens" in answer.stderr) == (1, True)


def test_1_for_a_file_that_does_not_answer(imdb: Imdb) -> None:
    os.mkfifo(imdb.data / "postmaster.pid")
    answer = imdb.status("-t", "1")
    assert (answer.returncode, "no answer within 1 s" in answer.stderr) == (1, True)


def test_1_for_wrong_arguments(imdb: Imdb) -> None:
    for arguments in (["-h", "nobody-knows"], ["-h", ""], ["-t", "-1"], ["-t", "32768"], ["--wrong"], ["x"]):
        answer = imdb.house.command("jimdbstatus", *arguments)
        assert answer.returncode == 1, arguments
        assert answer.stderr.startswith("BSHO")
        assert len(answer.stderr.splitlines()) == 1
        assert answer.stdout == ""


@pytest.mark.usefixtures("as_root")
def test_1_for_a_user_who_may_not_look(imdb: Imdb) -> None:
    answer = imdb.status(user="daemon")
    assert answer.returncode == 1
    assert "Permission denied" in answer.stderr


def test_a_recycled_pid_in_postmasters_pid_is_no_postmaster(imdb: Imdb) -> None:
    assert imdb.controller().ready().stop() == 0
    stranger = imdb.as_database_user("sleep", "60")
    try:
        (imdb.data / "postmaster.pid").write_text(f"{stranger.pid}\n{imdb.data}\n0\n5432\n\n\n\nready\n")
        assert imdb.value() == 12
    finally:
        stranger.kill()
        stranger.wait()


def answer_text(imdb: Imdb) -> str:
    return imdb.status().stdout.rstrip("\n")


def test_json_gives_the_same(imdb: Imdb) -> None:
    answer = imdb.status("--json")
    document = json.loads(answer.stdout)
    assert answer.returncode == 12
    assert document == {
        "return": 12,
        "text": answer_text(imdb),
        "messages": [],
        "host": "watch",
        "value": 12,
        "meaning": imdatabase.TABLE[12].meaning,
        "reason": "no postmaster; control file: shut down",
    }


def test_the_environment_names_the_host_where_h_does_not(imdb: Imdb) -> None:
    answer = imdb.house.command("jimdbstatus", env={**os.environ, "JP1_HOSTNAME": "watch"})
    assert answer.returncode == 12


def test_any_number_at_once(imdb: Imdb) -> None:
    imdb.controller().ready()
    command: list[str | Path] = [COMMANDS / "jimdbstatus", "-h", "watch"]
    asking = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert {each.wait() for each in asking} == {0}
