"""Real cluster nodes for tests: a lab that is shared for as long as no test has changed it.

A test that takes the fixture `lab` (tests/conftest.py) gets three nodes that are on, plugged in and online, with
nothing configured and the disk mounted nowhere, and may do to them what it likes: one that touched power, cables, the
cluster's configuration or the disk's mounts gets its lab thrown away, and the next one a new lab (4 s). Mark such
tests `nodes`. The lab dies with the test run, however that ends.
"""

import os
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from bansho.lab import Lab, disk, missing

CHECKOUT = Path(__file__).parent.parent


def until(condition: Callable[[], bool], limit: float = 20.0) -> None:
    """Returns once the condition holds; for what a node does by itself and tells nobody."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


class Labs:
    """Gives out the lab of this run."""

    def __init__(self) -> None:
        self._lab: Lab | None = None
        self._fresh: tuple[object, ...] = ()

    def get(self) -> Lab:
        """A lab as new; skips the test where the machine cannot carry one."""
        if self._lab is None:
            if lacking := missing():
                pytest.skip(f"no cluster nodes here; missing: {'; '.join(lacking)}")
            folders = [CHECKOUT, Path(sys.prefix)]
            self._lab = Lab.up(f"t{os.getpid()}", users=["bansho"], readable=folders, tied=True)
            self._fresh = _state(self._lab)
        return self._lab

    def give_back(self) -> None:
        """Ends the lab if it is no longer as new."""
        if self._lab is not None and _state(self._lab) != self._fresh:
            self.end()

    def end(self) -> None:
        """Ends the lab."""
        if self._lab is not None:
            self._lab.down()
            self._lab = None


def _state(lab: Lab) -> tuple[object, ...]:
    """What differs once a test has changed the lab; nothing of it depends on a node that still answers."""
    log = lab.power_log()
    if not all(node.on for node in lab.nodes) or any(entry.by != "power" for entry in log):
        return ()
    mounted = [disk.mount_points(node.pid, lab.running.device) for node in lab.nodes]
    cib = ElementTree.fromstring(lab.nodes[0].run(["cibadmin", "--query"], check=True, timeout=10).stdout)
    return (len(log), mounted, cib.attrib["epoch"])
