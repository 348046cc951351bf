"""The shared directory as this node sees it: is it mounted, and who holds it."""

import os
from pathlib import Path

from bansho.logicalhost.mounts import is_mounted
from bansho.process import holders as processes


def online(directory: str, mount_point: str) -> bool:
    """Whether the shared directory is available here; with a mount point given, something has to be mounted there."""
    return (not mount_point or is_mounted(mount_point)) and Path(directory).is_dir()


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


def holders(directory: str) -> tuple[list[str], list[str]]:
    """Who keeps the shared directory busy on this node, in words: services, and persons at a terminal."""
    services: list[str] = []
    persons: list[str] = []
    for holder in processes.holders(os.path.realpath(directory)):
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
