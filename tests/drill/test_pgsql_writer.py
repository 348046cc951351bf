"""The writer of the plain group against a real PostgreSQL: each row once, and no wait beyond its patience."""

import io
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from bansho.database.programs import distributions
from bansho.drill import pgsql_writer
from bansho.drill.pgsql_writer import Rows


class Server(NamedTuple):
    folder: str
    """Of its socket: libpq takes it for a host."""
    connection: psycopg.Connection


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if os.geteuid() != 0 or not distributions():
        pytest.skip("needs root, and PostgreSQL from the distribution")
    folder, programs = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp")), distributions()[0]
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    as_owner = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True, "cwd": folder}
    subprocess.run([*as_owner, programs / "initdb", "-A", "trust", "-N", "-D", folder / "data"], **quiet)  # type: ignore[call-overload]
    control = [*as_owner, programs / "pg_ctl", "-w", "-D", folder / "data"]
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], **quiet)  # type: ignore[call-overload]
    try:
        with psycopg.connect(pgsql_writer.conninfo(str(folder)), autocommit=True) as connection:
            connection.execute(pgsql_writer.TABLE)
            yield Server(str(folder), connection)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder)


def stored(server: Server, source: str) -> list[int]:
    answer = server.connection.execute("select number from written where source = %s order by number", [source])
    return [number for (number,) in answer]


def backend(server: Server) -> int:
    found = server.connection.execute(
        "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
    ).fetchone()
    assert found
    pid: int = found[0]
    return pid


def test_a_row_that_is_written_twice_is_there_once(server: Server) -> None:
    rows = Rows(server.folder, "twice", io.StringIO())
    assert rows.deliver(range(1, 4)) == [1, 2, 3]
    assert rows.deliver(range(3, 6)) == [3, 4, 5]
    assert stored(server, "twice") == [1, 2, 3, 4, 5]
    rows.close()


def test_a_server_that_does_not_answer_is_given_up_and_asked_again_over_a_new_connection(server: Server) -> None:
    rows = Rows(server.folder, "frozen", io.StringIO())
    assert rows.deliver(range(1, 2)) == [1]
    pid = backend(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert rows.deliver(range(2, 3)) == []
    finally:
        os.kill(pid, signal.SIGCONT)
    assert rows.deliver(range(2, 3)) == [2]
    assert stored(server, "frozen") == [1, 2]
    rows.close()


def test_a_server_that_is_not_there_acknowledges_nothing(tmp_path: Path) -> None:
    assert Rows(str(tmp_path), "nobody", io.StringIO()).deliver(range(1, 2)) == []
