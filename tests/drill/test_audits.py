"""Each audit is silent about evidence of a good round, and notices each violation that is planted in it."""

from collections.abc import Callable

import pytest

from bansho.contract import limits
from bansho.drill import campaign
from bansho.drill.audits import AUDITS, Evidence
from bansho.drill.audits.evidence import Answer, Call, Sample, Sighting
from bansho.drill.audits.status import LONGEST_RETRY
from bansho.drill.census import Found, Remains
from bansho.drill.footprint import Footprint, Manager
from bansho.drill.sampler import of_living_nodes
from bansho.drill.traffic import Acknowledged, Ledger
from bansho.lab.powerlog import Entry
from bansho.lab.watch import Change, What
from bansho.logicalhost.history import Mark

MANAGER = Found(100, 1, 1, "jbs_spmd", "base", "")
SERVICE = Found(101, 2, 100, "python3", "base", "event-service")
SUITE = (MANAGER, SERVICE)
BY_ID = {audit.id: audit for audit in AUDITS}


def change(at: float, node: str, what: What, held: bool) -> Change:
    return Change(at, at, node, what, held)


def lease(at: float, node: str, epoch: int) -> Mark:
    return Mark(at, node, "lease", {"epoch": epoch, "previous": None})


def sample(value: int, before: tuple[Found, ...] = (), after: tuple[Found, ...] = (), at: float = 20.0) -> Sample:
    return Sample(at, 0.1, "n2", "base", value, bool(before or after), before, after)


def call(order: str, value: int = 0, took: float = 0.1, standby: bool = False) -> Call:
    return Call("n2", f"jbs_{order} watch", order, value, took, (), (), (), standby)


def fencing(node: str, at: float = 13.0) -> Entry:
    """A node that another one asks to have fenced."""
    return Entry(at, at, "n2", "reboot", node, False)


def left(**found: tuple[object, ...]) -> Remains:
    nothing = Remains("n1", (), (), (), (), (), ())
    return nothing._replace(**found)  # type: ignore[arg-type]


FOOTPRINT = Footprint("n2", 50, 20, frozenset({"x"}), (Manager(100, 1, 20, 30_000),))
GOOD = Evidence(
    fault="power-loss",
    expected="moves",
    may_fence=True,
    touched=frozenset(),
    victim="n1",
    successor="n2",
    began=5.0,
    struck=10.0,
    recovered=18.0,
    changes=[
        change(1, "n1", "disk", True),
        change(1.1, "n1", "address", True),
        change(14, "n1", "address", False),
        change(14, "n1", "disk", False),
        change(14.5, "n2", "disk", True),
        change(14.7, "n2", "address", True),
    ],
    marks=[
        lease(2, "n1", 1),
        lease(15, "n2", 2),
        Mark(16, "n2", "base started", {}),
        Mark(17, "n2", "database open", {}),
    ],
    power=[Entry(13, 13, "n3", "reboot", "n1", False), Entry(14, 14, "n3", "reboot", "n1", True)],
    samples=[sample(0, SUITE, SUITE), sample(1)],
    sightings=[Sighting(9, {"n1": SUITE, "n2": (), "n3": ()}), Sighting(19.8, {"n2": SUITE, "n3": ()})],
    remains=[left()],
    calls=[call("start"), call("stop"), call("killall"), call("status", value=1, standby=True)],
    ledger=Ledger({1: 9.0, 2: 11.0}, {1: Acknowledged(501, 9.1), 2: Acknowledged(502, 16.0)}),
    stored=[1, 2],
    required={"base": frozenset({"event-service"})},
    lease_owner="n2",
    active_groups=2,
    barred=(10.0, 13.0),
    before=[FOOTPRINT],
    after=[FOOTPRINT],
    findings=[],
    fenceable=frozenset({"n1"}),
    lease_at_rest="nobody",
)

STAYS = GOOD._replace(
    fault="kill-event-service",
    expected="stays",
    may_fence=False,
    fenceable=frozenset(),
    victim="n2",
    power=[],
    shows=True,
)
STANDBY = STAYS._replace(fault="standby-power-loss", may_fence=True, fenceable=frozenset({"n1"}), power=[fencing("n1")])
GHOST = Found(300, 5, 1, "python3", "base", "event-service")
TWICE = Found(102, 9, 100, "python3", "base", "event-service")


