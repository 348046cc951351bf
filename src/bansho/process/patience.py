"""A call that may hang, such as one to the shared disk, made by the daemon: in a thread of its own, with a limit.

A thread that hangs stays behind; it holds up neither the daemon's loop nor its end.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

Answer = TypeVar("Answer")
ROOM = 0.02
"""Seconds between two attempts to make a thread."""


async def ask(question: Callable[[], Answer], limit: float) -> Answer:
    """What `question` returns or raises. Raises TimeoutError after `limit` seconds."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def call() -> None:
        try:
            result = question()
        except BaseException as error:
            _tell(loop, answer, partial(answer.set_exception, error))
        else:
            _tell(loop, answer, partial(answer.set_result, result))

    async with asyncio.timeout(limit):
        await _start(call)
        return await answer


async def _start(call: Callable[[], None]) -> None:
    """Runs it in a thread, as soon as the node has room for one."""
    while True:
        try:
            threading.Thread(target=call, name="patience", daemon=True).start()
        except RuntimeError:  # the limit of processes is reached, and nothing tells when it is no more
            await asyncio.sleep(ROOM)
        else:
            return


def _tell(loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[Answer]", settle: Callable[[], None]) -> None:
    """In the loop: settles the answer, unless nobody waits for it any more."""

    def tell() -> None:
        if not answer.done():
            settle()

    if not loop.is_closed():
        loop.call_soon_threadsafe(tell)
