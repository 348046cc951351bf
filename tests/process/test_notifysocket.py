"""A notify socket that is flooded: it takes in what waits and no more at a time, and leaves the loop the rest of it."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bansho.process import notifysocket
from bansho.process.notifysocket import LONGEST_QUEUE, LetIn, NotifySocket, Received, room

Act = Callable[[NotifySocket, socket.socket], Awaitable[None]]


def meet(folder: Path, received: Received, act: Act, let_in: LetIn = lambda _: True) -> None:
    """Runs `act` with a notify socket and somebody who is connected to it and never waits."""

    async def live() -> None:
        listener = NotifySocket(folder / "s", os.getuid(), os.getgid(), received, let_in)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.connect(str(folder / "s"))
            await act(listener, sender)
        listener.close()

    asyncio.run(live())


def fill(sender: socket.socket) -> int:
    """Sends until no more fits in; how many did."""
    sent = 0
    with suppress(BlockingIOError):
        while True:
            sender.send(b"WATCHDOG=1")
            sent += 1
    return sent


def test_all_that_waits_is_taken_in_at_once(tmp_path: Path) -> None:
    async def act(listener: NotifySocket, sender: socket.socket) -> None:
        sent = fill(sender)
        assert (sent, listener.read(), listener.read()) == (room(), sent, 0)

    meet(tmp_path, lambda _pid, _lines: None, act)


def test_what_comes_meanwhile_waits(tmp_path: Path) -> None:
    """Here each message brings the next one."""
    senders = list[socket.socket]()

    def received(_pid: int, _lines: list[str]) -> None:
        senders[0].send(b"WATCHDOG=1")

    async def act(listener: NotifySocket, sender: socket.socket) -> None:
        senders.append(sender)
        fill(sender)
        assert listener.read() == room()
        assert listener.read() == room()

    meet(tmp_path, received, act)


def test_a_sender_is_looked_at_once_a_time(tmp_path: Path) -> None:
    asked, heard = list[int](), list[list[str]]()

    def let_in(pid: int) -> bool:
        asked.append(pid)
        return len(asked) > 1

    async def act(listener: NotifySocket, sender: socket.socket) -> None:
        fill(sender)
        listener.read()
        assert heard == []
        fill(sender)
        listener.read()

    meet(tmp_path, lambda _pid, lines: heard.append(lines), act, let_in)
    assert asked == [os.getpid()] * 2
    assert heard == [["WATCHDOG=1"]] * room()


@pytest.mark.parametrize("rest", [0.0, 1e6])
def test_a_flood_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rest: float) -> None:
    """Nothing of it is read for so long; afterwards it goes on. A rest that is under way ends with the socket."""
    monkeypatch.setattr(notifysocket, "REST", rest)
    heard = list[list[str]]()

    async def act(_listener: NotifySocket, sender: socket.socket) -> None:
        for _ in range(20):
            fill(sender)
            await asyncio.sleep(0)
        assert (len(heard) > room()) == (rest == 0)

    meet(tmp_path, lambda _pid, lines: heard.append(lines), act)
    assert len(heard) >= room()


def test_where_the_kernel_does_not_say_how_many_may_wait(tmp_path: Path) -> None:
    assert room(tmp_path / "none") == LONGEST_QUEUE + 1
    (tmp_path / "some").write_text("7\n")
    assert room(tmp_path / "some") == 8
