"""The control group that holds a suite's processes: nothing that they start can leave it unseen.

Control groups v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst). A suite's group is a child of the group that
its start command ran in, one group in it a service and one for the process manager. No controller is enabled, so this
needs only the right to make a folder there; without it `proctree` alone finds the processes.
"""

import os
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from bansho.process import spawning

PREFIX = "bansho."
MANAGER = "manager"
"""The child group of the process manager and its guardian."""
WITHOUT = spawning.WITHOUT_CGROUP


def own() -> Path | None:
    """The folder of this process's group, below no group of ours; None where the kernel shows none."""
    if os.environ.get(WITHOUT):
        return None
    return group_of(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())


def group_of(mounts: str, groups: str) -> Path | None:
    """The folder of a process's group, below no group of ours, by what its `mountinfo` and `cgroup` say. Pure."""
    mount = next((line.split() for line in mounts.splitlines() if " - cgroup2 " in line), None)
    path = next((Path(line[3:]) for line in groups.splitlines() if line.startswith("0::/")), None)
    if mount is None or path is None:
        return None
    root, mount_point = Path(mount[3]), Path(mount[4])
    return mount_point.joinpath(*_outside(path.relative_to(root).parts)) if path.is_relative_to(root) else None


def _outside(parts: Sequence[str]) -> Sequence[str]:
    """The groups above the first one of ours: another suite's start must not put this suite inside that one."""
    return parts[: next((number for number, part in enumerate(parts) if part.startswith(PREFIX)), len(parts))]


def create(name: str) -> Path | None:
    """A new group with a child for the process manager, joined by this process; None where that is not possible."""
    parent = own()
    if parent is None:
        return None
    group = parent / f"{PREFIX}{name}.{os.urandom(4).hex()}"
    with suppress(OSError):
        group.mkdir()
        join(child(group, MANAGER))
        return group
    leave(parent)
    remove(group)
    return None


def child(group: Path, name: str) -> Path:
    """The group of one service, made where it is missing. Raises OSError."""
    path = group / name
    path.mkdir(exist_ok=True)
    return path


def join(group: Path) -> None:
    """Moves this process into the group. Raises OSError."""
    (group / "cgroup.procs").write_text("0")


def leave(parent: Path) -> None:
    """Moves this process back to the `parent` group, where that is possible."""
    with suppress(OSError):
        join(parent)


def groups(group: Path) -> Iterator[Path]:
    """The group and all below it, the innermost first."""
    for path, _, _ in os.walk(group, topdown=False):
        yield Path(path)


def processes(group: Path) -> set[int]:
    """The pids of all processes in the group and below. None where it does not exist."""
    return {pid for path in groups(group) for pid in members(path)}


def members(group: Path) -> list[int]:
    """The pids of the processes in the group itself, none below."""
    with suppress(OSError):
        return [int(line) for line in (group / "cgroup.procs").read_text().split() if line != "0"]
    return []


def populated(group: Path) -> bool:
    """Whether a process lives in the group or below; the kernel knows, also of one that no look at /proc catches."""
    return not wait_empty(group, 0)


def kill(group: Path) -> None:
    """Kills every process in the group and below at once, those that are being forked too; by a kernel from 5.14 on."""
    with suppress(OSError):
        (group / "cgroup.kill").write_text("1")


def wait_empty(group: Path, limit: float) -> bool:
    """Whether no process is left in the group after at most `limit` seconds; the kernel wakes us, nothing polls."""
    until = time.monotonic() + limit
    try:
        with (group / "cgroup.events").open() as events:
            changes = select.poll()
            changes.register(events, select.POLLPRI)
            while "populated 0" not in events.read():
                if not changes.poll(max(0.0, until - time.monotonic()) * 1000):
                    return False
                events.seek(0)
    except OSError:
        return True
    return True


def remove(group: Path) -> None:
    """Removes the group and those below, where no process is left in them."""
    for path in groups(group):
        with suppress(OSError):
            path.rmdir()
