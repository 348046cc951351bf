"""Asks the status commands on the nodes all the time, between two looks at what really lives there."""

import threading
import time
from collections.abc import Iterable, Sequence
from subprocess import TimeoutExpired
from types import TracebackType
from typing import Self

from bansho.contract.suites import COMMANDS
from bansho.drill import census
from bansho.drill.audits.evidence import Sample, Sighting
from bansho.drill.census import Census, Found
from bansho.drill.stage import HOST, PROGRAMS, Stage, mounted
from bansho.lab.errors import NodeOff
from bansho.lab.node import Node
from bansho.lab.powerlog import Entry

INTERVAL = 0.4
"""Seconds between two rounds of questions."""
STANDBYS = 5
"""Nodes without the disk are asked in each so manieth round: there an answer costs a Python."""
BOOTED = 5.0
"""A node is asked once it has had power for so long; before, it may not have its programs yet."""
LIMIT = 10.0
"""Seconds for an answer."""
SIGNALLED = 128
"""A shell's value for a program that signal N ended is 128 + N; subprocess says -N."""
DEATHS = frozenset({"off", "loss", "reboot", "dead"})
DYING = 2.0
"""Seconds between an entry of the power log and what it does to the programs on a node, at most."""


class Sampler:
    """Samples from a thread while it is open."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._power: dict[str, tuple[int, float]] = {node.name: (_pid(node), 0.0) for node in stage.lab.nodes}
        self.samples: list[Sample] = []
        self.sightings: list[Sighting] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()

    def disturbed(self, node: str, since: float) -> bool:
        """Whether a suite on the node was seen other than all running after `since`."""
        return any(each.node == node and each.value != 0 and each.at > since for each in reversed(self.samples))

    def _run(self) -> None:
        turn = 0
        while not self._closed.wait(INTERVAL):
            before = self._look()
            for node in self._stage.lab.nodes:
                if self._settled(node) and (mounted(node) or turn % STANDBYS == 0):
                    self._ask(node, before)
            turn += 1

    def _look(self) -> Census:
        found = census.take(self._stage.lab)
        self.sightings.append(Sighting(time.time(), found))
        return found

    def _settled(self, node: Node) -> bool:
        pid, now = _pid(node), time.monotonic()
        if pid != self._power[node.name][0]:
            self._power[node.name] = (pid, now)
        return bool(pid) and now - self._power[node.name][1] > BOOTED

    def _ask(self, node: Node, before: Census) -> None:
        pid, disk = _pid(node), mounted(node)
        for suite in COMMANDS:
            began = time.time()
            command = [str(PROGRAMS / COMMANDS[suite].status), "-h", HOST, "-t", "5"]
            try:
                value = node.run(command, timeout=LIMIT).returncode
            except (NodeOff, TimeoutExpired):
                return
            after = self._look()
            if _pid(node) != pid:  # it lost power: its command died with it
                return
            still = mounted(node)
            seen = (_of(before, node, suite), _of(after, node, suite))
            at = time.time()
            self.samples.append(Sample(at, at - began, node.name, suite, value, disk if disk == still else None, *seen))


def of_living_nodes(samples: Iterable[Sample], power: Sequence[Entry]) -> list[Sample]:
    """The answers without those that a node's own death cut short: a signal's value while its power went. Pure."""
    return [each for each in samples if 0 <= each.value < SIGNALLED or not _died(each, power)]


def _died(sample: Sample, power: Iterable[Entry]) -> bool:
    began, ended = sample.at - sample.took - DYING, sample.at + DYING
    return any(each.node == sample.node and each.action in DEATHS and began <= each.wall <= ended for each in power)


def _of(found: Census, node: Node, suite: str) -> tuple[Found, ...]:
    return tuple(each for each in found.get(node.name, ()) if each.suite == suite)


def _pid(node: Node) -> int:
    try:
        return node.pid
    except NodeOff:
        return 0
