"""The logs of a suite's services stay bounded: one that is too large is set aside as NAME.1 and emptied where it lies.

Emptied and not renamed, because the service holds it open and need not know of this: the launcher opened it for
appending, so the next line begins the file anew. The shared disk may hang, so a thread does it.
"""

import asyncio
import math
import os
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from bansho.process import messages
from bansho.process.log import Log
from bansho.process.patience import ask

MAXIMUM_BYTES = 10 << 20
"""From this size on a log is set aside; what was set aside before is dropped, and of a larger one the beginning."""
INTERVAL = 30.0
"""Seconds between two looks."""

Names = Callable[[], list[str]]
"""The names of the logs that are ours to look at now."""


async def keep_bounded(folder: Path, names: Names, log: Log) -> None:
    """Looks at the logs at once and then again and again, until it is cancelled."""
    while True:
        for name, problem in await ask(partial(rotate_all, folder, names()), math.inf):
            message = messages.LOG_STAYS if problem else messages.LOG_ASIDE
            log("service log set aside", message, name=name, problem=problem)
        await asyncio.sleep(INTERVAL)


def rotate_all(folder: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    """The logs that were set aside, each with what went wrong or ""."""
    done = []
    for name in names:
        try:
            if rotate(folder / name):
                done.append((name, ""))
        except OSError as error:
            done.append((name, str(error)))
    return done


def rotate(path: Path, maximum: int = MAXIMUM_BYTES) -> bool:
    """Sets the log aside if it is too large, and says so. Raises OSError.

    A line that is written in the moment between the last look at the size and the emptying is lost.
    """
    try:
        source = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode) or status.st_size <= maximum:
            return False
        _copy(source, status, path.with_name(f"{path.name}.1"), maximum)
        os.ftruncate(source, 0)
    finally:
        os.close(source)
    return True


def _copy(source: int, status: os.stat_result, target: Path, maximum: int) -> None:
    """The end of the log, of its owner and with its mode, in the place of what was set aside before."""
    new = target.with_name(f"{target.name}.new")
    new.unlink(missing_ok=True)
    copy = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchown(copy, status.st_uid, status.st_gid)
        os.fchmod(copy, stat.S_IMODE(status.st_mode))
        new.replace(target)
        position = status.st_size - maximum
        while sent := os.sendfile(copy, source, position, maximum):
            position += sent
    finally:
        os.close(copy)
