"""An endurance run: the work of hours in minutes, under CPU load, on nodes where nothing is broken.

What is compressed is work: as many calls of the commands, events, log rotations and restarts as that many hours bring,
one after the other with less time between them. What goes by time is not: the beats of record and lease, the cluster's
own monitoring, timers of PostgreSQL. So a leak by call, event or restart shows as it would after hours; one by the
clock shows only as far as the minutes go.
"""

import os
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from subprocess import PIPE
from typing import NamedTuple

from bansho.contract.suites import COMMANDS
from bansho.drill import attention, calls, takeover, usage
from bansho.drill.audits.recovery import ASKED
from bansho.drill.calls import Answer
from bansho.drill.growth import Growth, Samples, growth, slope
from bansho.drill.progress import step
from bansho.drill.stage import HOST, PROGRAMS, SHARED, Sender, Stage, run, stage
from bansho.drill.tally import Tally
from bansho.drill.usage import TOLERATED, Series
from bansho.lab.node import Node, Program
from bansho.lab.watch import Change, Watch
from bansho.logicalhost import lease

HOUR = 3600.0
EVENTS = 1.0
"""Events a second that are compressed: 28,800 in eight hours."""
SAMPLES = 60
"""Looks at what is used, in the whole run; at least SHORTEST seconds apart."""
SHORTEST = 1.0
SOURCE = "endurance"
RESTART = 300.0
"""Seconds for a restart under load."""
LEFT_BEHIND = ("files", "mounts", "control groups", "processes")
"""Measures of what outlives a process, so that a restart can leave it behind."""
EVERY_OTHER = 0.5
"""One for every other restart: more is none by chance."""
TOO_FEW = "too few looks to judge whether anything grows: the minutes are too short for this machine"
Samplings = dict[Series, list[tuple[float, float]]]


class Work(NamedTuple):
    """Something that is done again and again in real operation."""

    name: str
    every: float
    """Seconds between two in real operation."""
    command: Sequence[str]
    at_once: int = 1
    """How many may run side by side here, so that a slow one gets its number done."""


def _monitoring() -> Iterator[Work]:
    """What the cluster asks every `monitor-interval`, 10 s by default."""
    for suite, names in COMMANDS.items():
        yield Work(f"operation monitoring of {suite}", 10.0, [str(PROGRAMS / names.status), "-h", HOST])
    yield Work("IM database monitoring", 10.0, [str(PROGRAMS / "jimdbstatus"), "-h", HOST], 4)
    yield Work("event service monitoring", 10.0, [str(PROGRAMS / "jevstat"), HOST], 4)


FILL = f"head -c 11M /dev/zero >>{SHARED}/log/base.event-service.log"
WORK = (
    *_monitoring(),
    Work("start of what runs", HOUR, [str(PROGRAMS / COMMANDS["manager"].start), HOST]),
    Work("log full, set aside", HOUR, ["sh", "-c", FILL]),
)


class Settings(NamedTuple):
    """What an endurance run is."""

    hours: float = 8.0
    """Of which the work is done."""
    minutes: float = 10.0
    """In which it is done, once the restarts are over."""
    load: float = 8.0
    """Busy loops for each processor."""
    restarts: int = 8
    """Of the whole logical host, by the cluster, before."""
    nodes: int = 2


class Done(NamedTuple):
    """What was done of a work."""

    name: str
    every: float
    wanted: int
    made: int
    hours: float
    """Of real operation."""
    values: dict[str, int]
    """Return value -> how often."""
    median: float
    """Seconds that an answer took."""
    longest: float


class Result(NamedTuple):
    """What came of it."""

    done: tuple[Done, ...]
    restarts: tuple[float, ...]
    """Seconds each."""
    tally: Tally
    samples: Samplings
    """Under load: (seconds since its start, value)."""
    restarted: Samplings
    """After each restart: (its number, value)."""
    growth: dict[Series, Growth]
    problems: tuple[str, ...]
    """What must not be: a takeover, fencing, a failed operation, a wrong answer, a lost event, something that grows."""

    @property
    def clean(self) -> bool:
        """Whether there was no problem."""
        return not self.problems


def run_all(settings: Settings, work: Sequence[Work] = WORK, lab: str = "endure") -> Result:
    """The whole run, in a lab of its own."""
    with stage(lab, settings.nodes) as built, _busy(built, settings.load):
        return endure(built, settings, work)


