"""What of a drill on a user's cluster needs no cluster: the series of faults, the flags, and signals that wait."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.nodes import until

from bansho.cluster.pacemaker.cib import Cib
from bansho.drill import attention
from bansho.drill.census import Found
from bansho.drill.errors import UnknownFault
from bansho.drill.mishaps import Mishaps
from bansho.drill.site import campaign, local
from bansho.drill.site import observer as observing
from bansho.drill.site.campaign import series
from bansho.drill.site.errors import NeedsFlag
from bansho.drill.site.faults import RESET_FLAG, Announced, KillPostmaster, Move, Reset, Standby, Stop, chosen
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
    monkeypatch.setattr(history, "marks", Broken().fail)
    monkeypatch.setattr(Cib, "run", Broken().fail)
    result = campaign._round(Broken(), 1, Stop(), None, 1, tmp_path)  # type: ignore[arg-type]
    assert "OSError" in result.error
    assert result.verdicts["I0"]
    assert {name for name, found in result.verdicts.items() if found == []} <= {"I8"}
    there = tmp_path / "round-1"
    assert json.loads((there / "evidence.json").read_text())["fault"] == "stop"
    assert "history.marks" in (there / "traceback.txt").read_text()


def test_what_needs_a_flag_is_neither_left_to_chance_nor_done_without_it() -> None:
    assert "reset" not in [each.name for each in chosen(FAULTS, [], [])]
    assert "reset" in [each.name for each in chosen(FAULTS, [], [RESET_FLAG])]
    with pytest.raises(NeedsFlag, match=RESET_FLAG):
        chosen(FAULTS, ["reset"], [])
    with pytest.raises(UnknownFault, match="power-loss"):
        chosen(FAULTS, ["power-loss"], [RESET_FLAG])
