"""Under which conditions a drill was run: without them its times say nothing."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("pacemaker", "corosync", "resource-agents", "postgresql-15")


class Conditions(NamedTuple):
    """The machine, what was on it, and its load (1, 5 and 15 minutes) when the report was written."""

    processors: int
    model: str
    memory: int
    """Bytes."""
    kernel: str
    python: str
    bansho: str
    packages: dict[str, str]
    """Debian package -> version, of those that are installed."""
    load: tuple[float, float, float]


def now() -> Conditions:
    """This machine's."""
    return Conditions(
        processors=len(os.sched_getaffinity(0)),
        model=_model(),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel=platform.release(),
        python=platform.python_version(),
        bansho=version("bansho"),
        packages=_packages(),
        load=os.getloadavg(),
    )


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _packages() -> dict[str, str]:
    """By dpkg; nothing where there is none."""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *PACKAGES]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return {}
    return dict(line.split(" ", 1) for line in answer.stdout.splitlines() if line.count(" ") == 1)