CONSOLE = (Found(200, 5, 1, "jco_spmd", "manager", ""), Found(201, 6, 200, "python3", "manager", "event-console"))
SERVER = (Found(210, 7, 200, "postgres", "manager", "imdb"), Found(211, 7, 210, "postgres", "manager", "imdb"))
ALL = (*SUITE, *CONSOLE, *SERVER)


def watched(
    *lived: Found, since: float = 19.0, until: float = 40.0, every: float = 0.5, node: str = "n2"
) -> list[Sighting]:
    """Looks at a node on which the same lived all the time."""
    return [Sighting(since + n * every, {node: lived}, 0.1) for n in range(round((until - since) / every) + 1)]


def answered(command: str, value: int, *lived: Found, at: float = 30.0, **changed: object) -> Evidence:
    """An answer long after all was mended, where the same lived all the time."""
    answer = Answer(at, 0.2, "n2", command, value, True)
    return GOOD._replace(mended=17.0, answers=[answer], sightings=watched(*lived))._replace(**changed)  # type: ignore[arg-type]


def failed(value: int, *lived: Found, at: float = 30.0, **changed: object) -> Evidence:
    """A suite's status long after all was mended."""
    told = sample(value, lived, lived, at)
    return GOOD._replace(mended=17.0, samples=[told], sightings=watched(*lived))._replace(**changed)  # type: ignore[arg-type]


def unchanged(**changed: object) -> Evidence:
    """A fault that took nothing from the logical host; `changed` happened all the same."""
    quiet = STAYS._replace(
        fault="cpu-load",
        shows=False,
        unchanged=True,
        marks=[lease(2, "n2", 1)],
        sightings=watched(*ALL, since=7, until=20),
    )
    return quiet._replace(**changed)  # type: ignore[arg-type]


DOWN = [*GOOD.changes, change(20, "n2", "address", False), change(20.5, "n2", "disk", False)]


def grown(**found: object) -> Evidence:
    return GOOD._replace(after=[FOOTPRINT._replace(**found)])  # type: ignore[arg-type]


