"""Who holds a file open below a directory: as a descriptor, a mapping, a program, a working or a root directory.

Only /proc is read, so a disk that hangs does not hang this. Standard library only.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from bansho.process import identity


class Holder(NamedTuple):
    """A process that holds something open, and the first such path."""

    pid: int
    program: str
    path: str


def holders(directory: str) -> list[Holder]:
    """The processes, other than this one, that hold something open in `directory` or below, by pid."""
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
    return [holder for pid in pids if pid != os.getpid() and (holder := _holder(pid, directory.rstrip("/")))]


def _holder(pid: int, directory: str) -> Holder | None:
    path = next((path for path in _held(pid) if path == directory or path.startswith(f"{directory}/")), None)
    stat = identity.stat(pid) if path else None
    return Holder(pid, stat.program, path) if path and stat else None


def _held(pid: int) -> Iterator[str]:
    for link in ("cwd", "root", "exe"):
        yield from _link(f"/proc/{pid}/{link}")
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208
            yield from _link(f"/proc/{pid}/fd/{name}")
    with suppress(OSError), open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:  # noqa: PTH123
        for line in maps:
            yield "/" + line.rstrip("\n").partition("/")[2]


def _link(path: str) -> Iterator[str]:
    with suppress(OSError):
        yield os.readlink(path)  # noqa: PTH115
