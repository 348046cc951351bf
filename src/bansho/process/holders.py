"""Who holds a file open below a directory: as a descriptor, a mapping, a program, a working or a root directory.

Only /proc is read, so a disk that hangs does not hang this. Of a disk that was unmounted under its processes no path
tells any more: they are found by its device number.
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


def holders_on(device: int) -> list[Holder]:
    """The processes, other than this one, that hold something open on the file system with that number (st_dev)."""
    pids = sorted(identity.pids())
    return [holder for pid in pids if pid != os.getpid() and (holder := holder_on(pid, device))]


def holder_on(pid: int, device: int) -> Holder | None:
    """The process, if it holds something open on that file system."""
    return _named(pid, next(on(pid, device), None))


def _holder(pid: int, directory: str) -> Holder | None:
    paths = (path for path in held(pid, directory) if path == directory or path.startswith(f"{directory}/"))
    return _named(pid, next(paths, None))


def _named(pid: int, path: str | None) -> Holder | None:
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


def on(pid: int, device: int) -> Iterator[str]:
    """What the process holds open on a file system, as paths below where that was mounted."""
    process = f"/proc/{pid}"
    with suppress(OSError):
        descriptors = (f"fd/{each}" for each in os.listdir(f"{process}/fd"))  # noqa: PTH208
        for link in ("cwd", "root", "exe", *descriptors):
            with suppress(FileNotFoundError):  # it was closed just now
                if os.stat(f"{process}/{link}").st_dev == device:  # noqa: PTH116 - the file itself, without its path
                    yield os.readlink(f"{process}/{link}")  # noqa: PTH115
        yield from _mapped(f"{process}/maps", b" %02x:%02x " % (os.major(device), os.minor(device)))


def _mapped(maps: str, sought: bytes) -> list[str]:
    """The mapped files whose lines have that in them."""
    with open(maps, "rb", buffering=0) as file:  # noqa: PTH123
        content = file.read()
    if sought not in content:
        return []
    return ["/" + os.fsdecode(line).partition("/")[2] for line in content.splitlines() if sought in line]
