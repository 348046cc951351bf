"""`sd_notify` for our own services, against a real socket."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bansho.process import notify as sending
from bansho.process.notify import give_up, notify, watchdog_interval


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "socket"))
        receiver.settimeout(5)
        yield receiver


def test_lines_arrive_as_one_message(listener: socket.socket) -> None:
    assert notify("READY=1", "STATUS=déjà vu")
    assert listener.recv(100).decode() == "READY=1\nSTATUS=déjà vu"


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("")
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + receiver.getsockname()[1:].decode())
        assert notify("READY=1")
        assert receiver.recv(100) == b"READY=1"


def test_nothing_happens_without_a_process_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not notify("READY=1")


def test_whoever_gives_up_says_why_to_both(listener: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        give_up("BSHO4001-E no port")
    assert ended.value.code == 1
    assert listener.recv(100) == b"STATUS=BSHO4001-E no port"
    assert capsys.readouterr().err == "BSHO4001-E no port\n"


def test_a_process_manager_that_hangs_does_not_hang_its_services(listener: socket.socket) -> None:
    for _ in range(10_000):
        if not notify("WATCHDOG=1"):
            return
    pytest.fail("the queue of the socket never filled up")


def test_a_message_waits_for_its_turn(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    while notify("STATUS=a flood"):
        pass
    monkeypatch.setattr(sending, "PATIENCE", 60_000_000)
    sent = list[bool]()
    sender = threading.Thread(target=lambda: sent.append(notify("WATCHDOG=1")))
    sender.start()
    sender.join(0.1)  # it would not need that long to find that there is no room
    listener.recv(100)
    sender.join()
    assert sent == [True]


@pytest.mark.parametrize(
    ("value", "seconds"), [("10000000", 5.0), ("250000", 0.125), ("0", None), ("", None), ("soon", None)]
)
def test_the_interval_is_half_of_what_is_waited(
    monkeypatch: pytest.MonkeyPatch, value: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", value)
    assert watchdog_interval() == seconds


def test_no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog_interval() is None