PLANTED: list[tuple[str, str, Evidence]] = [
    ("I0", "never up again", GOOD._replace(recovered=None)),
    ("I1", "two mounts", GOOD._replace(changes=[*GOOD.changes, change(18, "n3", "disk", True)])),
    ("I1", "two addresses", GOOD._replace(changes=[*GOOD.changes, change(18, "n3", "address", True)])),
    ("I1", "services on two nodes", GOOD._replace(sightings=[Sighting(12, {"n1": SUITE, "n2": (GHOST,)})])),
    (
        "I1",
        "only the database's processes on a second node",
        GOOD._replace(sightings=[Sighting(12, {"n1": SERVER[1:], "n2": SUITE})]),
    ),
    ("I1", "an epoch twice", GOOD._replace(marks=[lease(2, "n1", 2), lease(15, "n2", 2)])),
    ("I1", "an epoch that went back", GOOD._replace(marks=[lease(2, "n1", 7), lease(15, "n2", 6)])),
    ("I1", "the lease elsewhere", GOOD._replace(lease_owner="n1")),
    ("I1", "the lease with nobody", GOOD._replace(lease_owner="nobody")),
    ("I1", "a takeover without fencing", GOOD._replace(barred=(10.0, 15.0))),
    (
        "I1",
        "a disk mounted twice beside a fault that takes it away",
        GOOD._replace(changes=[*GOOD.changes, change(18, "n3", "disk", True)], touched=frozenset({"disk"})),
    ),
    (
        "I1",
        "a second address beside a second mount",
        GOOD._replace(
            changes=[*GOOD.changes, change(18, "n3", "address", True)], touched=frozenset({"disk", "second mount"})
        ),
    ),
    ("I2", "a process", GOOD._replace(remains=[left(processes=("postgres 5",))])),
    ("I2", "an open file", GOOD._replace(remains=[left(holders=("python3 6: /srv/x",))])),
    ("I2", "a port", GOOD._replace(remains=[left(ports=(7710,))])),
    ("I2", "the lease kept", GOOD._replace(lease_at_rest="n1")),
    ("I3", "8 beside a process", GOOD._replace(samples=[sample(8, SUITE, SUITE)])),
    ("I3", "8 beside the process manager", GOOD._replace(samples=[sample(8, (MANAGER,), (MANAGER,))])),
    ("I3", "0 without a service", GOOD._replace(samples=[sample(0, (MANAGER,), (MANAGER,))], sightings=[])),
    ("I3", "a value of no row", GOOD._replace(samples=[sample(127, SUITE, SUITE)])),
    ("I3", "4 where all had run for long", failed(4, *ALL)),
    ("I3", "1 where all had run for long", failed(1, *ALL)),
    ("I3", "a database that runs and has no postmaster", answered("jimdbstatus", 0, *SUITE, *CONSOLE)),
    ("I3", "a database that runs, in the middle of a takeover", answered("jimdbstatus", 0, *SUITE, recovered=None)),
    ("I3", "a hang that nobody noticed", STAYS._replace(fault="freeze-imdb", shows=True, noticed=False)),
    *(
        ("I3", f"jimdbstatus {value} beside a postmaster", answered("jimdbstatus", value, *ALL))
        for value in (4, 8, 12, 16, 20, 2, 137)
    ),
    ("I3", "an event service that runs and is not there", answered("jevstat", 0, MANAGER)),
    *(("I3", f"jevstat {value} beside an event service", answered("jevstat", value, *ALL)) for value in (4, 8, 12, 16)),
    (
        "I4",
        "12 for too long",
        GOOD._replace(samples=[sample(12, SUITE, SUITE, at=at) for at in (20.0, 60.0, 21.0 + LONGEST_RETRY)]),
    ),
    ("I5", "a start that hangs", GOOD._replace(calls=[call("start", took=limits.START + 1.5)])),
    ("I5", "a stop that hangs", GOOD._replace(calls=[call("stop", took=limits.STOP + 1.5)])),
    ("I6", "a start that returns 4", GOOD._replace(calls=[call("start", value=4)])),
    ("I6", "a stop killed by a signal", GOOD._replace(calls=[call("stop", value=-9)])),
    ("I7", "a second start that starts", GOOD._replace(calls=[call("start")._replace(new=("base event-service 9",))])),
    ("I7", "a second stop that ends", GOOD._replace(calls=[call("stop")._replace(gone=("base event-service 9",))])),
    ("I7", "a second kill that fails", GOOD._replace(calls=[call("killall", value=1)])),
    ("I8", "moved without need", STAYS._replace(victim="n1")),
    ("I8", "not moved", GOOD._replace(successor="n1", lease_owner="n1")),
    ("I8", "fenced without need", STAYS._replace(power=GOOD.power)),
    ("I8", "another one fenced too", GOOD._replace(power=[*GOOD.power, fencing("n3")])),
    ("I8", "another standby fenced", STANDBY._replace(power=[fencing("n1"), fencing("n3")])),
    ("I8", "another one fenced, where it may be anywhere", GOOD._replace(expected="either", power=[fencing("n3")])),
    ("I8", "there and back", STAYS._replace(marks=[lease(2, "n2", 1), lease(12, "n1", 2), lease(15, "n2", 3)])),
    ("I8", "moved twice", GOOD._replace(marks=[lease(2, "n1", 1), lease(12, "n3", 2), lease(15, "n2", 3)])),
    ("I8", "restarted in place where nothing was wrong", unchanged(marks=[lease(2, "n2", 1), lease(15, "n2", 2)])),
    (
        "I8",
        "a service restarted where nothing was wrong",
        unchanged(sightings=[Sighting(9, {"n2": SUITE}), Sighting(20, {"n2": (MANAGER, TWICE)})]),
    ),
    (
        "I8",
        "a process manager restarted where nothing was wrong",
        unchanged(sightings=[Sighting(9, {"n2": SUITE}), Sighting(20, {"n2": ()})]),
    ),
    ("I9", "lost", GOOD._replace(stored=[1])),
    ("I9", "doubled", GOOD._replace(stored=[1, 2, 2])),
    ("I9", "invented", GOOD._replace(stored=[1, 2, 3])),
    ("D1", "a committed row lost", GOOD._replace(findings=["1 of 2 committed rows are not there"])),
    (
        "I9",
        "one serial for two",
        GOOD._replace(ledger=GOOD.ledger._replace(acknowledged=dict.fromkeys((1, 2), Acknowledged(501, 9.1)))),
    ),
    (
        "I10",
        "the database before Base",
        GOOD._replace(
            marks=[lease(15, "n2", 2), Mark(16, "n2", "database open", {}), Mark(17, "n2", "base started", {})]
        ),
    ),
    (
        "I10",
        "the lease before the address",
        GOOD._replace(changes=[change(14.7, "n2", "disk", True), change(14.5, "n2", "address", True)]),
    ),
    ("I10", "the disk given back first", GOOD._replace(changes=[*GOOD.changes, change(19, "n2", "disk", False)])),
    ("I10", "services without an address", GOOD._replace(changes=DOWN, sightings=watched(*ALL, until=22))),
    ("I10", "Manager without Base", GOOD._replace(sightings=watched(*CONSOLE, *SERVER))),
    (
        "I10",
        "services without an address after one was killed",
        GOOD._replace(changes=DOWN, sightings=watched(*ALL, until=22), touched=frozenset({"processes"})),
    ),
    ("I11", "a standby that says 8", GOOD._replace(calls=[call("status", value=8, standby=True)])),
    (
        "I11",
        "a standby that writes",
        GOOD._replace(calls=[call("status", value=1, standby=True)._replace(written=("run/bansho/watch",))]),
    ),
    (
        "I11",
        "a standby that answers late",
        GOOD._replace(calls=[call("status", 1, 0.3, standby=True)._replace(bare=0.02)]),
    ),
    ("I11", "a standby that says 12 in passing", GOOD._replace(samples=[sample(12)])),
    (
        "I12",
        "restarted by its process manager",
        GOOD._replace(sightings=[Sighting(11, {"n2": SUITE}), Sighting(12, {"n2": (MANAGER, TWICE)})]),
    ),
    ("I14", "a mount", GOOD._replace(remains=[left(mounts=("/srv/bansho",))])),
    ("I14", "a control group", GOOD._replace(remains=[left(groups=("bansho.base.1",))])),
    ("I14", "a record", GOOD._replace(remains=[left(files=("watch/base/record",))])),
    ("I14", "a control group too many", GOOD._replace(active_groups=3)),
    ("I14", "a mount of something else", grown(mounts=21)),
    ("I14", "a temporary file", grown(temporary=frozenset({"x", "y"}))),
    ("I14", "descriptors of a process manager", grown(managers=(Manager(100, 1, 29, 30_000),))),
    ("I14", "memory of a process manager", grown(managers=(Manager(100, 1, 20, 39_000),))),
    ("I14", "a new process manager with too many descriptors", grown(managers=(Manager(101, 9, 65, 30_000),))),
    ("I14", "a new process manager with too much memory", grown(managers=(Manager(101, 9, 20, 200_000),))),
]


