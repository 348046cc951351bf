"""Orders to a process manager that is about to end, ends meanwhile or does not answer; stops that find nothing."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.house import House

from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.process import bringup, ordering
from bansho.process.errors import ManagerEnded, ManagerSilent, NoAnswer
from bansho.process.folder import Folder
from bansho.process.spawning import Begun

STOPPED = {"done": True, "value": 8, "text": "base on watch: all stopped", "outstanding": []}
END = b"no more\n"


@pytest.fixture
def host(house: House) -> LogicalHost:
    house.define()
    return definition.load("watch")


@pytest.fixture
def folder(host: LogicalHost) -> Folder:
    return bringup.folder_of(host, "base")


@contextmanager
def manager(folder: Folder, answer: Callable[[socket.socket, bytes], object]) -> Iterator[None]:
    """Somebody who listens, and gives that answer to each order."""
    folder.create()

    def serve(listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                order = lines.readline()
                if order == END:
                    return
                if order:  # else somebody only looked whether we listen
                    answer(connection, order)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder.control))
        listener.listen()
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
                last.connect(str(folder.control))
                last.sendall(END)
            thread.join()


@pytest.fixture
def orders(folder: Folder) -> Iterator[list[bytes]]:
    """The orders that somebody gets who listens, and says to each that all is stopped."""
    had: list[bytes] = []

    def answer(connection: socket.socket, order: bytes) -> None:
        had.append(order)
        connection.sendall(json.dumps(STOPPED).encode() + b"\n")

    with manager(folder, answer):
        yield had


def test_a_start_that_only_finds_managers_about_to_end_gives_up(host: LogicalHost, orders: list[bytes]) -> None:
    with pytest.raises(ManagerEnded):
        ordering.start(host, "base", 10, lambda _: None)
    assert [json.loads(order)["op"] for order in orders] == ["start"] * ordering.ATTEMPTS


def test_a_stop_that_finds_one_is_content(host: LogicalHost, orders: list[bytes]) -> None:
    assert ordering.stop(host, "base", 10, lambda _: None).text == STOPPED["text"]
    assert len(orders) == 1


def test_a_stop_of_what_never_ran_makes_nothing(host: LogicalHost, folder: Folder) -> None:
    assert ordering.stop(host, "base", 10, lambda _: None).text == STOPPED["text"]
    assert not folder.path.exists()


def test_a_manager_that_ends_without_a_word_is_named_with_its_log(host: LogicalHost, folder: Folder) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    with pytest.raises(ManagerSilent, match=str(folder.log)):
        ordering.start(host, "base", 10, lambda _: None, Begun(os.open(os.devnull, os.O_RDONLY), reader))


def test_a_reload_of_a_manager_that_ends_meanwhile(host: LogicalHost, folder: Folder) -> None:
    with manager(folder, lambda *_: None), pytest.raises(ManagerEnded, match=str(folder.log)):
        ordering.reload(host, "base")


def test_a_reload_that_is_not_answered_comes_back_in_time(host: LogicalHost, folder: Folder) -> None:
    """It does not answer before the command has left."""
    with manager(folder, lambda connection, _: connection.recv(1)), pytest.raises(NoAnswer, match="for 0 s"):
        ordering.reload(host, "base", limit=0)
