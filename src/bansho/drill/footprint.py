"""What a node holds at one moment that only grows where something leaks: looked at before and after a round."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bansho.drill import census
from bansho.lab.lab import Lab


class Manager(NamedTuple):
    """What a process manager uses. This machine's pid, and when it started, name it for ever."""

    pid: int
    ticks: int
    descriptors: int
    memory: int
    """Resident, in KiB."""


class Footprint(NamedTuple):
    """One node's. `boot` is the pid of its first process: another one, another boot."""

    node: str
    boot: int
    mounts: int
    """Without those of the shared disk, which come and go with the logical host."""
    temporary: frozenset[str]
    """Names in /tmp."""
    managers: tuple[Manager, ...]


def take(lab: Lab) -> list[Footprint]:
    """Of every node that has power, now."""
    found = census.take(lab)
    return [_of(lab, name, processes) for name, processes in found.items()]


def _of(lab: Lab, name: str, processes: tuple[census.Found, ...]) -> Footprint:
    node = lab.node(name)
    init = Path(f"/proc/{node.pid}")
    device = f" {lab.running.device} "
    lines = (init / "mountinfo").read_text().splitlines()
    return Footprint(
        name,
        node.pid,
        sum(device not in line for line in lines),
        frozenset(os.listdir(init / "root/tmp")),  # noqa: PTH208 - names
        tuple(used for each in processes if each.is_manager and (used := _used(each.pid, each.ticks))),
    )


def _used(pid: int, ticks: int) -> Manager | None:
    process = Path(f"/proc/{pid}")
    with suppress(OSError):  # it ended just now
        resident = re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text())
        return Manager(pid, ticks, len(list((process / "fd").iterdir())), int(resident[1]) if resident else 0)
    return None
