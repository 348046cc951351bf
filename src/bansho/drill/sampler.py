"""Looks at what lives on the nodes all the time, and asks the status commands there between two looks."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from subprocess import TimeoutExpired
from types import TracebackType
from typing import Self, TypeVar

from bansho.contract.suites import COMMANDS
from bansho.drill import attention, census
from bansho.drill.audits.evidence import Answer, Sample, Sighting
from bansho.drill.census import Census, Found
from bansho.drill.deaths import powerless
from bansho.drill.errors import Blind
from bansho.drill.mishaps import Mishaps, told
from bansho.drill.stage import HOST, PROGRAMS, Stage, mounted
from bansho.lab.errors import NodeOff
from bansho.lab.node import Node
from bansho.lab.powerlog import Entry

INTERVAL = 0.4
"""Seconds between two rounds of questions."""
SELDOM = 5
"""What costs a Python is asked in each so manieth turn: nodes without the disk, and the services' own status."""
SERVICES = (["jimdbstatus", "-h", HOST], ["jevstat", HOST])
"""The services' own status commands."""
BOOTED = 5.0
"""A node is asked once it has had power for so long; before, it may not have its programs yet."""
LIMIT = 10.0
"""Seconds for an answer."""
PATIENCE = 30.0
"""Seconds until a program on a node that lives has ended, also where it had to be killed."""
SIGNALLED = 128
"""A shell's value for a program that signal N ended is 128 + N; subprocess says -N."""


class Sampler:
    """Looks and asks from threads while it is open; one that ends or stands still is a mishap.

    A thread looks at what lives, and each node has two that ask it: one that is frozen keeps nobody else waiting.
    """

    def __init__(self, stage: Stage, mishaps: Mishaps) -> None:
        self._stage, self._mishaps = stage, mishaps
        self._closed = threading.Event()
        self._power: dict[str, tuple[int, float]] = {node.name: (_pid(node), 0.0) for node in stage.lab.nodes}
        asking = [partial(ask, node) for node in stage.lab.nodes for ask in (self._ask_suites, self._ask_services)]
        works: list[Callable[[], None]] = [self._watch, *asking]
        self._threads = [threading.Thread(target=self._guarded, args=(each,), daemon=True) for each in works]
        self.longest_pause = 0.0
        """Between two looks, in seconds."""
        self.samples: list[Sample] = []
        self.answers: list[Answer] = []
        self.sightings: list[Sighting] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        with self._mishaps.noted():
            if any(thread.is_alive() for thread in self._threads):
                raise Blind(observer="the sampler", what=f"did not come to its end within {PATIENCE:g} s")
            attention.awake(self.longest_pause, "the sampler")

    def disturbed(self, node: str, since: float) -> bool:
        """Whether a suite on the node was seen other than all running after `since`."""
        return any(each.node == node and each.value != 0 and each.at > since for each in reversed(self.samples))

    def _guarded(self, work: Callable[[], None]) -> None:
        with self._mishaps.noted():
            try:
                work()
            except Exception as problem:
                raise Blind(observer="the sampler", what=f"ended by {told(problem)}") from problem

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._closed.wait(INTERVAL):
            self._look()
            now = time.monotonic()
            self.longest_pause, last = max(self.longest_pause, now - last), now

    def _look(self) -> Census:
        began = time.time()
        found = census.take(self._stage.lab)
        self.sightings.append(Sighting(time.time(), found, time.time() - began))
        return found

    def _ask_suites(self, node: Node) -> None:
        """Each suite's status; without the disk in each so manieth turn."""
        turn = 0
        while not self._closed.wait(INTERVAL):
            if self._settled(node) and (mounted(node) or turn % SELDOM == 0):
                for suite in COMMANDS:
                    self._ask(node, suite)
            turn += 1

    def _ask_services(self, node: Node) -> None:
        """Where the disk is, the database's and the event service's own status."""
        while not self._closed.wait(SELDOM * INTERVAL):
            if self._settled(node) and mounted(node):
                answers = (self._answer(node, [*command, "-t", "5"]) for command in SERVICES)
                self.answers += [answer for answer in answers if answer]

    def _settled(self, node: Node) -> bool:
        pid, now = _pid(node), time.monotonic()
        if pid != self._power[node.name][0]:
            self._power[node.name] = (pid, now)
        return bool(pid) and now - self._power[node.name][1] > BOOTED

    def _ask(self, node: Node, suite: str) -> None:
        before = self.sightings[-1].census if self.sightings else self._look()
        answer = self._answer(node, [COMMANDS[suite].status, "-h", HOST, "-t", "5"])
        after, at = self._look(), time.time()
        if answer:
            seen = (_of(before, node, suite), _of(after, node, suite))
            took, disk = at - answer.at + answer.took, answer.mounted if mounted(node) == answer.mounted else None
            self.samples.append(Sample(at, took, node.name, suite, answer.value, disk, *seen))

    def _answer(self, node: Node, command: Sequence[str]) -> Answer | None:
        """None where there was none, or the node lost power meanwhile: its command died with it. Raises Blind."""
        pid, disk, began = _pid(node), mounted(node), time.time()
        value = None
        with suppress(NodeOff, TimeoutExpired):
            value = node.run([str(PROGRAMS / command[0]), *command[1:]], timeout=LIMIT).returncode
        at = time.time()
        if _pid(node) != pid:
            return None
        if at - began > PATIENCE:  # of a node that was neither reset nor fenced
            raise Blind(observer="the sampler", what=f"waited {at - began:.0f} s for {command[0]} on {node.name}")
        kept = disk if disk == mounted(node) else None
        return None if value is None else Answer(at, at - began, node.name, command[0], value, kept)


Told = TypeVar("Told", Sample, Answer)


def of_living_nodes(told: Iterable[Told], power: Sequence[Entry]) -> list[Told]:
    """The answers without those that a node's own death cut short: a signal's value while its power went. Pure."""
    return [
        each
        for each in told
        if 0 <= each.value < SIGNALLED or not powerless(each.node, each.at - each.took, each.at, power)
    ]


def _of(found: Census, node: Node, suite: str) -> tuple[Found, ...]:
    return tuple(each for each in found.get(node.name, ()) if each.suite == suite)


def _pid(node: Node) -> int:
    try:
        return node.pid
    except NodeOff:
        return 0
