"""What of a drill on a user's cluster needs no cluster: the series of faults, the flags, and signals that wait."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace
from typing import Any, TypeVar
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.nodes import until

from bansho.cluster.pacemaker import status
from bansho.cluster.pacemaker.cib import Cib
from bansho.cluster.pacemaker.status import NodeState
from bansho.drill import attention
from bansho.drill.census import Found
from bansho.drill.errors import UnknownFault
from bansho.drill.mishaps import Mishaps
from bansho.drill.site import campaign, fencing, local, readiness, sending
from bansho.drill.site import observer as observing
from bansho.drill.site.campaign import series
from bansho.drill.site.errors import NeedsFlag, NoLongerFit, NoPlace, NotAsAnnounced
from bansho.drill.site.faults import RESET_FLAG, Announced, KillPostmaster, Move, Reset, Standby, Stop, chosen
from bansho.drill.site.fencing import Fencing
from bansho.drill.site.observer import Observer
from bansho.logicalhost import history

T = TypeVar("T")
FAULTS: dict[str, Announced] = {each.name: each for each in (KillPostmaster(), Stop(), Move(), Standby(), Reset())}
HOLD = """
import subprocess
from bansho.drill.site.interruption import undisturbed
try:
    with undisturbed():
        print("in", flush=True)
        input()
        print(subprocess.run(["sh", "-c", "kill -INT $$; echo child"], capture_output=True, text=True).stdout, end="")
        print("whole", flush=True)
    print("not reached")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_signal_waits_until_all_is_given_back_and_spares_what_does_that() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=PIPE, stdout=PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "in\n"
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate("\n", timeout=30)
    assert rest.splitlines() == ["child", "whole", "interrupted"]


@given(st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, unique=True), st.none() | st.integers(1, 30))
def test_each_fault_comes_once_before_any_comes_again(names: list[str], rounds: int | None) -> None:
    faults = [FAULTS[name] for name in names]
    found = series(faults, rounds)
    assert len(found) == (len(faults) if rounds is None else rounds)
    assert found == [faults[number % len(faults)] for number in range(len(found))]


def test_a_look_says_when_it_began_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it saw may have ended before it was over: an address given back meanwhile was given back afterwards."""

    def slow(here: object) -> tuple[Found, ...]:
        time.sleep(0.1)
        return ()

    monkeypatch.setattr(local, "processes", slow)
    observer = Observer(SimpleNamespace(node="n1"), Mishaps())  # type: ignore[arg-type]
    before = time.time()
    observer._look()
    (seen,) = observer.sightings
    assert before <= seen.at - seen.took + 0.01
    assert seen.took >= 0.1


class Broken:
    """A logical host on a node on which nothing can be asked."""

    node, name = "n1", "watch"
    host = SimpleNamespace(cluster=SimpleNamespace(nodes=("n1", "n2")), shared=None, node=SimpleNamespace(root=None))

    def fail(self, *_: object, **__: object) -> Any:
        raise OSError(5, "Input/output error")

    status = fail


def after(seconds: float, value: T) -> T:
    """What comes late."""
    time.sleep(seconds)
    return value


def seen(monkeypatch: pytest.MonkeyPatch, held: Callable[[], frozenset[str]], value: Callable[[], int]) -> Mishaps:
    """What an observer has to say, after three looks at disk and address or until they end."""
    looks = 0

    def counted(here: object) -> frozenset[str]:
        nonlocal looks
        looks += 1
        return held() if looks > 1 else frozenset()

    monkeypatch.setattr(local, "held", counted)
    monkeypatch.setattr(local, "processes", lambda here: ())
    monkeypatch.setattr(local, "mounts", lambda here: ())
    monkeypatch.setattr(observing, "INTERVAL", 0.01)
    mishaps, asked = Mishaps(), threading.Event()

    def answer(*_: object, **__: object) -> int:
        asked.set()
        return value()

    with Observer(SimpleNamespace(node="n1", value=answer), mishaps):  # type: ignore[arg-type]
        until(lambda: asked.is_set() and (looks > 3 or bool(mishaps)))
    return mishaps


def test_an_observer_that_ended_or_stood_still_is_a_mishap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not seen(monkeypatch, frozenset, lambda: 0)
    ended = seen(monkeypatch, Broken().fail, lambda: 0)
    assert "BSHO8006-E the observer ended by OSError" in str(ended)
    monkeypatch.setattr(attention, "STILL", 0.1)
    assert "the observer stood still for 0." in str(seen(monkeypatch, lambda: after(0.2, frozenset()), lambda: 0))
    monkeypatch.setattr(observing, "PATIENCE", 0.01)
    assert "did not come to its end" in str(seen(monkeypatch, frozenset, lambda: after(0.2, 0)))


def test_an_answer_that_takes_long_keeps_no_look_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen service keeps its status command for as long as that waits: that is no blindness."""
    monkeypatch.setattr(local, "processes", lambda here: ())
    monkeypatch.setattr(local, "held", lambda here: frozenset())
    monkeypatch.setattr(local, "mounts", lambda here: ())
    monkeypatch.setattr(observing, "INTERVAL", 0.01)
    mishaps, looked_meanwhile = Mishaps(), threading.Event()

    def answer(*_: object, **__: object) -> int:
        if not looked_meanwhile.is_set():
            looks = len(observer.sightings)
            until(lambda: len(observer.sightings) > looks + 2)
            looked_meanwhile.set()
        return 0

    observer = Observer(SimpleNamespace(node="n1", value=answer), mishaps)  # type: ignore[arg-type]
    with observer:
        until(lambda: looked_meanwhile.is_set() or bool(mishaps))
    assert not mishaps


