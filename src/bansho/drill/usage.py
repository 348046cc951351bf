"""What the nodes and the suites' processes use at one moment: memory, descriptors, files, mounts, control groups."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bansho.drill import census
from bansho.drill.census import POSTGRES, Found
from bansho.drill.stage import SHARED
from bansho.lab.lab import Lab
from bansho.lab.node import Node

OWN_FOLDERS = ("run", "tmp", "dev/shm")


class Series(NamedTuple):
    """What was measured of what."""

    of: str
    measure: str


TOLERATED = {
    "own memory": 2048.0,
    "descriptors": 3.0,
    "files": 3.0,
    "mounts": 1.0,
    "control groups": 1.0,
    "processes": 3.0,
    "connections": 3.0,
}
"""Measure -> growth that counts as none, over all the time judged. Memory in KiB.

Own memory is anonymous and proportional (Pss_Anon of proc(5)): what only this process has, and its share of what it
has in common with its children. Pages of files and PostgreSQL's shared buffers fill up with use, and are no leak.
"""


def take(lab: Lab) -> dict[Series, float]:
    """Everything, now."""
    found: dict[Series, float] = {}
    for name, processes in census.take(lab).items():
        node = lab.node(name)
        found |= {Series(name, measure): value for measure, value in _node(lab, node).items()}
        for role, process in _roles(processes):
            with suppress(OSError):  # it ended just now
                found[Series(role, "own memory")] = _memory(process.pid)
                found[Series(role, "descriptors")] = len(os.listdir(f"/proc/{process.pid}/fd"))  # noqa: PTH208 - a count
        if processes:
            served = len(list(_servers(processes)))
            found[Series("both suites", "processes")] = len(processes) - served
            found[Series("IM database", "connections")] = served
    return found


def _servers(processes: tuple[Found, ...]) -> Iterator[Found]:
    """PostgreSQL's children: one a connection, and a few of its own that come and go."""
    postgres = {each.pid for each in processes if each.program == POSTGRES}
    return (each for each in processes if each.pid in postgres and each.parent in postgres)


def _roles(processes: tuple[Found, ...]) -> Iterator[tuple[str, Found]]:
    """The processes that live as long as their suite, each with a name that its next one has too."""
    by_pid = {each.pid: each for each in processes}
    for (suite, service), process in census.main_processes(processes).items():
        yield f"{suite}: {service}", process
    for each in processes:
        if each.is_manager:
            yield f"{each.suite}: process manager", each
        if each.is_guardian:
            yield f"{each.suite}: guardian", each
        parent = by_pid.get(each.parent)
        if each.program == POSTGRES and parent and parent.program != POSTGRES:
            yield f"{each.suite}: postmaster", each


def _memory(pid: int) -> float:
    found = re.search(r"Pss_Anon:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    return float(found[1]) if found else 0.0


def _node(lab: Lab, node: Node) -> dict[str, float]:
    root = Path(f"/proc/{node.pid}/root")
    folders = [*(root / each for each in OWN_FOLDERS), root / SHARED.lstrip("/") / "log"]
    groups = Path(lab.spec.cgroup, node.name)
    return {
        "files": sum(_files(folder) for folder in folders),
        "mounts": len(Path(f"/proc/{node.pid}/mountinfo").read_text().splitlines()),
        "control groups": sum(path.is_dir() for path in groups.rglob("*")) if lab.spec.cgroup else 0,
    }


def _files(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))
