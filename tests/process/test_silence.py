"""When a silent process manager is given up: it stands still and its record is stale, unless it is being ended."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bansho.process import identity, record, silence
from bansho.process.errors import ManagerMute
from bansho.process.folder import Folder, locked


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Folder]:
    """The folder of a suite whose process manager a signal has stopped, and whose record has just become stale."""
    folder = Folder(tmp_path)
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as manager:
        manager.send_signal(signal.SIGSTOP)
        stat = identity.stat(manager.pid)
        assert stat is not None
        while stat is not None and stat.state not in silence.STANDING:
            stat = identity.stat(manager.pid)
        assert stat is not None
        stale = record.own(0, "all running", {})._replace(pid=stat.pid, ticks=stat.ticks, until=record.now() - 1)
        record.write(folder.record, stale)
        yield folder
        manager.kill()


def test_one_that_stands_still_is_given_up(frozen: Folder) -> None:
    with pytest.raises(ManagerMute, match=r"BSHO2013-E .* stands still"):
        silence.check(frozen, "watch", "base")


def test_one_whose_record_is_damaged_is_not(frozen: Folder) -> None:
    """Nobody can tell then; the status says what is wrong with it."""
    frozen.record.write_text("damaged")
    silence.check(frozen, "watch", "base")


def test_one_that_is_being_ended_is_not(frozen: Folder) -> None:
    """Forced termination stops everything first; whoever waits for an answer is told by the end."""
    with locked(frozen.order_lock):
        silence.check(frozen, "watch", "base")
