"""`jevstat`: each value from its real cause."""

import json
import signal
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.base.service import Service

from bansho.contract import eventservice
from bansho.logicalhost import lease


def value(service: Service, *arguments: str) -> int:
    """What `jevstat` returns, with one line on stdout unless it is an argument error."""
    run = service.house.command("jevstat", *arguments)
    if run.stdout:
        assert run.stdout.startswith(f"event service of watch: {eventservice.TABLE[run.returncode].meaning} (")
        assert len(run.stdout.splitlines()) == 1
    else:
        assert len(run.stderr.splitlines()) == 1
        assert run.stderr.startswith("BSHO")
    return run.returncode


def test_running_and_stopped(stopped: Service) -> None:
    assert value(stopped, "watch") == eventservice.STOPPED
    stopped.start()
    assert value(stopped, "watch") == eventservice.ALL_RUNNING
    assert value(stopped, "watch", "-t", "5") == eventservice.ALL_RUNNING
    run = stopped.house.command("jevstat", "watch", "--json")
    assert (run.returncode, json.loads(run.stdout)["return"]) == (0, 0)
    stopped.end()
    assert value(stopped, "watch") == eventservice.STOPPED


def test_without_a_name_the_environment_names_the_host(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(service) == eventservice.COMMAND_ERROR
    monkeypatch.setenv("JP1_HOSTNAME", "watch")
    assert value(service) == eventservice.ALL_RUNNING


def test_it_answers_but_takes_nothing_in(stopped: Service) -> None:
    epoch = lease.acquire(stopped.host).epoch
    stopped.start(BANSHO_EPOCH=str(epoch))
    assert value(stopped, "watch") == eventservice.ALL_RUNNING
    lease.release(stopped.host, "base")
    lease.acquire(stopped.host)
    assert stopped.post({}).status_code == 503
    run = stopped.house.command("jevstat", "watch")
    assert run.returncode == eventservice.PARTLY_RUNNING
    assert "BSHO1007-E" in run.stdout


def test_the_writer_hangs(service: Service) -> None:
    with closing(sqlite3.connect(service.store, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert value(service, "watch") == eventservice.PARTLY_RUNNING
        database.execute("ROLLBACK")
    assert value(service, "watch") == eventservice.ALL_RUNNING


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"220 smtp.example ESMTP\r\n",
        b"",
    ],
)
def test_an_answer_that_is_not_the_event_services_is_an_error(stopped: Service, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", stopped.port)) as server, ThreadPoolExecutor(1) as pool:
        run = pool.submit(value, stopped, "watch")
        line, _ = server.accept()
        with line:
            line.recv(65536)
            line.sendall(answer)
        assert run.result() == eventservice.SERVICE_ERROR


def test_it_dies_while_it_is_asked(service: Service) -> None:
    assert service.process
    service.process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(value, service, "watch")
        while not connected(service.port):
            assert not run.done()
        service.end(signal.SIGKILL)
        assert run.result() == eventservice.SERVICE_ERROR
    assert value(service, "watch") == eventservice.STOPPED


ESTABLISHED = "01"
"""The state of a connection in /proc/net/tcp, whether it was accepted already or not."""


def connected(port: int) -> bool:
    """Whether somebody is connected to `port` here."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(line[1].endswith(f":{port:04X}") and line[3] == ESTABLISHED for line in lines)


def test_no_answer_in_time_is_an_error_of_the_command(stopped: Service) -> None:
    with socket.create_server(("127.0.0.1", stopped.port)):
        assert value(stopped, "watch", "-t", "1") == eventservice.COMMAND_ERROR


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere",),
        ("",),
        ("a b",),
        ("watch", "-t", "0"),
        ("watch", "-t", "32768"),
        ("watch", "-t", "x"),
        ("watch", "x"),
    ],
)
def test_argument_errors(stopped: Service, arguments: tuple[str, ...]) -> None:
    assert value(stopped, *arguments) == eventservice.COMMAND_ERROR
