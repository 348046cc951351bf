"""Whether something is mounted at a folder, by the kernel's list.

Unlike a comparison of devices it knows bind mounts, and it waits for no disk that does not answer.
"""

import os
from pathlib import Path

LINKS = 40
"""As many symbolic links as the kernel follows."""


def is_mounted(mount_point: str) -> bool:
    """Whether `mount_point`, which may be or lie behind a symbolic link, is one in this process's mount namespace."""
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as mounts:
        points = {_unescaped(line.split(" ", 5)[4]) for line in mounts}
    for _ in range(LINKS):
        place = _place(mount_point)
        if place in points:
            return True
        if not os.path.islink(place):  # noqa: PTH114 - nothing is mounted there, so no disk is asked
            return False
        mount_point = os.path.join(os.path.dirname(place), os.readlink(place))  # noqa: PTH115, PTH118, PTH120
    return False


def _place(path: str) -> str:
    """Where the kernel's list has it: without links in its folders. The last part may be a disk, and is not touched."""
    folder, name = os.path.split(os.path.normpath(path))
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


def _unescaped(field: str) -> str:
    for octal, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(octal, character)
    return field