def test_whatever_ends_a_round_is_its_error_and_what_can_be_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had been fenced before the round is not known then: nothing in the history is the round's."""
    monkeypatch.setattr(fencing, "known", lambda: frozenset({Fencing("n2", "reboot", "n1", "long ago")}))
    monkeypatch.setattr(history, "marks", Broken().fail)
    monkeypatch.setattr(Cib, "run", Broken().fail)
    result = campaign._round(Broken(), 1, Stop(), None, 1, tmp_path)  # type: ignore[arg-type]
    assert "OSError" in result.error
    assert result.verdicts["I0"]
    assert {name for name, found in result.verdicts.items() if found == []} <= {"I8"}
    there = tmp_path / "round-1"
    evidence = json.loads((there / "evidence.json").read_text())
    assert (evidence["fault"], evidence["power"]) == ("stop", [])
    assert "history.marks" in (there / "traceback.txt").read_text()


def test_what_needs_a_flag_is_neither_left_to_chance_nor_done_without_it() -> None:
    assert "reset" not in [each.name for each in chosen(FAULTS, [], [])]
    assert "reset" in [each.name for each in chosen(FAULTS, [], [RESET_FLAG])]
    with pytest.raises(NeedsFlag, match=RESET_FLAG):
        chosen(FAULTS, ["reset"], [])
    with pytest.raises(UnknownFault, match="power-loss"):
        chosen(FAULTS, ["power-loss"], [RESET_FLAG])


def crm_mon(**where: str) -> Element:
    """The cluster's status with these resources, each on a node or nowhere; fencing devices begin with `fence`."""
    seen = Element("pacemaker-result")
    resources = SubElement(seen, "resources")
    for name, node in where.items():
        agent = "stonith:fence_x" if name.startswith("fence") else "ocf:heartbeat:Dummy"
        resource = SubElement(resources, "resource", id=name, resource_agent=agent)
        if node:
            SubElement(resource, "node", name=node)
    return seen


class Moved:
    """The logical host `watch` as n1 sees it, its disk wherever it is now; notes what is run."""

    name, node = "watch", "n1"
    host = SimpleNamespace(cluster=SimpleNamespace(nodes=("n1", "n2", "n3")))

    def __init__(self, monkeypatch: pytest.MonkeyPatch, disk: str = "n1", **elsewhere: str) -> None:
        self.disk, self.ran = disk, list[tuple[str, ...]]()
        monkeypatch.setattr(status, "look", lambda cib: crm_mon(disk=disk, fence="n2", **elsewhere))
        monkeypatch.setattr(Cib, "run", lambda cib, *command, **options: self.ran.append(command))

    def status(self) -> Any:
        nodes = [NodeState(name, "online") for name in ("n1", "n2", "n3", "n4")]
        return SimpleNamespace(home=self.disk, nodes=nodes, resources=[SimpleNamespace(id="disk")])


@pytest.mark.parametrize(("elsewhere", "node"), [({}, "n2"), ({"web": "n2"}, "n3"), ({"web": ""}, "n2")])
def test_a_reset_is_aimed_at_a_node_that_carries_nothing_else(
    elsewhere: dict[str, str], node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: Any = Moved(monkeypatch, **elsewhere)
    assert Reset().aimed(here).node(here) == node


def test_without_such_a_node_there_is_no_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    here: Any = Moved(monkeypatch, web="n2", mail="n3")
    with pytest.raises(NoPlace, match="n1, n2, n3, n4"):
        Reset().aimed(here)


def test_the_node_that_was_announced_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    here: Any = Moved(monkeypatch, disk="n2", web="n3")
    Reset("n2").strike(here)
    assert here.ran == [("stonith_admin", "--reboot", "n2")]


@pytest.mark.parametrize(
    ("announced", "disk", "elsewhere", "found"),
    [
        ("n2", "n1", {}, "watch runs on n1"),
        ("n2", "n3", {}, "watch runs on n3"),
        ("n2", "", {}, "watch runs nowhere whole"),
        ("n1", "n1", {}, "watch runs on n1"),
        ("", "", {}, "watch runs nowhere whole"),
        ("n2", "n2", {"web": "n2"}, "it carries web"),
    ],
)
def test_no_node_is_reset_that_is_not_as_announced(
    announced: str, disk: str, elsewhere: dict[str, str], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A constraint that draws the logical host home may do so as soon as that of the move is gone."""
    here: Any = Moved(monkeypatch, disk=disk, **elsewhere)
    with pytest.raises(NotAsAnnounced, match=found):
        Reset(announced).strike(here)
    assert here.ran == []


def test_it_is_not_even_moved_to_a_node_that_carries_something_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    here: Any = Moved(monkeypatch, web="n2")
    with pytest.raises(NotAsAnnounced, match="web"):
        Reset("n2").prepare(here)
    assert here.ran == []


def test_a_cluster_that_is_not_well_after_a_round_has_no_further_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def clean(here: object, number: int, *_: object) -> Any:
        done.append(number)
        return SimpleNamespace(clean=True)

    monkeypatch.setattr(sending, "traffic", lambda *_: nullcontext())
    monkeypatch.setattr(campaign, "_given_back", lambda here: nullcontext())
    monkeypatch.setattr(campaign, "_round", clean)
    monkeypatch.setattr(readiness, "reasons", lambda here: iter(["it is in maintenance"]))
    with pytest.raises(NoLongerFit, match="rounds done: 1; now: it is in maintenance"):
        list(campaign.run(Broken(), [Stop(), Stop()], 10.0, "x", tmp_path))  # type: ignore[arg-type]
    assert done == [1]
