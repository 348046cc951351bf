"""Questions that may hang."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from bansho.logicalhost.errors import BadName
from bansho.process import bounded
from bansho.process.deadline import Passed, deadline


def test_an_answer() -> None:
    assert bounded.ask(lambda: {"pid": os.getpid()}, 10)["pid"] != os.getpid()
    assert bounded.ask(lambda: "x" * 1_000_000, 10) == "x" * 1_000_000


def hang() -> None:
    signal.pause()


def test_silence() -> None:
    with pytest.raises(bounded.Silent):
        bounded.ask(hang, 0.05)
    with pytest.raises(bounded.Silent):
        bounded.ask(hang, 0)


def test_who_hangs_is_killed() -> None:
    with pytest.raises(bounded.Silent):
        bounded.ask(hang, 0.05)
    with deadline(10), suppress(ChildProcessError):
        os.waitpid(-1, 0)


def refuse() -> None:
    raise BadName(name="no!")


def break_down() -> None:
    raise RuntimeError("broken")


def vanish() -> None:
    os._exit(3)


def test_refusals() -> None:
    with pytest.raises(bounded.Refused, match="BSHO1001-E"):
        bounded.ask(refuse, 10)
    with pytest.raises(bounded.Refused, match="RuntimeError: broken"):
        bounded.ask(break_down, 10)
    with pytest.raises(bounded.Refused, match="cut off"):
        bounded.ask(vanish, 10)


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_no_child_and_no_descriptor_is_left() -> None:
    before = descriptors()
    for _ in range(3):
        bounded.ask(lambda: 1, 10)
    assert descriptors() == before


def test_a_deadline_breaks_a_wait_off() -> None:
    reader, writer = os.pipe()
    with pytest.raises(Passed), deadline(0.05):
        os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    with deadline(10):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
