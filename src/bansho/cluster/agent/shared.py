"""The shared directory as this node sees it: is it mounted, and who holds it."""

import os
from pathlib import Path

from bansho.logicalhost.mounts import is_mounted
from bansho.process import holders as processes


def online(directory: str, mount_point: str) -> bool:
    """Whether the shared directory is available here; with a mount point given, something has to be mounted there."""
    return (not mount_point or is_mounted(mount_point)) and os.path.isdir(directory)  # noqa: PTH112 - False on EIO too


def device(mount_point: str) -> int | None:
    """The number of the file system mounted there (st_dev), by which its holders are found when it is there no more.

    None where nobody can tell, and where it is the one around it too (a bind mount), which everybody holds.
    """
    try:
        own = os.stat(mount_point).st_dev  # noqa: PTH116
        around = os.stat(os.path.dirname(os.path.realpath(mount_point))).st_dev  # noqa: PTH116, PTH120
    except OSError:
        return None
    return own if mount_point and own != around else None


SPARE = 16 << 20
"""Bytes without which a suite may not start: PostgreSQL adds to its log in steps of 16 MiB."""


def shortage(directory: str) -> str:
    """What is as good as used up on the shared disk, in words; empty where enough is left, or nobody can tell."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return ""
    if found.f_files and not found.f_favail:
        return f"no file can be made on the shared disk any more ({directory})"
    left = found.f_bavail * found.f_frsize
    is_full = found.f_blocks and left < SPARE
    return f"the shared disk is full ({left >> 20} MiB left in {directory})" if is_full else ""


def holders(directory: str, device: int | None = None) -> tuple[list[str], list[str]]:
    """Who keeps the shared directory busy on this node, in words: services, and persons at a terminal.

    `device` is where to look besides: the file system that the directory was on.
    """
    services: list[str] = []
    persons: list[str] = []
    detached = [] if device is None else processes.holders_on(device)
    for holder in dict.fromkeys([*processes.holders(os.path.realpath(directory)), *detached]):
        (persons if has_terminal(holder.pid) else services).append(
            f"{holder.program} (pid {holder.pid}, {holder.path})"
        )
    return services, persons


def has_terminal(pid: int) -> bool:
    """Whether a process has a controlling terminal (field 7 of its stat): it is a person's shell, or its child."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[4] != "0"