@pytest.mark.parametrize(
    "evidence", [GOOD, STAYS, STANDBY, unchanged()], ids=["moved", "stayed", "lost a standby", "was not touched"]
)
def test_a_good_round_is_clean(evidence: Evidence) -> None:
    assert {audit.id: list(audit.violations(evidence)) for audit in AUDITS if audit.observed(evidence)} == {
        audit.id: [] for audit in AUDITS
    }


@pytest.mark.parametrize(("audit", "planted", "evidence"), PLANTED, ids=[f"{a}: {what}" for a, what, _ in PLANTED])
def test_a_planted_violation_is_noticed(audit: str, planted: str, evidence: Evidence) -> None:
    assert BY_ID[audit].observed(evidence)
    assert list(BY_ID[audit].violations(evidence))


UNSEEN: list[tuple[str, Evidence]] = [
    ("I1", GOOD._replace(changes=[])),
    ("I1", GOOD._replace(sightings=[])),
    ("I3", GOOD._replace(samples=[])),
    ("I4", GOOD._replace(samples=[])),
    ("I10", GOOD._replace(changes=[])),
    ("I10", GOOD._replace(sightings=[])),
    ("I12", GOOD._replace(sightings=[])),
]


@pytest.mark.parametrize(("audit", "evidence"), UNSEEN)
def test_what_nobody_looked_at_was_not_kept(audit: str, evidence: Evidence) -> None:
    assert campaign.verdicts(GOOD)[audit] == []
    assert campaign.verdicts(evidence)[audit] is None