def endure(built: Stage, settings: Settings, work: Sequence[Work]) -> Result:
    """The whole run on a stage; the load is somebody else's."""
    began = time.time()
    with step(f"{settings.restarts} restarts"):
        restarts, restarted = _restart(built, settings.restarts)
    node, lasting = built.wait_up(), settings.minutes * 60
    epoch = _epoch(node)
    with Watch(built.lab) as watch, _sending(built, EVENTS * settings.hours * HOUR / lasting) as sender:
        steady = time.time()
        programs = [_start(node, each, settings.hours, lasting) for each in work]
        with step(f"the work of {settings.hours:g} hours in {settings.minutes:g} minutes, at {settings.load:g} x load"):
            samples = _sampled(built, lasting)
        attention.require(watch)
        answers = [calls.answers(program.communicate()[0].splitlines()) for program in programs]
    counted = takeover.settled_tally(built, sender, SOURCE)
    done = tuple(_done(each, settings.hours, found) for each, found in zip(work, answers, strict=True))
    judged = {each: found for each, values in samples.items() if (found := growth(values, TOLERATED[each.measure]))}
    problems = (
        *(f"{each.node} {'took' if each.held else 'let go of'} the {each.what}" for each in since(watch, steady)),
        *_fenced(built, began),
        *_failures(node),
        *([] if _epoch(node) == epoch else ["the lease has another epoch: the logical host was started again"]),
        *wrong(done, counted),
        *leaks(judged, restarted),
        *([] if judged else [TOO_FEW]),
    )
    return Result(done, tuple(restarts), counted, samples, restarted, judged, problems)


@contextmanager
def _busy(built: Stage, load: float) -> Iterator[None]:
    """So many busy loops a processor, outside: they die with the lab, whatever becomes of this program."""
    count = round(load * len(os.sched_getaffinity(0)))
    loops = [built.lab.outside.popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()


@contextmanager
def _sending(built: Stage, rate: float) -> Iterator[Sender]:
    sender = built.send(rate, SOURCE)
    try:
        takeover.until_acknowledged(sender, 1)
        yield sender
    finally:
        sender.stop()


def _restart(built: Stage, count: int) -> tuple[list[float], Samplings]:
    """Has the cluster restart it so many times, and looks after each what is used."""
    took: list[float] = []
    found: Samplings = {}
    for number in range(1, count + 1):
        began = time.monotonic()
        run(built.lab.nodes[0], "restart", ["crm_resource", "--restart", "--resource", HOST])
        built.wait_up(limit=RESTART)
        took.append(time.monotonic() - began)
        for series, value in usage.take(built.lab).items():
            found.setdefault(series, []).append((float(number), value))
    return took, found


def _start(node: Node, work: Work, hours: float, lasting: float) -> Program:
    wanted = str(round(hours * HOUR / work.every))
    module = [sys.executable, "-m", "bansho.drill.calls", wanted, str(lasting), str(work.at_once)]
    return node.popen([*module, *work.command], stdout=PIPE, text=True)


def _sampled(built: Stage, lasting: float) -> Samplings:
    """What is used, from the start of the load to its end."""
    began, found = time.monotonic(), Samplings()
    pause = max(SHORTEST, lasting / SAMPLES)
    for number in count():
        time.sleep(max(0.0, began + number * pause - time.monotonic()))
        now = time.monotonic() - began
        if now > lasting:
            return found
        for series, value in usage.take(built.lab).items():
            found.setdefault(series, []).append((round(now, 1), value))
    return found


def _done(work: Work, hours: float, found: Sequence[Answer]) -> Done:
    times = [each.took for each in found] or [0.0]
    values = Counter(str(each.value) for each in found)
    wanted = round(hours * HOUR / work.every)
    worth = len(found) * work.every / HOUR
    return Done(work.name, work.every, wanted, len(found), worth, dict(values), median(times), max(times))


def _epoch(node: Node) -> int:
    found = lease.read(Path(f"/proc/{node.pid}/root{SHARED}"))
    return found.epoch if found else 0


def since(watch: Watch, moment: float) -> Iterator[Change]:
    """What changed owners after a moment."""
    return (each for each in watch.changes if each.wall > moment)


def _fenced(built: Stage, began: float) -> Iterator[str]:
    for entry in built.lab.power_log():
        if entry.wall > began and entry.by not in ASKED and not entry.done:
            yield f"{entry.by} fenced {entry.node} at {entry.wall:.3f}"


def _failures(node: Node) -> Iterator[str]:
    """Operations that the cluster holds for failed: it would have acted on each."""
    text = run(node, "ask the cluster", ["crm_mon", "-1", "--output-as", "xml"])
    for each in ElementTree.fromstring(text).iter("failure"):  # noqa: S314 - Pacemaker's own
        why = each.get("exitreason") or each.get("exitstatus")
        yield f"failed operation: {each.get('op_key')} on {each.get('node')}: {why}"


def wrong(done: Sequence[Done], counted: Tally) -> Iterator[str]:
    """Answers that were not 0 while everything ran, and events that were lost, doubled or invented. Pure."""
    for each in done:
        bad = {value: times for value, times in each.values.items() if value != "0"}
        if bad:
            yield f"{each.name}: answered other than 0: {bad}"
        if not each.made:
            yield f"{each.name}: was not done once"
    if not counted.clean:
        yield f"events: {counted}"


def leaks(judged: Mapping[Series, Growth], restarted: Mapping[Series, Samples]) -> Iterator[str]:
    """What grows under load, and what each restart leaves behind. Pure."""
    for (of, measure), found in judged.items():
        if found.leaks:
            yield f"{measure} of {of} grows: {found.first:.0f} to {found.last:.0f}"
    for (of, measure), values in restarted.items():
        if measure in LEFT_BEHIND and slope(values) >= EVERY_OTHER:
            yield f"{measure} of {of} grow with each restart: {values[0][1]:.0f} to {values[-1][1]:.0f}"
