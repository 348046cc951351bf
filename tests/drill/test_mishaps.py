"""Whatever ends a round or a trial, the campaign goes on: with its traceback, on a stage that is built anew."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from bansho.drill import attention, campaign, census, comparison, sampler
from bansho.drill import round as rounds
from bansho.drill.attention import STILL
from bansho.drill.audits import AUDITS
from bansho.drill.campaign import Settings
from bansho.drill.errors import Blind
from bansho.drill.faults.database import DamagedPage
from bansho.drill.faults.fault import Fault, Scene
from bansho.drill.mishaps import Mishaps
from bansho.drill.round import Round
from bansho.drill.sampler import Sampler
from bansho.drill.stage import Sender, second_try


class Broken:
    """A stage on which everything is out of order in a way that nobody foresaw."""

    def __init__(self, problem: BaseException) -> None:
        self.problem, self.built = problem, 0
        self.lab = SimpleNamespace(spec=SimpleNamespace(nodes=("n1", "n2")), power_log=self.fail, nodes=[])

    def fail(self, *_: object, **__: object) -> Any:
        raise self.problem

    settle = active = mend = keep_logs = fail

    @contextmanager
    def build(self, name: str, nodes: int) -> Iterator[Any]:
        self.built += 1
        yield self


PROBLEMS = [
    OSError(5, "Input/output error"),
    subprocess.TimeoutExpired(["sender"], 10),
    ProcessLookupError(3, "No such process"),
    KeyError("n1"),
]


class Harmless(Fault):
    name = what = "harmless"

    def strike(self, scene: Scene) -> None:
        pass


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: type(problem).__name__)
def test_whatever_ends_a_round_is_its_error_and_the_campaign_goes_on(
    problem: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(problem)
    monkeypatch.setattr(campaign, "stage", broken.build)
    results = list(campaign.run(Settings(1, 3, ("harmless",), keep_going=True), [Harmless()], tmp_path))
    assert [each.number for each in results] == [1, 2, 3]
    assert broken.built == 3
    for each in results:
        assert type(problem).__name__ in each.error
        assert each.verdicts["I0"]
        assert "self.stage.settle()" in (tmp_path / f"round-{each.number}/traceback.txt").read_text()


def test_an_interruption_ends_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken(KeyboardInterrupt())
    monkeypatch.setattr(campaign, "stage", broken.build)
    with pytest.raises(KeyboardInterrupt):
        list(campaign.run(Settings(1, 3, ("harmless",), keep_going=True), [Harmless()], tmp_path))


def test_a_round_that_hangs_is_ended_with_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LIMIT", 0.1)
    before = signal.getitimer(signal.ITIMER_REAL)[0], signal.getsignal(signal.SIGALRM)  # the test's own limit
    going = Round(Broken(OSError()), 1, [Harmless()], 1, 50.0)  # type: ignore[arg-type]
    monkeypatch.setattr(going, "_run", lambda: subprocess.run(["sleep", "60"], check=True))
    going.run()
    assert str(going.mishaps).startswith("BSHO8007-E round 1 did not come to its end within 0.1 s")
    assert '"sleep", "60"' in going.mishaps.tracebacks
    left, handler = signal.getitimer(signal.ITIMER_REAL)[0], signal.getsignal(signal.SIGALRM)
    assert handler == before[1]
    assert bool(left) == bool(before[0])


def test_an_audit_that_ends_has_not_found_its_invariant_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = AUDITS[0]
    monkeypatch.setattr(type(first), "violations", Broken(KeyError("n9")).fail)
    found = campaign.verdicts(Round(Broken(OSError()), 1, [Harmless()], 1, 50.0).evidence())  # type: ignore[arg-type]
    assert found[first.id] == ["the audit itself ended: KeyError: 'n9'"]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: type(problem).__name__)
def test_whatever_ends_a_trial_is_its_error(problem: Exception, tmp_path: Path) -> None:
    broken = Broken(problem)
    turns = SimpleNamespace(take=broken.fail, on=broken)
    settings = comparison.Settings(1, 1, ("stop",))
    found = comparison.trial(turns, 1, "stop", "bansho", settings, tmp_path)  # type: ignore[arg-type]
    assert type(problem).__name__ in found.error
    assert "turns.take(name)" in (tmp_path / "traceback.txt").read_text()


class Stages:
    """Stages of which some do not come up, or not down."""

    def __init__(self, failing: int, ends: bool = True) -> None:
        self.failing, self.ends, self.tried = failing, ends, 0

    @contextmanager
    def built(self) -> Iterator[int]:
        self.tried += 1
        if self.tried <= self.failing:
            raise TimeoutError
        yield self.tried
        if not self.ends:
            raise TimeoutError("down")


def test_a_stage_that_does_not_come_up_is_built_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bansho.drill.stage.PAUSE", 0.0)
    with second_try(Stages(1).built) as found:
        assert found == 2
    with pytest.raises(TimeoutError), second_try(Stages(2).built):
        pass
    once = Stages(0)
    with pytest.raises(ValueError, match="of the block"), second_try(once.built):
        raise ValueError("of the block")
    assert once.tried == 1


def test_a_stage_that_does_not_come_down_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with second_try(Stages(0, ends=False).built):
        pass
    assert "TimeoutError: down" in capsys.readouterr().err


class Noted(Fault):
    """Says what was done to it."""

    what = "noted"
    hold = 0.0

    def __init__(self, name: str, done: list[str], failing: str = "") -> None:
        self.name, self.done, self.failing = name, done, failing

    def strike(self, scene: Scene) -> None:
        self._do("strike")

    def undo(self, scene: Scene) -> None:
        self._do("undo")

    def _do(self, what: str) -> None:
        self.done.append(f"{what} {self.name}")
        if self.failing == what:
            raise ProcessLookupError(f"{what} {self.name}")


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (("", "undo", "undo"), ["strike a", "strike b", "strike c", "undo c", "undo b", "undo a"]),
        (("strike", "", ""), ["strike a", "undo a"]),
    ],
)
def test_what_struck_or_began_to_is_undone_whatever_becomes_of_the_others(
    failing: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    faults = [Noted(name, done, where) for name, where in zip("abc", failing, strict=True)]
    going = Round(Broken(OSError()), 1, faults, 1, 50.0)  # type: ignore[arg-type]
    monkeypatch.setattr(going, "_see_it_through", lambda scene, sampler: None)
    with pytest.raises(ProcessLookupError):
        going._strike(None, None)  # type: ignore[arg-type]
    assert done == expected
    assert going.struck <= going.undone <= going.mended


@pytest.mark.parametrize(("failing", "ends"), [(("strike", ""), True), (("", "strike"), False)])
def test_a_second_fault_may_find_nothing_to_strike_and_the_first_may_not(
    failing: tuple[str, ...], ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    faults = [Noted(name, done, where) for name, where in zip("ab", failing, strict=True)]
    going = Round(Broken(OSError()), 1, faults, 1, 50.0)  # type: ignore[arg-type]
    monkeypatch.setattr(going, "_see_it_through", lambda scene, sampler: done.append("seen"))
    with pytest.raises(ProcessLookupError) if ends else nullcontext():
        going._strike(None, None)  # type: ignore[arg-type]
    assert ("seen" in done) is not ends


def test_a_page_that_was_not_damaged_is_not_written_back(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = DamagedPage()
    fault._path, fault._bytes = "base/1/2", b"of an older round"
    scene = Scene(Broken(OSError(5, "gone")), None, None, Random(1))  # type: ignore[arg-type]
    monkeypatch.setattr("bansho.drill.faults.database.run", Broken(OSError(5, "gone")).fail)
    with pytest.raises(OSError, match="gone"):
        fault.strike(scene)
    fault.undo(scene)


def test_a_sender_that_does_not_end_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bansho.drill.stage.ENDS", 0.2)
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        Sender(process, tmp_path / "ledger").stop()
        assert process.returncode == -9


def seen(problem: Exception | None, monkeypatch: pytest.MonkeyPatch, pause: float = 0.0) -> Mishaps:
    """What a sampler has to say whose looks raise a problem, or take so long."""
    looked: list[float] = []

    def look(lab: object) -> dict[str, Any]:
        looked.append(time.monotonic())
        if problem:
            raise problem
        time.sleep(pause)
        return {}

    monkeypatch.setattr(census, "take", look)
    monkeypatch.setattr(sampler, "INTERVAL", 0.01)
    mishaps = Mishaps()
    with Sampler(SimpleNamespace(lab=SimpleNamespace(nodes=[])), mishaps):  # type: ignore[arg-type]
        while not looked:
            time.sleep(0.01)
    return mishaps


def test_a_sampler_that_ended_or_stood_still_is_a_mishap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not seen(None, monkeypatch)
    ended = seen(OSError(5, "Input/output error"), monkeypatch)
    assert "BSHO8006-E the sampler ended by OSError" in str(ended)
    assert "raise problem" in ended.tracebacks
    monkeypatch.setattr(attention, "STILL", 0.05)
    assert "the sampler stood still for 0." in str(seen(None, monkeypatch, pause=0.2))
    monkeypatch.setattr(sampler, "PATIENCE", 0.01)
    assert "the sampler did not come to its end" in str(seen(None, monkeypatch, pause=0.2))


def test_a_node_that_lives_and_keeps_the_sampler_waiting_is_a_mishap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "PATIENCE", 0.05)
    pids = iter([7, 7, 7, 8, 7, 7])

    class Slow:
        name = "n1"
        pid = property(lambda self: next(pids))

        def run(self, command: list[str], timeout: float) -> None:
            time.sleep(0.1)
            raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(sampler, "mounted", lambda node: True)
    asking = Sampler(SimpleNamespace(lab=SimpleNamespace(nodes=[])), Mishaps())  # type: ignore[arg-type]
    with pytest.raises(Blind, match="for jevstat on n1"):
        asking._answer(Slow(), ["jevstat"])  # type: ignore[arg-type]
    assert asking._answer(Slow(), ["jevstat"]) is None  # type: ignore[arg-type] # it was reset meanwhile
    monkeypatch.setattr(sampler, "PATIENCE", 30.0)
    assert asking._answer(Slow(), ["jevstat"]) is None  # type: ignore[arg-type]


class Looking:
    """A watch; `each` is how many looks it makes whenever somebody asks for their number."""

    def __init__(self, each: int, longest_pause: float = 0.1) -> None:
        self.each, self.longest_pause, self.looked = each, longest_pause, 7

    @property
    def samples(self) -> int:
        self.looked += self.each
        return self.looked


def test_a_watch_that_ended_or_stood_still_is_a_mishap(monkeypatch: pytest.MonkeyPatch) -> None:
    attention.require(Looking(1))  # type: ignore[arg-type]
    with pytest.raises(Blind, match="stood still"):
        attention.require(Looking(1, STILL + 1))  # type: ignore[arg-type]
    monkeypatch.setattr(attention, "STILL", 0.05)
    with pytest.raises(Blind, match="has ended after 7 looks"):
        attention.require(Looking(0, 0.0))  # type: ignore[arg-type]


def test_a_round_whose_watch_has_ended_is_no_clean_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the watch's thread dies in the middle of a round."""
    monkeypatch.setattr(attention, "STILL", 0.05)
    monkeypatch.setattr(rounds, "Watch", lambda lab: Standing())
    monkeypatch.setattr(rounds, "Sampler", lambda stage, mishaps: Standing())
    stage = SimpleNamespace(send=lambda rate, source: SimpleNamespace(stop=lambda: None), lab=None)
    going = Round(stage, 1, [Harmless()], 1, 50.0)  # type: ignore[arg-type]
    with pytest.raises(Blind), going._observed():
        pass


class Standing(Looking):
    def __init__(self) -> None:
        super().__init__(0)

    def __enter__(self) -> "Standing":
        return self

    def __exit__(self, *_: object) -> None:
        pass
