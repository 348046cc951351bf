"""Branches that a test reaches, in every process that it starts, however that is started and ends (scripts/coverage).

The process manager gives its services a clean environment, daemons outlive the test's process, most of them end by
SIGKILL, and some tests count threads and descriptors: so measuring begins from a .pth file of the virtual environment,
and each jump from line to line is written down at once, in one system call, when it is taken for the first time.
`python -m tests.measured` then turns what was written into the data of coverage.py, which knows what could be reached.
PYTEST_DONT_REWRITE: pytest takes this for a plugin, and comes too late to do more with it.
"""

import os
import sys
import threading
from contextlib import suppress
from opcode import opmap
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[1]
MEASURED = tuple(f"{ROOT}/src/bansho/{part}/" for part in ("contract", "process"))
FOLDER = ROOT / "build/coverage"
TAKEN = str(FOLDER / "taken")
WITHOUT_SITE, LAUNCHER = "-S", f"{ROOT}/src/bansho/process/launcher.py"
RESUME = opmap["RESUME"]
CODE_UNIT = 2

Jump = tuple[str, int, int]
"""File, line before, line after; the first line of a function, negative, stands for its beginning and its end."""
known: set[Jump] = set()


def begin() -> None:
    """Called by the .pth file, in every process of the virtual environment."""
    threading.settrace(_entered)
    sys.settrace(_entered)
    sys.addaudithook(_started)


def pytest_runtest_setup() -> None:
    """Begins anew: Python ends tracing where the recursion limit is met, or a deadline, in the middle of it."""
    sys.settrace(_entered)


def _started(event: str, arguments: tuple[Any, ...]) -> None:
    """The launcher of services does without `site`, and so without the .pth file: here it gets both."""
    if event == "subprocess.Popen" and LAUNCHER in map(os.fspath, arguments[1]) and WITHOUT_SITE in arguments[1]:
        arguments[1].remove(WITHOUT_SITE)


def _entered(frame: FrameType, _event: str, _argument: object) -> Any:
    """Called with each function that is entered, or gone on with."""
    file, code, begins = frame.f_code.co_filename, frame.f_code.co_code, -frame.f_code.co_firstlineno
    if not file.startswith(MEASURED):
        return None
    before = frame.f_lineno if code[frame.f_lasti + 1] else begins

    def within(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal before
        if event == "line":
            _take((file, before, frame.f_lineno))
            before = frame.f_lineno
        elif event == "return" and RESUME not in code[frame.f_lasti : frame.f_lasti + 2 * CODE_UNIT : CODE_UNIT]:
            _take((file, before, begins))
        return within

    return within


def _take(jump: Jump) -> None:
    if jump in known:
        return
    with suppress(OSError):  # no descriptor is left, or no right: the next process may have both
        descriptor = os.open(TAKEN, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(descriptor, "{}\t{}\t{}\n".format(*jump).encode())
            known.add(jump)
        finally:
            os.close(descriptor)


def main() -> None:
    """Turns what was written down into coverage.py's data."""
    from coverage import CoverageData

    jumps: dict[str, set[tuple[int, int]]] = {}
    with Path(TAKEN).open(encoding="utf-8") as lines:
        for line in lines:
            file, before, after = line.split("\t")
            jumps.setdefault(file, set()).add((int(before), int(after)))
    data = CoverageData(str(FOLDER / "data"))
    data.add_arcs(jumps)
    data.write()


if __name__ == "__main__":
    main()
