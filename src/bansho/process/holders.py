"""Who holds a file open below a directory: as a descriptor, a mapping, a program, a working or a root directory.

Only /proc is read, so a disk that hangs does not hang this.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bansho.process import identity


class Holder(NamedTuple):
    """A process that holds something open, and the first such path."""

    pid: int
    program: str
    path: str


def holders(directory: str) -> list[Holder]:
    """The processes, other than this one, that hold something open in `directory` or below, by pid."""
    pids = sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [holder for pid in pids if pid != os.getpid() and (holder := _holder(pid, directory.rstrip("/")))]


def _holder(pid: int, directory: str) -> Holder | None:
    path = next((path for path in _held(pid) if path == directory or path.startswith(f"{directory}/")), None)
    stat = identity.stat(pid) if path else None
    return Holder(pid, stat.program, path) if path and stat else None


def _held(pid: int) -> Iterator[str]:
    process = Path("/proc", str(pid))
    with suppress(OSError):
        for link in ("cwd", "root", "exe"):
            yield str((process / link).readlink())
        for descriptor in (process / "fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed just now
                yield str(descriptor.readlink())
        for line in (process / "maps").read_text(errors="replace").splitlines():
            yield "/" + line.partition("/")[2]
