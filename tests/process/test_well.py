"""The lock that tells whether all is well, with somebody who waits for it."""

import os
from collections.abc import Iterator
from fcntl import LOCK_NB, LOCK_SH, LOCK_UN, flock
from pathlib import Path

import pytest

from bansho.process.well import Well


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[int]:
    """The lock file, opened by somebody who would like to know."""
    descriptor = os.open(tmp_path / "well", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def is_well(waiting: int) -> bool:
    try:
        flock(waiting, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    flock(waiting, LOCK_UN)
    return False


def test_it_is_held_while_all_is_well(tmp_path: Path, waiting: int) -> None:
    well = Well(tmp_path / "well")
    for now in (True, True, False, False, True):
        well.show(now)
        assert is_well(waiting) == now
    well.show(False)


def test_whoever_is_just_being_woken_keeps_it_from_nothing(tmp_path: Path, waiting: int) -> None:
    """He has the lock for a moment; the process manager does not wait for him, and takes it the next time."""
    well = Well(tmp_path / "well")
    flock(waiting, LOCK_SH)
    well.show(True)
    flock(waiting, LOCK_UN)
    assert not is_well(waiting)
    well.show(True)
    assert is_well(waiting)
    well.show(False)
