"""A question that may hang, such as one to a shared disk, asked in a child: the asker never waits beyond its limit.

A process that waits for a dead disk can neither be interrupted nor killed; a thread would keep its whole process.
Only for commands, which have one thread. Standard library only.
"""

import json
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bansho.contract.messages import BanshoError


class Silent(Exception):
    """Raised when there is no answer within the limit."""


class Refused(Exception):
    """Raised when the answer was an error; its text is the error's line."""


def ask(question: Callable[[], Any], limit: float) -> Any:
    """What `question` returns (JSON's types), within `limit` seconds. Raises Silent or Refused."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(writer, question)
    os.close(writer)
    try:
        return _received(reader, limit)
    finally:
        os.close(reader)
        _collect(child)


def _answer(writer: int, question: Callable[[], Any]) -> None:
    """In the child: writes the answer and ends, whatever happens."""
    try:
        answer = {"answer": question()}
    except BanshoError as error:
        answer = {"error": str(error)}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    with suppress(OSError):
        os.write(writer, json.dumps(answer).encode())
    os._exit(0)


def _received(reader: int, limit: float) -> Any:
    with open(reader, "rb", closefd=False) as pipe:
        if not _readable(reader, limit):
            raise Silent
        answer = json.loads(pipe.read() or b'{"error": "the question was cut off"}')
    if "error" in answer:
        raise Refused(answer["error"])
    return answer["answer"]


def _readable(descriptor: int, limit: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(limit * 1000))


def _collect(child: int) -> None:
    """Ends the child. One that hangs in the disk stays until the disk answers; init collects it then."""
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, os.WNOHANG)
