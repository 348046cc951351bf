"""What nobody expected, as one line of the process manager's log like every other entry.

The hooks work before the log does, and when that is broken: they open the file themselves. What they need is imported
with the first exception, which a process manager is not to have.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

EVENT = "unexpected"


def facts(error: BaseException) -> dict[str, str]:
    """What an entry says of an exception."""
    from traceback import format_exception

    return {"error": repr(error), "traceback": "".join(format_exception(error))}


def watch(path: str, **always: str) -> None:
    """From now on an exception that nobody catches is one line at the end of the file at `path`."""

    def tell(error: BaseException) -> None:
        from bansho.process import messages
        from bansho.process.log import entry, line

        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{line(entry(EVENT, messages.UNEXPECTED, always | facts(error)))}\n".encode())
        finally:
            os.close(descriptor)

    sys.excepthook = lambda _kind, error, _trace: tell(error)
    sys.unraisablehook = lambda unraisable: tell(_of(unraisable))


def watch_threads() -> None:
    """From now on one that a thread does not catch is treated like the main thread's."""
    import threading

    threading.excepthook = lambda ended: sys.excepthook(ended.exc_type, _of(ended), ended.exc_traceback)


def _of(told: Any) -> BaseException:
    """Python makes no exception where it has no memory for one."""
    error: BaseException = told.exc_value or told.exc_type()
    return error


def in_loop(log: Callable[..., None]) -> Callable[[Any, dict[str, Any]], None]:
    """A loop's exception handler, which adds an entry to the `log`."""

    def handle(_loop: Any, context: dict[str, Any]) -> None:
        from bansho.process import messages

        error = context.get("exception") or RuntimeError(context["message"])
        log(EVENT, messages.UNEXPECTED, where=context["message"], **facts(error))

    return handle
