"""Starts that find a process manager which is about to end, again and again; stops that find nothing."""

import json
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.house import House

from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.process import bringup, ordering
from bansho.process.errors import ManagerEnded, ManagerSilent
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


@pytest.fixture
def orders(folder: Folder) -> Iterator[list[bytes]]:
    """The orders that somebody gets who listens, and says to each that all is stopped."""
    folder.create()
    had: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                order = lines.readline()
                if order == END:
                    return
                if order:  # else somebody only looked whether we listen
                    had.append(order)
                    connection.sendall(json.dumps(STOPPED).encode() + b"\n")

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder.control))
        listener.listen()
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield had
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
            last.connect(str(folder.control))
            last.sendall(END)
        thread.join()


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
