"""Questions that the daemon asks in a thread: it never waits beyond its limit, whenever the answer comes."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from bansho.process.patience import ask


class Gate:
    """Holds whoever asks until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def question(self) -> None:
        self._open.wait()

    def open(self) -> None:
        """And waits until those who asked have left."""
        self._open.set()
        for thread in threading.enumerate():
            if thread.name == "patience":
                thread.join()


def answer_of(question: Callable[[], object], limit: float = 10.0) -> object:
    return asyncio.run(ask(question, limit))


def test_an_answer_and_an_error() -> None:
    assert answer_of(lambda: threading.current_thread().name) == "patience"
    with pytest.raises(ZeroDivisionError):
        answer_of(lambda: 1 // 0)


def test_an_answer_that_comes_too_late_disturbs_nobody() -> None:
    """The errors of a loop's callbacks would go to its handler, those of a thread to pytest."""
    wrong: list[object] = []

    async def wait() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context))
        gate = Gate()
        with pytest.raises(TimeoutError):
            await ask(gate.question, 0.01)
        gate.open()
        await asyncio.sleep(0)

    asyncio.run(wait())
    assert wrong == []


def test_an_answer_after_the_end_of_all_disturbs_nobody() -> None:
    gate = Gate()
    with pytest.raises(TimeoutError):
        answer_of(gate.question, 0.01)
    gate.open()
