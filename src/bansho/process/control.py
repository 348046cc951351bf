"""The control socket: one JSON object a line each way (docs/house.md). This is the commands' end: blocking, no asyncio.

A command bounds itself (`deadline`); the process manager goes on whether or not it is listened to.
"""

import json
import os
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bansho.contract import limits

LINE_BYTES = 1 << 20

PATIENCE = limits.STALE_BEATS * limits.BEAT
"""Seconds of silence after which the process manager is looked at, and again after as many more."""

Silent = Callable[[], None]
"""Called after each such silence; raises where nothing is to be expected any more."""


class NoManager(Exception):
    """Raised when no process manager listens."""


class Broken(Exception):
    """Raised when the process manager ended in the middle of an answer."""


class Order(NamedTuple):
    """What is asked of a process manager."""

    op: str
    """start, stop, reload or detail."""
    timeout: float
    """Seconds after which it answers in any case."""


def answers(path: Path, order: Order, silent: Silent) -> Iterator[dict[str, Any]]:
    """The answers to `order`: any number of `{"progress"}`, then "done" or "error".

    Raises NoManager or Broken, and what `silent` raises.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        _connect(connection, path)
        try:
            connection.sendall(json.dumps(order._asdict()).encode() + b"\n")
            yield from _answers(connection, silent)
        except OSError as error:
            raise Broken from error


def listening(path: Path) -> bool:
    """Whether a process manager listens there. It may yet be too busy, or frozen, to answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        try:
            _connect(connection, path)
        except NoManager:
            return False
    return True


def _connect(connection: socket.socket, path: Path) -> None:
    try:
        connection.connect(str(path))
    except PermissionError:
        raise
    except OSError as error:
        raise NoManager from error


def _answers(connection: socket.socket, silent: Silent) -> Iterator[dict[str, Any]]:
    for line in _lines(connection, silent):
        answer: dict[str, Any] = json.loads(line)
        yield answer
        if "done" in answer or "error" in answer:
            return


def _lines(connection: socket.socket, silent: Silent) -> Iterator[bytes]:
    """The lines that come; raises Broken at their end."""
    rest = b""
    while len(rest) < LINE_BYTES:
        _await(connection, silent)
        received = connection.recv(LINE_BYTES)
        if not received:
            break
        *lines, rest = (rest + received).split(b"\n")
        yield from lines
    raise Broken


def _await(connection: socket.socket, silent: Silent) -> None:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    while not poll.poll(PATIENCE * 1000):
        silent()


def may_order(uid: int) -> bool:
    """Whether a user may give orders: root, and the user that the process manager runs as."""
    return uid in {0, os.geteuid()}
