"""Who holds a file open below a directory: as a descriptor, a mapping, a program, a working or a root directory.

Only /proc is read, so a disk that hangs does not hang this.
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
    pids = sorted(identity.pids())
    return [holder for pid in pids if pid != os.getpid() and (holder := _holder(pid, directory.rstrip("/")))]


def _holder(pid: int, directory: str) -> Holder | None:
    path = next((path for path in held(pid, directory) if path == directory or path.startswith(f"{directory}/")), None)
    stat = identity.stat(pid) if path else None
    return Holder(pid, stat.program, path) if path and stat else None


def held(pid: int, directory: str) -> Iterator[str]:
    """What the process holds open; of its mappings those alone whose line speaks of the directory."""
    process = f"/proc/{pid}"
    with suppress(OSError):
        for link in ("cwd", "root", "exe"):
            yield os.readlink(f"{process}/{link}")  # noqa: PTH115 - called for every descriptor there is
        for descriptor in os.listdir(f"{process}/fd"):  # noqa: PTH208
            with suppress(FileNotFoundError):  # it was closed just now
                yield os.readlink(f"{process}/fd/{descriptor}")  # noqa: PTH115
        yield from _mapped(f"{process}/maps", os.fsencode(directory))


def _mapped(maps: str, directory: bytes) -> list[str]:
    with open(maps, "rb", buffering=0) as file:  # noqa: PTH123
        content = file.read()
    if directory not in content:
        return []
    return ["/" + line.partition("/")[2] for line in os.fsdecode(content).splitlines()]
