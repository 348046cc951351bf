"""A comparison: the same faults on the same nodes, for the logical host and for the classic pgsql group, in turns.

A sender outside writes by the logical address all the time. What is measured is what it feels: the longest time without
an acknowledged write after the fault, or after the order to start again where the fault was the order to stop. A fault
that only its undoing mends lasts as long for both.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Annotated, NamedTuple

from msgspec import Meta

from bansho.drill import census, overdue, pgsql_group, takeover, trace
from bansho.drill.choice import selected
from bansho.drill.contender import COMMON, OWN, STAGED, Contender, Watch
from bansho.drill.errors import NotReached
from bansho.drill.faults import FAULTS, unfit
from bansho.drill.faults.fault import Fault, Scene
from bansho.drill.mishaps import Mishaps
from bansho.drill.pgsql_group import PgsqlGroup
from bansho.drill.plan import shuffled
from bansho.drill.progress import step
from bansho.drill.stage import Sender, Stage, second_try, stage, wait
from bansho.drill.tally import Tally, tally
from bansho.drill.traffic import Ledger
from bansho.lab.node import Node
from bansho.lab.watch import Watch as Observer

BEFORE, AFTER = 30, 30
"""Writes acknowledged before the fault, and after all runs again."""
RECOVERY = 180.0
"""Seconds until it counts as not recovered: above a frozen server's 30 of monitor, 120 of stop, and fencing."""
LIMIT = 900.0
"""Seconds for a trial: more than all of its own limits together."""
QUIET = 2.0
"""Seconds without an acknowledged write that count as an effect of the fault."""
SLOW = 30.0
"""Seconds until it runs again from which on a trial's logs are kept."""
SERVER = "postgres"
"""The program that both have on the shared disk."""
CONTENDERS = {each.name: each.title for each in (Watch, PgsqlGroup)}


class Settings(NamedTuple):
    """What a comparison is: the same settings give the same series."""

    seed: int
    rounds: int
    """A round is one fault, struck at each contender."""
    faults: Annotated[tuple[str, ...], Meta(min_length=1)]
    nodes: int = 3
    rate: float = 50.0
    """Writes a second from the sender outside."""


class Trial(NamedTuple):
    """What became of one contender in one round. Times in seconds."""

    round: int
    contender: str
    fault: str
    victim: str
    successor: str
    struck: float
    """Wall clock."""
    silence: float | None
    """The longest time without an acknowledged write; None where none was acknowledged any more."""
    reached: float | None
    """From the fault to the end of that time: later, where the fault did not show at once."""
    running: float | None
    """Until all of it ran again: from the fault, or from its undoing where nothing else mends it; next to nothing where
    nothing was seen of the fault."""
    tally: Tally
    left_on: tuple[str, ...] = ()
    """Nodes that had lost it and on which its PostgreSQL server still lived when all ran again: a second owner."""
    error: str = ""
    """Why the trial could not be brought to its end; empty otherwise."""


def chosen(wanted: Iterable[str], nodes: int) -> tuple[str, ...]:
    """The faults named, or those of a group named, that this machine and so many nodes permit; all for none named.

    Raises UnknownFault, and UnfitFault for a name that would leave nothing.
    """
    reasons = dict.fromkeys(OWN, "") | {name: unfit(FAULTS[name], nodes) for name in COMMON}
    return tuple(selected(wanted, reasons, STAGED))


def series(settings: Settings) -> list[tuple[int, str, str]]:
    """Round, fault and contender of each trial: a function of the settings. Pure.

    Every fault comes once before any comes again; who is struck first changes from round to round, so that a machine
    that grows busier does not favour one, and the contenders change places once a round.
    """
    random = Random(settings.seed)  # noqa: S311 - a reproducible series, no secret
    order = list(CONTENDERS)
    return [
        (number, fault, name)
        for number, fault in enumerate(shuffled(settings.faults, settings.rounds, random), 1)
        for name in (order if number % 2 else order[::-1])
    ]


def run(
    settings: Settings, shown: dict[str, str], folder: Path, done: int = 0, lab: str = "compare"
) -> Iterator[Trial]:
    """Runs the trials of the series after the first `done`; each as it comes. A stage that a trial broke is built anew:
    what did not come back must not be the next contender's trouble.

    `shown` is given each contender's configuration of the cluster. The logs of a trial that was SLOW, did not end, or
    lost writes or left a second owner are kept in `folder/round-N-CONTENDER`: the cause can be looked into.
    """
    left = series(settings)[done:]
    while left:
        with second_try(lambda: _turns(lab, settings.nodes)) as turns, suppress(_Broken):
            while left:
                number, fault, name = left.pop(0)
                with step(f"round {number} of {settings.rounds}: {fault}, {name}"):
                    found = trial(turns, number, fault, name, settings, folder / f"round-{number}-{name}")
                if name not in shown:
                    with Mishaps().noted():  # a later trial asks again
                        shown[name] = turns.on.configuration()
                yield found
                if found.silence is None or found.left_on:
                    raise _Broken


@contextmanager
def _turns(lab: str, nodes: int) -> Iterator["Turns"]:
    with stage(lab, nodes) as built:
        yield Turns(built)


def _worth_a_look(found: Trial) -> bool:
    slow = found.reached is None or found.running is None or max(found.reached, found.running) > SLOW
    return slow or not found.tally.clean or bool(found.left_on)


class _Broken(Exception):
    """A trial did not come back, or left a second owner: nothing after it could be trusted."""


