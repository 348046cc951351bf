"""Questions that the daemon asks in a thread: it never waits beyond its limit, whenever the answer comes."""

import asyncio
import resource
import threading
from collections.abc import Callable

import pytest
from tests.process.nobody import as_nobody

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


async def _asked_without_room() -> object:
    """The answer to a question while no thread may be made, and later one."""
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, most))
    with pytest.raises(RuntimeError, match="thread"):
        threading.Thread(target=int).start()
    again = asyncio.get_running_loop().call_later(0.05, resource.setrlimit, resource.RLIMIT_NPROC, (most, most))
    return [await ask(lambda: "answer", 10), again.when() <= asyncio.get_running_loop().time()]


@pytest.mark.usefixtures("as_root")
def test_a_question_waits_for_room_for_its_thread() -> None:
    assert as_nobody(lambda: asyncio.run(_asked_without_room())) == ["answer", True]
