"""One round: traffic, faults, what comes of them, everything mended, and the evidence of it all."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from random import Random

from bansho.contract.messages import BanshoError
from bansho.contract.suites import COMMANDS
from bansho.drill import attention, census, footprint, overdue, probe, takeover
from bansho.drill.audits.evidence import NOBODY, Call, Evidence
from bansho.drill.census import Remains
from bansho.drill.errors import NotReached
from bansho.drill.faults.fault import Fault, Scene
from bansho.drill.footprint import Footprint
from bansho.drill.mishaps import Mishaps
from bansho.drill.plan import expected, named
from bansho.drill.sampler import Sampler, of_living_nodes
from bansho.drill.stage import HOST, SHARED, Sender, Stage, mounted, run, wait
from bansho.drill.traffic import Ledger
from bansho.lab.node import Node
from bansho.lab.powerlog import Entry
from bansho.lab.watch import Watch
from bansho.logicalhost import lease
from bansho.logicalhost.history import Mark

BEFORE = 50
"""Events acknowledged before the fault."""
RECOVERY = 120.0
"""Seconds until all must be running again."""
LIMIT = 900.0
"""Seconds for a round: more than all of its own limits together."""
PORTS = (7710, 7711)
LEASE = f"""
from pathlib import Path
from bansho.logicalhost import lease
held = lease.read(Path("/mnt/{HOST}"))
print(held.node if held and held.held else "{NOBODY}")
"""


class Round:
    """A round as it goes. After `run` and `evidence`, `mishaps` are what kept it from its end, or from seeing."""

    def __init__(self, stage: Stage, number: int, faults: Sequence[Fault], seed: int, rate: float) -> None:
        self.stage, self.number, self.faults, self.rate = stage, number, faults, rate
        self.random = Random(f"{seed} {number}")  # noqa: S311 - a reproducible series, no secret
        self.began = self.struck = self.undone = self.mended = time.time()
        self.victim = self.successor = ""
        self.mishaps = Mishaps()
        self.noticed = False
        self.recovered: float | None = None
        self.stored: list[int] = []
        self.calls: list[Call] = []
        self.remains: list[Remains] = []
        self.before: list[Footprint] = []
        self.after: list[Footprint] = []
        self.lease_owner, self.lease_at_rest, self.active_groups = "", "", -1
        self.shows = False
        self._sender: Sender | None = None
        self._watch: Watch | None = None
        self._sampler: Sampler | None = None

    def run(self) -> None:
        """The whole round, as far as it can be brought."""
        with self.mishaps.noted(), overdue.limited(LIMIT, f"round {self.number}"):
            self._run()

    def _run(self) -> None:
        self.victim = self.stage.settle().name
        self.before = footprint.take(self.stage.lab)
        with self._observed() as (sender, watch, sampler):
            takeover.until_acknowledged(sender, BEFORE)
            scene = Scene(self.stage, self.stage.lab.node(self.victim), watch, self.random)
            self._strike(scene, sampler)
            self.stage.give_back()
            self._await_mended()
            active = self.stage.settle()
            self._await_event(sender, active)
            self._probe(active)
        self.stored = takeover.settled(self.stage, sender, self._source)

    @property
    def _source(self) -> str:
        return f"round-{self.number}"

    @contextmanager
    def _observed(self) -> Iterator[tuple[Sender, Watch, Sampler]]:
        self._sender = self.stage.send(self.rate, self._source)
        try:
            with Watch(self.stage.lab) as self._watch, Sampler(self.stage, self.mishaps) as self._sampler:
                yield self._sender, self._watch, self._sampler
                attention.require(self._watch)
        finally:
            self._sender.stop()

    def _strike(self, scene: Scene, sampler: Sampler) -> None:
        """What struck, or began to, is undone, each whatever becomes of the others."""
        self.struck = time.time()
        with ExitStack() as undoing:
            undoing.callback(self._is_mended)
            try:
                for fault in self.faults:
                    undoing.callback(fault.undo, scene)
                    self._strike_one(fault, scene)
                self._see_it_through(scene, sampler)
            finally:
                self.undone = time.time()

    def _strike_one(self, fault: Fault, scene: Scene) -> None:
        """A fault that comes second may find that the first one took away what it should strike."""
        with suppress(*() if fault is self.faults[0] else (BanshoError, OSError)):
            fault.strike(scene)
            self.shows |= fault.shows

    def _is_mended(self) -> None:
        self.mended = time.time()

    def _see_it_through(self, scene: Scene, sampler: Sampler) -> None:
        self._await_effect(scene, sampler)
        if all(fault.heals for fault in self.faults):
            self._await_up()
        elif any(fault.rests for fault in self.faults):
            self._at_rest()

    @property
    def due(self) -> float:
        """From when on it must come back: from the fault, or from its undoing where nothing else mends it."""
        return self.struck if all(fault.heals for fault in self.faults) else self.mended

    def _await_effect(self, scene: Scene, sampler: Sampler) -> None:
        """Until something is seen of the fault, or it counts as without effect; what only undoing mends lasts."""
        began = census.main_processes(census.take(self.stage.lab).get(self.victim, ()))

        def seen() -> bool:
            if not scene.victim.on or not mounted(scene.victim) or sampler.disturbed(self.victim, self.struck):
                return True
            now = census.main_processes(census.take(self.stage.lab).get(self.victim, ()))
            return len(now) == len(began) and now != began

        with suppress(NotReached):
            wait("an effect of the fault", seen, max(fault.hold for fault in self.faults))
            self.noticed = True
        lasting = max((fault.hold for fault in self.faults if not fault.heals), default=0.0)
        time.sleep(max(0.0, self.struck + lasting - time.time()))

    def _await_up(self) -> None:
        away_from = self.victim if expected(self.faults) == "moves" else ""
        with suppress(NotReached):  # the audit says so; settling shows whether it comes back at all
            self.successor = self.stage.wait_up(elsewhere_than=away_from, limit=RECOVERY).name
            self.recovered = time.time()

    def _at_rest(self) -> None:
        """The logical host is stopped everywhere: disk and nodes are looked at, and the victim told to stop again."""
        self.lease_at_rest = run(self.stage.lab.node(self.victim), "read the lease", self._lease_command()).strip()
        for node in self.stage.lab.nodes:
            self.remains.append(census.remains(self.stage.lab, node, PORTS))
        self.calls += probe.again(self.stage, self.stage.lab.node(self.victim))

    def _lease_command(self) -> list[str]:
        """Says who has the lease, from a disk that nobody has mounted, by a mount that no other process sees."""
        read = f"mount -o ro {self.stage.lab.disk} /mnt && {sys.executable} -c '{LEASE}'; value=$?; umount /mnt"
        return ["unshare", "--mount", "sh", "-c", f"{read}; exit $value"]

    def _await_mended(self) -> None:
        """Where undoing mends it, that is when it is due; what the cluster does then by itself is its own affair."""
        if self.recovered is None and not all(fault.heals for fault in self.faults):
            with suppress(NotReached):
                self.stage.wait_up(limit=RECOVERY)
                self.recovered = time.time()

    def _await_event(self, sender: Sender, active: Node) -> None:
        self.successor = active.name
        now = time.time()
        wait("an event after all is mended", lambda: sender.acknowledged_after(now) is not None, state=sender.said)

    def _probe(self, active: Node) -> None:
        self.calls += probe.again(self.stage, active)
        standby = self.random.choice([node for node in self.stage.lab.nodes if node.name != active.name])
        self.calls += probe.again(self.stage, standby)
        for node in self.stage.lab.nodes:
            if node.name != active.name:
                self.remains.append(census.remains(self.stage.lab, node, PORTS))
        self.active_groups = len(census.remains(self.stage.lab, active, ()).groups)
        self.after = footprint.take(self.stage.lab)
        held = lease.read(Path(f"/proc/{active.pid}/root{SHARED}"))
        self.lease_owner = held.node if held and held.held else NOBODY

    def ledger(self) -> Ledger:
        """What the sender noted."""
        return self._sender.ledger() if self._sender else Ledger({}, {})

    def _findings(self) -> list[str] | None:
        looked = [fault.findings for fault in self.faults if fault.findings is not None]
        return [finding for findings in looked for finding in findings] if looked else None

    def _power(self) -> list[Entry]:
        return [entry for entry in self.stage.lab.power_log() if entry.wall >= self.began]

    def _marks(self) -> list[Mark]:
        running = self.stage.active()
        return takeover.marks_on(running) if running else []

    def evidence(self) -> Evidence:
        """What was gathered. The takeover history is asked for where the logical host runs."""
        power: list[Entry] = self.mishaps.read(self._power, [])
        return Evidence(
            fault=named(self.faults),
            expected=expected(self.faults),
            may_fence=any(fault.may_fence for fault in self.faults),
            touched=frozenset[str]().union(*(fault.touches for fault in self.faults)),
            victim=self.victim,
            successor=self.successor,
            began=self.began,
            struck=self.struck,
            recovered=self.recovered,
            changes=self._watch.changes if self._watch else [],
            marks=self.mishaps.read(self._marks, []),
            power=power,
            samples=of_living_nodes(self._sampler.samples, power) if self._sampler else [],
            sightings=self._sampler.sightings if self._sampler else [],
            remains=self.remains,
            calls=self.calls,
            ledger=self.mishaps.read(self.ledger, Ledger({}, {})),
            stored=self.stored,
            required={suite: census.service_names(suite) for suite in COMMANDS},
            lease_owner=self.lease_owner,
            active_groups=self.active_groups,
            barred=(self.struck, self.undone) if all(fault.unfenceable for fault in self.faults) else None,
            before=self.before,
            after=self.after,
            findings=self._findings(),
            mended=self.mended,
            answers=of_living_nodes(self._sampler.answers, power) if self._sampler else [],
            fenceable=self.faults[0].fenceable(self.victim) if len(self.faults) == 1 else None,
            shows=self.shows,
            noticed=self.noticed,
            unchanged=len(self.faults) == 1 and self.faults[0].harmless,
            lease_at_rest=self.lease_at_rest,
        )


def longest_silence(ledger: Ledger, since: float) -> float:
    """The longest time between two acknowledgements after `since`, in seconds; what a sender feels of a fault."""
    times = sorted(each.at for each in ledger.acknowledged.values() if each.at >= since)
    return max((after - before for before, after in pairwise([since, *times])), default=0.0)