def test_what_was_seen_broken_is_broken_whatever_else_was_not_seen() -> None:
    found = campaign.verdicts(GOOD._replace(sightings=[], lease_owner="n1"))
    assert found["I1"] == ["the lease names n1, and n2 is active"]


def test_every_audit_has_a_planted_violation() -> None:
    assert {audit for audit, _, _ in PLANTED} == set(BY_ID)


@pytest.mark.parametrize("value", [137, -9])
def test_an_answer_that_died_with_its_node_is_none_and_any_other_death_is_one(value: int) -> None:
    cut = sample(value, SUITE, SUITE, at=14.0)._replace(node="n1")  # n1 is fenced at 13 to 14
    alone = cut._replace(at=19.0)
    elsewhere = cut._replace(node="n2")
    answer = cut._replace(value=12)
    assert of_living_nodes([cut, alone, elsewhere, answer], GOOD.power) == [alone, elsewhere, answer]


CHANGED = [
    *watched(*ALL, until=28.0),
    *watched(MANAGER, SERVICE._replace(pid=150, ticks=40), *CONSOLE, *SERVER, since=28.5),
]
STOPPED = [*watched(*ALL, until=30.5), *watched(since=31.0)]
GONE = [*watched(*ALL, until=28.0), *watched(*SUITE, *CONSOLE, since=28.5)]
DISKLESS = [Answer(30.0, 0.2, "n2", "jimdbstatus", 20, False), Answer(30.0, 0.2, "n2", "jimdbstatus", 20, None)]
NOT_VIOLATED: list[tuple[str, str, Callable[[], Evidence]]] = [
    ("I3", "8 while the process appears", lambda: GOOD._replace(samples=[sample(8, (), SUITE)])),
    (
        "I3",
        "0 a moment after the service died",
        lambda: GOOD._replace(
            samples=[sample(0, (MANAGER,), (MANAGER,))],
            sightings=[Sighting(19.0, {"n2": SUITE})],
        ),
    ),
    ("I3", "4 beside a service that died", lambda: failed(4, MANAGER)),
    ("I3", "4 while a service is another one", lambda: failed(4, *ALL, sightings=CHANGED)),
    ("I3", "4 before all was mended", lambda: failed(4, *ALL, mended=26.0)),
    ("I3", "4 before all ran again", lambda: failed(4, *ALL, recovered=26.0)),
    ("I3", "4 where it never ran again", lambda: failed(4, *ALL, recovered=None)),
    ("I3", "4 where nobody looked for a while", lambda: failed(4, *ALL, sightings=watched(*ALL, every=4.0))),
    ("I3", "4 soon after the looks began", lambda: failed(4, *ALL, sightings=watched(*ALL, since=27.0))),
    ("I3", "0 with a postmaster that lived just now", lambda: answered("jimdbstatus", 0, sightings=GONE)),
    ("I3", "4 while a stop begins", lambda: failed(4, *ALL, sightings=STOPPED)),
    ("I3", "4 while a stop of the database begins", lambda: answered("jimdbstatus", 4, sightings=STOPPED)),
    ("I3", "the database's truth, or none found out", lambda: answered("jimdbstatus", 1, *ALL)),
    ("I3", "a database that is taken over", lambda: answered("jimdbstatus", 4, *ALL, mended=26.0)),
    ("I3", "a database that does not run", lambda: answered("jimdbstatus", 16, *SUITE, *CONSOLE)),
    ("I3", "a database on a disk that is gone", lambda: answered("jimdbstatus", 20, *ALL, answers=DISKLESS)),
    ("I3", "an event service that runs", lambda: answered("jevstat", 0, *ALL)),
    (
        "I10",
        "services that lived until just before the address went, and again when it had come back",
        lambda: GOOD._replace(
            changes=[*DOWN, change(22, "n2", "disk", True), change(22.2, "n2", "address", True)],
            sightings=[*watched(*ALL, until=20.0), *watched(since=20.5, until=22.0), *watched(*ALL, since=23.0)],
        ),
    ),
    (
        "I10",
        "a look that began before the address went",
        lambda: GOOD._replace(changes=DOWN, sightings=[Sighting(20.5, {"n2": ALL}, 0.6)]),
    ),
    (
        "I10",
        "a node that died, in whatever order",
        lambda: GOOD._replace(
            changes=DOWN,
            sightings=[Sighting(20.2, {"n2": CONSOLE}, 0.1)],
            power=[Entry(20, 20, "n1", "off", "n2", True)],
        ),
    ),
    (
        "I10",
        "Base killed by the fault",
        lambda: GOOD._replace(sightings=watched(*CONSOLE, *SERVER), touched=frozenset({"processes"})),
    ),
    ("I10", "Manager stopped first", lambda: GOOD._replace(sightings=watched(*SUITE))),
    ("I8", "either is permitted", lambda: GOOD._replace(expected="either", successor="n1", lease_owner="n1")),
    ("I8", "any may be fenced", lambda: GOOD._replace(fenceable=None, power=[*GOOD.power, fencing("n3")])),
    ("I8", "fenced before the fault", lambda: STAYS._replace(power=[fencing("n3", at=8.0)])),
    ("I8", "restarted in place", lambda: STAYS._replace(marks=[lease(2, "n2", 1), lease(15, "n2", 2)])),
    (
        "I8",
        "moved back by the drill once all was mended",
        lambda: GOOD._replace(marks=[*GOOD.marks, lease(30, "n1", 3)], mended=20.0),
    ),
    (
        "I8",
        "a process that was there in one look, and the database's own that come and go",
        lambda: unchanged(
            sightings=[
                Sighting(8.0, {"n2": (*ALL, MANAGER._replace(pid=190))}),
                Sighting(9.0, {"n2": ALL}),
                Sighting(20.0, {"n2": (*ALL[:-1], SERVER[1]._replace(pid=212))}),
            ]
        ),
    ),
    ("I3", "a hang that was noticed", lambda: STAYS._replace(fault="freeze-imdb", shows=True, noticed=True)),
    ("I3", "nothing to be noticed", lambda: unchanged(noticed=False)),
    ("I2", "the lease given back", lambda: GOOD._replace(lease_at_rest="nobody")),
    (
        "I10",
        "the fault itself took the disk away",
        lambda: GOOD._replace(changes=[*GOOD.changes, change(19, "n2", "disk", False)], touched=frozenset({"disk"})),
    ),
    (
        "I1",
        "the fault itself mounted the disk twice",
        lambda: GOOD._replace(
            changes=[*GOOD.changes, change(18, "n3", "disk", True)], touched=frozenset({"disk", "second mount"})
        ),
    ),
    (
        "I11",
        "late once of two times",
        lambda: GOOD._replace(calls=[call("status", 1, took, standby=True)._replace(bare=0.02) for took in (0.1, 0.3)]),
    ),
    (
        "I11",
        "late where any program is",
        lambda: GOOD._replace(calls=[call("status", 1, 0.9, standby=True)._replace(bare=0.1)]),
    ),
    ("I14", "a node that booted anew", lambda: GOOD._replace(after=[FOOTPRINT._replace(boot=51, mounts=25)])),
    (
        "I12",
        "started by the next process manager",
        lambda: GOOD._replace(
            sightings=[
                Sighting(11, {"n2": SUITE}),
                Sighting(12, {"n2": (MANAGER._replace(pid=200), TWICE._replace(parent=200))}),
            ]
        ),
    ),
]


@pytest.mark.parametrize(("audit", "what", "make"), NOT_VIOLATED, ids=[f"{a}: {what}" for a, what, _ in NOT_VIOLATED])
def test_what_is_permitted_is_no_violation(audit: str, what: str, make: Callable[[], Evidence]) -> None:
    assert list(BY_ID[audit].violations(make())) == []
