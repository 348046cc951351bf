"""The proof's events, brought about for real: Pacemaker does what its scheduler said that it would, in order.

All but those of `FORETOLD_ALONE`, which are brought about only in the simulation.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.system.history import Deed, History
from tests.system.services import pid_of

from bansho.cluster.model import model
from bansho.cluster.pacemaker import sequence
from bansho.contract.suites import COMMANDS
from bansho.drill.stage import HOST, MOUNT_POINT, PROGRAMS, SHARED, Stage, run, wait
from bansho.lab import Node
from bansho.logicalhost.definition import parse

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(240)]

BANSHO = str(PROGRAMS / "bansho")


class Scene(NamedTuple):
    """Where something happens."""

    stage: Stage
    home: Node
    other: Node
    """A standby node."""
    afterwards: ExitStack
    """What has to be undone once the cluster has settled."""

    def cluster(self, *arguments: str) -> None:
        run(self.home, "operate the cluster", [BANSHO, "cluster", *arguments])

    def on_home(self, *command: str) -> None:
        run(self.home, "bring the event about", command)


def database_fails(scene: Scene) -> None:
    postmaster = run(scene.home, "find the postmaster", ["head", "-1", f"{SHARED}/database/postmaster.pid"])
    scene.on_home("kill", "-9", postmaster.strip())


def node_rests(scene: Scene) -> None:
    scene.cluster("standby", "on", scene.home.name)
    scene.afterwards.callback(scene.cluster, "standby", "off", scene.home.name)


def fails(suite: str, service: str) -> Callable[[Scene], None]:
    return lambda scene: scene.on_home("kill", "-9", str(pid_of(scene.home, suite, service)))


def start_lies(scene: Scene) -> None:
    """From now on, and on this node alone, Base's start command says that all is well and does nothing."""
    start, lie = str(PROGRAMS / COMMANDS["base"].start), "/root/lie"
    run(scene.home, "write a start command", ["sh", "-c", f"cat >{lie}; chmod 755 {lie}"], "#!/bin/sh\nexit 0\n")
    scene.on_home("mount", "--bind", lie, start)
    scene.afterwards.callback(run, scene.home, "take it away", ["umount", start])


def fails_for_good(scene: Scene) -> None:
    start_lies(scene)
    fails("base", "event-service")(scene)


BASE, MANAGER = "watch-base failed once", "watch-manager failed once"
BEFORE = {
    "watch-base failed past the threshold": (BASE, BASE),
    "watch-manager failed past the threshold": (MANAGER, "IM database failed"),
}
"""What must have happened before: the restarts that the definition allows. A database's failure is Manager's."""
NO_RESTART = "watch-base failed and could not be restarted"
BEGINS = {NO_RESTART: BASE}
"""Events that begin as another one, until the resource's start fails."""
HAPPENS: Mapping[str, Callable[[Scene], None]] = {
    BASE: fails("base", "event-service"),
    "watch-base failed past the threshold": fails("base", "event-service"),
    NO_RESTART: fails_for_good,
    MANAGER: fails("manager", "event-base"),
    "IM database failed": database_fails,
    "watch-manager failed past the threshold": fails("manager", "event-base"),
    "address lost": lambda scene: scene.on_home("ip", "address", "del", scene.stage.lab.logical_address, "dev", "eth0"),
    "disk lost": lambda scene: scene.on_home("umount", "--lazy", MOUNT_POINT),
    "standby probed": lambda scene: scene.on_home("crm_resource", "--refresh", "-r", HOST, "-N", scene.other.name),
    "operator's move": lambda scene: scene.cluster("move", HOST, scene.other.name),
    "node put on standby": node_rests,
    "node lost": lambda scene: scene.home.power("loss"),
}
"""The proof's event -> how it is brought about."""

FORETOLD_ALONE = {
    "watch-manager failed and could not be restarted",
    "disk lost for this node",
    "standby probe answered",
}
"""Like Base's, but for the suite; one of the ways of `SEVERAL_WAYS`; and what `standby probed` ends with, by itself."""
SEVERAL_WAYS = "disk lost"
"""Every monitor notices it, and the first one decides where the cluster begins (docs/cluster.md)."""


