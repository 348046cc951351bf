"""Mounts as /proc/PID/mountinfo lists them, and which of the host's a node must see."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

FRESH = ("/proc", "/sys", "/dev", "/run", "/tmp")  # noqa: S108 - the node's own, never the host's
"""Folders that are each node's own."""


class Mount(NamedTuple):
    """One line: device number `MAJOR:MINOR`, mount point, type and source."""

    device: str
    point: str
    type: str
    source: str


def parse(text: str) -> list[Mount]:
    """The mounts of a mountinfo file (proc(5)), in its order: a later one hides an earlier one at the same point."""
    return [_mount(line) for line in text.splitlines()]


def of_host() -> list[Mount]:
    """The mounts that this process sees."""
    return parse(Path("/proc/self/mountinfo").read_text())


def layers(mounts: Iterable[Mount], readable: Iterable[str]) -> tuple[str, ...]:
    """The folders that need an overlay of their own beside that of `/`, parents first.

    An overlay of `/` shows only what is on the root's own file system. Added are the other file systems on block
    devices (a separate /usr or /var), those that hold a path of `readable`, and a path of `readable` that a node's own
    /tmp or /run would hide.
    """
    points = {mount.point: mount for mount in mounts}
    wanted = {point for point, mount in points.items() if _on_a_disk(mount)}
    for path in readable:
        fresh = any(PurePath(path).is_relative_to(folder) for folder in FRESH)
        wanted.add(path if fresh else _holding(path, points))
    return tuple(sorted(wanted - {"/"}))


def with_parents(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths and every folder above them except `/`, parents first."""
    return tuple(sorted({str(each) for path in paths for each in (PurePath(path), *PurePath(path).parents)} - {"/"}))


def _mount(line: str) -> Mount:
    before, _, after = line.partition(" - ")
    _, _, device, _, point, *_ = before.split(" ")
    kind, source, *_ = after.split(" ")
    return Mount(device, _unescaped(point), kind, _unescaped(source))


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _on_a_disk(mount: Mount) -> bool:
    special = any(PurePath(mount.point).is_relative_to(folder) for folder in (*FRESH, "/boot", "/snap"))
    return mount.source.startswith("/dev/") and not special and Path(mount.point).is_dir()


def _holding(path: str, points: Iterable[str]) -> str:
    return max((point for point in points if PurePath(path).is_relative_to(point)), key=len, default="/")
