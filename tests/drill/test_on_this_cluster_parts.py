"""What of a drill on a user's cluster needs no cluster: the series of faults, the flags, and signals that wait."""

import signal
import subprocess
import sys
import time
from subprocess import PIPE
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.drill.census import Found
from bansho.drill.errors import UnknownFault
from bansho.drill.site import local
from bansho.drill.site.campaign import series
from bansho.drill.site.errors import NeedsFlag
from bansho.drill.site.faults import RESET_FLAG, Announced, KillPostmaster, Move, Reset, Standby, Stop, chosen
from bansho.drill.site.observer import Observer

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
    observer = Observer(SimpleNamespace(node="n1"))  # type: ignore[arg-type]
    before = time.time()
    observer._look()
    (seen,) = observer.sightings
    assert before <= seen.at - seen.took + 0.01
    assert seen.took >= 0.1


def test_what_needs_a_flag_is_neither_left_to_chance_nor_done_without_it() -> None:
    assert "reset" not in [each.name for each in chosen(FAULTS, [], [])]
    assert "reset" in [each.name for each in chosen(FAULTS, [], [RESET_FLAG])]
    with pytest.raises(NeedsFlag, match=RESET_FLAG):
        chosen(FAULTS, ["reset"], [])
    with pytest.raises(UnknownFault, match="power-loss"):
        chosen(FAULTS, ["power-loss"], [RESET_FLAG])
