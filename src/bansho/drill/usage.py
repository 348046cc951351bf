"""What the nodes and the suites' processes use at one moment: memory, descriptors, files, mounts, control groups."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bansho.drill import census
from bansho.drill.census import GUARD, Found
from bansho.drill.stage import SHARED
from bansho.lab.lab import Lab
from bansho.lab.node import Node

OWN_FOLDERS = ("run", "tmp", "dev/shm")
POSTMASTER = "postgres"


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
            found[Series("both suites", "processes")] = len(processes)
    return found


def _roles(processes: tuple[Found, ...]) -> Iterator[tuple[str, Found]]:
    """The processes that live as long as their suite, each with a name that its next one has too."""
    by_pid = {each.pid: each for each in processes}
    for (suite, service), process in census.main_processes(processes).items():
        yield f"{suite}: {service}", process
    for each in processes:
        if not each.service:
            yield f"{each.suite}: {'guardian' if each.program.endswith(GUARD) else 'process manager'}", each
        parent = by_pid.get(each.parent)
        if each.program == POSTMASTER and parent and parent.program != POSTMASTER:
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
