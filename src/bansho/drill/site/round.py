"""One round on a user's cluster: traffic, a fault, what comes of it, everything given back, and the evidence of it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.drill import stored, takeover
from bansho.drill.audits.evidence import NOBODY, Call, Evidence
from bansho.drill.census import Remains
from bansho.drill.errors import NotReached
from bansho.drill.mishaps import Mishaps
from bansho.drill.round import RECOVERY
from bansho.drill.site import fencing, local
from bansho.drill.site.errors import NOT_UNDONE
from bansho.drill.site.faults import Announced
from bansho.drill.site.fencing import Fencing
from bansho.drill.site.here import Here, call
from bansho.drill.site.interruption import undisturbed
from bansho.drill.site.observer import Observer
from bansho.drill.site.sending import Traffic
from bansho.drill.stage import LOOK, UP, Sender, wait
from bansho.drill.traffic import Ledger
from bansho.lab.powerlog import Entry
from bansho.logicalhost import history, lease
from bansho.process import definition

BEFORE = 20
"""Events acknowledged before the fault."""
EFFECT = 20.0
"""Seconds until a fault counts as without effect."""


class Round:
    """A round as it goes. After `run` and `evidence`, `mishaps` are what kept it from its end, or from seeing."""

    def __init__(self, here: Here, number: int, fault: Announced, traffic: Traffic) -> None:
        self.here, self.number, self.fault, self.traffic = here, number, fault, traffic
        self.began = self.struck = self.mended = time.time()
        self.victim, self.successor = here.node, ""
        self.mishaps = Mishaps()
        self.noticed = False
        self.recovered: float | None = None
        self.stored: list[int] = []
        self.calls: list[Call] = []
        self.remains: list[Remains] = []
        self.active_groups = -1
        self.lease_owner = ""
        self.required: dict[str, frozenset[str]] = {}
        self._fenced: frozenset[Fencing] | None = None
        self._sender: Sender | None = None
        self._observer: Observer | None = None

    def run(self) -> None:
        """The whole round, as far as it can be brought; whatever happens in it, the fault is undone."""
        with self.mishaps.noted():
            self._run()

    def _run(self) -> None:
        self.required = {suite: frozenset(definition.load(self.here.host, suite).enabled) for suite in COMMANDS}
        self._fenced = fencing.known()
        with self._observed() as (sender, observer):
            takeover.until_acknowledged(sender, BEFORE)
            self._strike(observer)
            self.here.come_home()
            self._await_event(sender)
            self._ask_again()
            self.here.forget_failures()
        self.stored = self._settled(sender)

    @property
    def source(self) -> str:
        """By this source server its events are known."""
        return self.traffic.source(self.number)

    @contextmanager
    def _observed(self) -> Iterator[tuple[Sender, Observer]]:
        self._sender = self.traffic.send(self.number)
        try:
            with Observer(self.here, self.mishaps) as self._observer:
                yield self._sender, self._observer
        finally:
            self._sender.stop()

    def _strike(self, observer: Observer) -> None:
        try:
            self.victim = self.fault.node(self.here)
            self.fault.prepare(self.here)
            self.struck = time.time()
            self.fault.strike(self.here)
            self._await_effect(observer)
            if self.fault.heals:
                self._await_up()
            if self.fault.rests:
                self._at_rest()
        finally:
            with undisturbed():
                self._undo()
            self.mended = time.time()
        if not self.fault.heals:
            self._await_up()

    def _undo(self) -> None:
        try:
            self.fault.undo(self.here)
        except BanshoError as reason:
            what, todo = f"{self.fault.name} ({reason})", self.fault.by_hand(self.here)
            print(NOT_UNDONE(name=self.here.name, what=what, todo=todo), file=sys.stderr)
            raise

    @property
    def due(self) -> float:
        """From when on it must come back: from the fault, or from its undoing where nothing else mends it."""
        return self.struck if self.fault.heals else self.mended

    def _await_effect(self, observer: Observer) -> None:
        def seen() -> bool:
            here = self.fault.expected != "moves" and observer.disturbed(self.struck)
            return here or self.here.status().home != self.victim

        with suppress(NotReached):
            wait("an effect of the fault", seen, EFFECT)
            self.noticed = True

    def _await_up(self) -> None:
        with suppress(NotReached):  # the audit says so; coming home shows whether it comes back at all
            self.successor = self.here.wait_up(RECOVERY)
            self.recovered = time.time()

    def _at_rest(self) -> None:
        """Nothing can start on this node now: it is looked at, and told to stop again."""
        self.remains.append(local.remains(self.here))
        for suite in COMMANDS:
            self.calls += [self._call(suite, order) for order in ("status", "stop", "killall")]

    def _await_event(self, sender: Sender) -> None:
        now = time.time()
        wait("an event after all is mended", lambda: sender.acknowledged_after(now) is not None, state=sender.said)

    def _ask_again(self) -> None:
        """All runs here again: starting it changes nothing."""
        self.calls += [self._call(suite, "start") for suite in COMMANDS]
        self.active_groups = len(list(local.groups(self.here)))
        if self.successor == self.here.node:
            held = lease.read(self.here.host.shared.root)
            self.lease_owner = held.node if held and held.held else NOBODY

    def _call(self, suite: str, order: str) -> Call:
        """Gives a command and looks what it changed."""
        command = self.here.command(suite, order)
        processes, files = self._processes(), local.written(self.here)
        began = time.monotonic()
        value = call(command)
        took = time.monotonic() - began
        now, changed = self._processes(), files.items() ^ local.written(self.here).items()
        text = " ".join([Path(command[0]).name, *command[1:]])
        gone, new = tuple(sorted(processes - now)), tuple(sorted(now - processes))
        written = tuple(sorted({path for path, _ in changed}))
        return Call(self.here.node, text, order, value, took, gone, new, written, not local.mounts(self.here))

    def _processes(self) -> frozenset[str]:
        found = local.processes(self.here)
        return frozenset(f"{each.suite} {each.service or 'process manager'} {each.pid}" for each in found)

    def _settled(self, sender: Sender) -> list[int]:
        """What the IM database holds of the round once it has the last acknowledged event, or patience ran out."""
        last = max(sender.ledger().acknowledged, default=0)
        until = time.monotonic() + UP
        try:
            while True:
                found = stored.serials(self.here.name, self.source)
                if max(found, default=0) >= last or time.monotonic() > until:
                    return found
                time.sleep(LOOK)
        except psycopg.Error as error:
            raise NotReached(what="the IM database to answer", limit=0, state=error) from None

    def _power(self) -> list[Entry]:
        """The fencing of the round; none where nobody knows what had been fenced before."""
        return [] if self._fenced is None else fencing.since(self._fenced, self.began)

    def _ledger(self) -> Ledger:
        return self._sender.ledger() if self._sender else Ledger({}, {})

    def evidence(self) -> Evidence:
        """What was gathered. The takeover history is on the shared disk: it is told where that is here."""
        return Evidence(
            fault=self.fault.name,
            expected=self.fault.expected,
            may_fence=self.fault.may_fence,
            touched=frozenset(),
            victim=self.victim,
            successor=self.successor,
            began=self.began,
            struck=self.struck,
            recovered=self.recovered,
            changes=self._observer.changes if self._observer else [],
            marks=self.mishaps.read(lambda: history.marks(self.here.host.shared), []),
            power=self.mishaps.read(self._power, []),
            samples=self._observer.samples if self._observer else [],
            sightings=self._observer.sightings if self._observer else [],
            remains=self.remains,
            calls=self.calls,
            ledger=self.mishaps.read(self._ledger, Ledger({}, {})),
            stored=self.stored,
            required=self.required,
            lease_owner=self.lease_owner,
            active_groups=self.active_groups,
            mended=self.mended,
            fenceable=frozenset({self.victim}),
        )