class Turns:
    """The contenders of a stage: one is on it at a time."""

    def __init__(self, built: Stage) -> None:
        watch = Watch(built)
        self.on: Contender = pgsql_group.prepare(built, watch)
        self.all: dict[str, Contender] = {each.name: each for each in (watch, self.on)}

    def take(self, name: str) -> Contender:
        """Everything mended, and that one on the stage."""
        self.on.stage.mend()
        if self.on.name != name:
            self.on.leave()
            self.on = self.all[name]
            self.on.enter()
        return self.on


def trial(turns: Turns, number: int, fault: str, name: str, settings: Settings, folder: Path) -> Trial:
    """One trial, from everything mended to everything mended. What is worth a look is kept in `folder`."""
    found = Trial(number, name, fault, "", "", time.time(), None, None, None, tally(Ledger({}, {}), ()))
    mishaps = Mishaps()
    with mishaps.noted(), overdue.limited(LIMIT, f"the trial of {name}"):
        contender = turns.take(name)
        found = _struck(contender, contender.faults[fault], found, settings)
    if mishaps or _worth_a_look(found):
        with mishaps.noted():
            turns.on.keep_logs(folder)
        trace.tracebacks(mishaps, folder)
    return found._replace(error=str(mishaps))


def _struck(contender: Contender, fault: Fault, trial: Trial, settings: Settings) -> Trial:
    source = f"{contender.name}-{trial.round}"
    with _writing(contender, settings.rate, source) as sender, Observer(contender.stage.lab) as watch:
        takeover.until_acknowledged(sender, BEFORE)
        victim = _running(contender)
        scene = Scene(contender.stage, victim, watch, Random(trial.round), contender.resource)  # noqa: S311 - no secret
        with _under(contender, fault, scene, sender) as (struck, due):
            back = _recovered(contender, fault, victim.name, sender)
            ran = None if back is None else time.time()
            if back:
                takeover.until_acknowledged(sender, len(sender.ledger().acknowledged) + AFTER)
            left_on = _left_on(contender.stage, back)
    if back:
        contender.stage.mend()
    ledger = sender.ledger()
    silence, reached = longest_silence(ledger, due if fault.rests else struck)
    return trial._replace(
        victim=victim.name,
        successor=back or "",
        struck=struck,
        silence=silence if back else None,
        reached=reached if back else None,
        running=None if ran is None else ran - due,
        tally=tally(ledger, contender.stored(sender, source) if back else ()),
        left_on=left_on,
    )


@contextmanager
def _writing(contender: Contender, rate: float, source: str) -> Iterator[Sender]:
    sender = contender.send(rate, source)
    try:
        yield sender
    finally:
        sender.stop()


def _running(contender: Contender) -> Node:
    wait(f"{contender.name} to run", lambda: contender.running_on() is not None, state=contender.stage.overview)
    node = contender.running_on()
    assert node is not None  # noqa: S101 - it ran a moment ago
    return node


@contextmanager
def _under(contender: Contender, fault: Fault, scene: Scene, sender: Sender) -> Iterator[tuple[float, float]]:
    """The fault, which is undone in any case: when it struck, and when all is due back.

    That is then, at its undoing where only that mends it, or once nothing was seen of it and nothing has to move.
    """
    with ExitStack() as undoing:
        undoing.callback(fault.undo, scene)
        struck = due = time.time()
        fault.strike(scene)
        noticed = _await_effect(contender, fault, scene, sender, struck)
        if fault.heals and not noticed and fault.expected != "moves":
            due = time.time()
        if not fault.heals:
            time.sleep(max(0.0, struck + fault.hold - time.time()))
            due = time.time()
            undoing.close()
            contender.stage.give_back()
        yield struck, due


def _await_effect(contender: Contender, fault: Fault, scene: Scene, sender: Sender, struck: float) -> bool:
    """Whether something is seen of the fault before it counts as without effect."""

    def seen() -> bool:
        changed = any(change.wall >= struck for change in scene.watch.changes)
        return changed or contender.running_on() is None or quiet(sender.ledger(), struck) > QUIET

    with suppress(NotReached):
        wait("an effect of the fault", seen, fault.hold)
        return True
    return False


def _recovered(contender: Contender, fault: Fault, victim: str, sender: Sender) -> str | None:
    """The node on which it runs again and from which a write was answered that was sent since; None: nowhere."""
    since = time.time()
    away_from = victim if fault.expected == "moves" else ""

    def back() -> bool:
        node = contender.running_on()
        return node is not None and node.name != away_from and sender.acknowledged_after(since) is not None

    with suppress(NotReached):
        wait(f"{contender.name} to run again", back, RECOVERY)
        return _running(contender).name
    return None


def _left_on(stage: Stage, back: str | None) -> tuple[str, ...]:
    """The other nodes on which a server lives, once one has taken over; where nobody has there is no second owner."""
    return tuple(sorted(census.running(stage.lab, SERVER) - {back})) if back else ()


def quiet(ledger: Ledger, since: float) -> float:
    """Seconds for which nothing has been acknowledged by now, at most those since `since`."""
    return time.time() - max([since, *(each.at for each in ledger.acknowledged.values())])


def longest_silence(ledger: Ledger, since: float) -> tuple[float, float]:
    """The longest time between two acknowledgements after `since`, and its end counted from `since`. Pure."""
    times = sorted(each.at for each in ledger.acknowledged.values() if each.at >= since)
    gaps = ((after - before, after - since) for before, after in pairwise([since, *times]))
    return max(gaps, default=(0.0, 0.0))
