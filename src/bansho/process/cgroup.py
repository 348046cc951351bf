"""The control group that holds a suite's processes: nothing that they start can leave it unseen.

Control groups v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst). A suite's group is a child of the group that
its start command ran in, one group in it a service and one for the process manager. No controller is enabled, so this
needs only the right to make a folder there; without it `proctree` alone finds the processes. Standard library only.
"""

import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress

PREFIX = "bansho."
MANAGER = "manager"
"""The child group of the process manager and its guardian."""
WITHOUT = "BANSHO_WITHOUT_CGROUP"
"""Set in the environment, it takes the control groups away: the tests run each mechanism."""


def own() -> str | None:
    """The folder of this process's group, below no group of ours; None where the kernel shows none."""
    if os.environ.get(WITHOUT):
        return None
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:  # noqa: PTH123 - pathlib costs 5 ms
        fields = next((line.split() for line in mounts if " - cgroup2 " in line), None)
    with open("/proc/self/cgroup", encoding="utf-8") as groups:  # noqa: PTH123
        path = next((line.rstrip("\n")[3:] for line in groups if line.startswith("0::/")), None)
    if fields is None or path is None:
        return None
    root, mount_point = fields[3], fields[4]
    inside = os.path.relpath(path, root).split("/")
    outer = [part for part in inside[: _first(inside)] if part != "."]
    return None if ".." in outer else os.path.join(mount_point, *outer)  # noqa: PTH118


def _first(parts: list[str]) -> int:
    """The position of the first group of ours: another suite's start must not put this one inside it."""
    return next((number for number, part in enumerate(parts) if part.startswith(PREFIX)), len(parts))


def create(name: str) -> str | None:
    """A new group with a child for the process manager, joined by this process; None where that is not possible."""
    parent = own()
    if parent is None:
        return None
    group = f"{parent}/{PREFIX}{name}.{os.urandom(4).hex()}"
    try:
        os.mkdir(group)  # noqa: PTH102
        join(child(group, MANAGER))
        if os.access(f"{group}/cgroup.kill", os.W_OK):
            return group
    except OSError:
        pass
    leave(parent)
    remove(group)
    return None


def child(group: str, name: str) -> str:
    """The group of one service, made where it is missing. Raises OSError."""
    path = f"{group}/{name}"
    with suppress(FileExistsError):
        os.mkdir(path)  # noqa: PTH102
    return path


def join(group: str) -> None:
    """Moves this process into the group. Raises OSError."""
    with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("0")


def leave(parent: str) -> None:
    """Moves this process back to the `parent` group, where that is possible."""
    with suppress(OSError):
        join(parent)


def groups(group: str) -> Iterator[str]:
    """The group and all below it, the innermost first."""
    for path, _, _ in os.walk(group, topdown=False):
        yield path


def processes(group: str) -> set[int]:
    """The pids of all processes in the group and below. None where it does not exist."""
    return {pid for path in groups(group) for pid in _processes(path)}


def _processes(group: str) -> list[int]:
    try:
        with open(f"{group}/cgroup.procs", encoding="ascii") as file:  # noqa: PTH123
            return [int(line) for line in file if line != "0\n"]
    except OSError:
        return []


def populated(group: str) -> bool:
    """Whether a process lives in the group or below; the kernel knows, also of one that no look at /proc catches."""
    return not wait_empty(group, 0)


def kill(group: str) -> None:
    """Kills every process in the group and below at once, those that are being forked too."""
    with suppress(OSError), open(f"{group}/cgroup.kill", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1")


def wait_empty(group: str, limit: float) -> bool:
    """Whether no process is left in the group after at most `limit` seconds; the kernel wakes us, nothing polls."""
    until = time.monotonic() + limit
    try:
        with open(f"{group}/cgroup.events", encoding="ascii") as events:  # noqa: PTH123
            changes = select.poll()
            changes.register(events, select.POLLPRI)
            while "populated 0" not in events.read():
                if not changes.poll(max(0.0, until - time.monotonic()) * 1000):
                    return False
                events.seek(0)
    except OSError:
        return True
    return True


def remove(group: str) -> None:
    """Removes the group and those below, where no process is left in them."""
    for path in groups(group):
        with suppress(OSError):
            os.rmdir(path)  # noqa: PTH106
