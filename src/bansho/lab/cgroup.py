"""Each node's own part of the control group hierarchy (cgroup v2), below the group that the lab was started in."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

from bansho.lab import mounts


def make(lab: str, members: Iterable[str]) -> str:
    """Makes `bansho-lab-NAME/MEMBER` for each member: the upper folder, or "" where the machine does not permit it."""
    root = _own()
    if root is None:
        return ""
    top = root / f"bansho-lab-{lab}"
    try:
        for member in members:
            (top / member).mkdir(parents=True, exist_ok=True)
    except OSError:
        remove(str(top))
        return ""
    return str(top)


def kill(top: str) -> None:
    """Kills every process in it, where the kernel can (5.14)."""
    with contextlib.suppress(OSError):
        Path(top, "cgroup.kill").write_text("1")


def remove(top: str, limit: float = 2.0) -> None:
    """Removes the groups, deepest first, once their last processes are gone."""
    until = time.monotonic() + limit
    while top and Path(top).exists() and time.monotonic() < until:
        clear(top)
        _remove(Path(top))


def clear(group: str) -> None:
    """Removes what is in a group, deepest first, where no process is left: a machine's groups end with its power."""
    for folder in sorted((path for path in Path(group).rglob("*") if path.is_dir()), reverse=True) if group else ():
        _remove(folder)


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _own() -> Path | None:
    own = next(
        (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), None
    )
    point = next((mount.point for mount in mounts.of_host() if mount.type == "cgroup2"), None)
    return None if own is None or point is None else Path(point + own)
