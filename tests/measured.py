"""Coverage of processes that a test starts, however they are started and however they end (scripts/coverage).

The process manager gives its services a clean environment, daemons outlive the test's process, and most of them end by
SIGKILL: so measuring begins from a .pth file of the virtual environment, and what was found is saved all the time.
"""

import atexit
import os
import sys
import threading
from pathlib import Path

import coverage
from coverage import Coverage

ROOT = Path(__file__).parents[1]
PAUSE = 0.2
"""Seconds between two savings; a process that ends by SIGKILL loses what it did since the last one."""


def begin() -> None:
    """Called by the .pth file, in every process of the virtual environment."""
    os.environ["COVERAGE_PROCESS_START"] = str(ROOT / "pyproject.toml")
    os.environ["COVERAGE_FILE"] = str(ROOT / "build/coverage/data")
    measured = coverage.process_startup()
    if measured is not None and "pytest" not in sys.orig_argv:  # which ends in order, and counts its threads
        os.register_at_fork(after_in_child=lambda: _save_from_now_on(measured))
        _save_from_now_on(measured)


def _save_from_now_on(measured: Coverage) -> None:
    ended = threading.Event()
    saver = threading.Thread(target=_save, args=(measured, ended), daemon=True)
    atexit.register(saver.join)
    atexit.register(ended.set)
    saver.start()


def _save(measured: Coverage, ended: threading.Event) -> None:
    while not ended.wait(PAUSE):
        measured.save()
