"""Whether something is mounted at a folder, by the kernel's list.

Unlike a comparison of devices it knows bind mounts, and it waits for no disk that does not answer.
"""

import os
from pathlib import Path


def is_mounted(mount_point: str) -> bool:
    """Whether `mount_point` is one in this process's mount namespace."""
    wanted = os.path.normpath(mount_point)
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as mounts:
        return any(_unescaped(line.split(" ", 5)[4]) == wanted for line in mounts)


def _unescaped(field: str) -> str:
    for octal, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(octal, character)
    return field