@pytest.fixture(scope="session")
def foretold(built: Stage) -> dict[str, list[str]]:
    """The proof's event -> what Pacemaker's scheduler says that it will do, in `told`'s words."""
    node = built.settle()
    done = json.loads(run(node, "prove", [BANSHO, "cluster", "verify", HOST, "--live", "--json"]))
    return {
        each["event"]: [told(words, node) for words in each["actions"] if "by fencing it" not in words]
        for each in done["events"]
    }


def told(words: str, home: Node) -> str:
    """`stop watch-disk on n1` as `stop watch-disk on home`: which of the standbys it is decides nothing."""
    action, _, node = words.rpartition(" ")
    return f"{action} {'home' if node == home.name else 'a standby'}"


def test_every_event_is_brought_about_but_those_that_are_named(foretold: dict[str, list[str]]) -> None:
    assert set(foretold) == HAPPENS.keys() | FORETOLD_ALONE


@pytest.mark.parametrize("event", [each for each in HAPPENS if each not in sum(BEFORE.values(), ())])
def test_what_happens_is_what_was_foretold(settled: Stage, foretold: dict[str, list[str]], event: str) -> None:
    for each in [*BEFORE.get(event, ()), event]:
        home, expected = settled.wait_up(), whole(foretold, each)
        deeds = brought_about(settled, home, each, len(expected))
        done = [told(deed.action.words(), home) for deed in deeds]
        if each == SEVERAL_WAYS:
            assert (done[0], done[-4:]) in ways_of_beginning_anew(foretold), done
        else:
            assert done == expected, each
        assert wrong(home, deeds) == []
    settled.wait_up()


def whole(foretold: dict[str, list[str]], event: str) -> list[str]:
    """What was foretold of an event; before it that of the one that it begins as, up to the start that then fails."""
    begins = foretold[BEGINS[event]] if event in BEGINS else []
    failed = next((number for number, each in enumerate(begins, 1) if each.startswith("start")), 0)
    return begins[:failed] + foretold[event]


def ways_of_beginning_anew(foretold: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    """First Manager stops; at last all starts, where it was or elsewhere."""
    ends = (foretold["disk lost"][-4:], foretold["disk lost for this node"][-4:])
    return [(foretold["disk lost"][0], end) for end in ends]


def wrong(home: Node, deeds: list[Deed]) -> list[str]:
    """What is wrong with the order of what was really done; and actions that did not wait for the one before."""
    if deeds[0].action.operation == "probe":
        return [each.result for each in deeds if each.result != "not running"]
    defined = parse(Path(f"/proc/{home.pid}/root/etc/bansho/logical-hosts/{HOST}.toml").read_text(), Path(HOST))
    homes = dict.fromkeys(model(defined).start_order, home.name)
    hasty = [f"{then} before {first}" for first, then in pairwise(deeds) if then.begun < first.ended]
    return [*sequence.replay(model(defined), (each.action for each in deeds), homes), *hasty]


def brought_about(stage: Stage, home: Node, event: str, expected: int) -> list[Deed]:
    """What the cluster did after an event, once it has nothing left to do."""
    other = next(node for node in stage.lab.nodes if node.name != home.name)
    quiet(other)
    history = History(stage.lab)
    # A node that boots is probed too, whenever that is.
    operations = ("probe",) if event == "standby probed" else ("start", "stop", "fence")
    with ExitStack() as afterwards:
        HAPPENS[event](Scene(stage, home, other, afterwards))
        wait(
            f"the reaction to: {event}",
            lambda: len(history.deeds(*operations)) >= expected,
            state=lambda: [deed.action.words() for deed in history.deeds(*operations)],
        )
        stage.wait_up()
        quiet(other)
        return history.deeds(*operations)


def quiet(node: Node) -> None:
    """Waits until the cluster has nothing left to do."""
    run(node, "wait for the cluster", ["crm_resource", "--wait", "--timeout=60s"])
