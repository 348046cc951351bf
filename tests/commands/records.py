"""Every kind of status record that a front in sh may come across."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bansho.process import identity, record
from bansho.process.identity import Stat
from bansho.process.spawning import HELD

AGES = {"fresh": 6000, "stale": -200, "lost": -2000, "ancient": -(10**9)}
"""Hundredths of a second from now to the end of its freshness."""
OWNERS: dict[str, dict[str, Any]] = {
    "this process": {},
    "another start time": {"ticks": 1},
    "no such process": {"pid": 2**22 + 7},
    "another boot": {"boot_id": "11111111-2222-3333-4444-555555555555"},
    "init": {"pid": 1},
}
"""What a record may name instead of the process that wrote it."""
VALUES = (0, 1, 4, 8, 12, 5, 99)
TEXTS = (r"a\nb\c %s $HOME `id` \\", "  two  spaces  ", "déjà vu \udcff")
"""What a front must print as it is."""

Damage = tuple[str, int, str]
"""What is done to a text, where, and with which character."""
damages = st.lists(
    st.one_of(
        st.tuples(st.just("cut"), st.integers(0, 200), st.just("")),
        st.tuples(
            st.just("put"), st.integers(0, 200), st.sampled_from(["\n", " ", "0", "x", "-", "}", "\t", "*", "\\", "\r"])
        ),
        st.tuples(st.just("drop"), st.integers(0, 200), st.just("")),
    ),
    min_size=1,
    max_size=3,
)
"""NUL bytes apart: a shell cannot read them, and no rename leaves any."""


def until(age: str) -> int:
    """The end of the freshness of a record of that age."""
    return max(0, record.now() + AGES[age])


def spoilt(text: str, done: list[Damage]) -> str:
    """The text after the damages."""
    for kind, place, put in done:
        at = place % (len(text) + 1)
        text = {"cut": text[:at], "put": text[:at] + put + text[at:], "drop": text[:at] + text[at + 1 :]}[kind]
    return text


@contextmanager
def zombie() -> Iterator[Stat]:
    """A process that has ended and that nobody has collected yet."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    stat = identity.stat(child)
    assert stat is not None
    assert stat.state == "Z"
    yield stat
    os.waitpid(child, 0)


@contextmanager
def holder(path: Path) -> Iterator[int]:
    """The pid of a process that has the file open where a record's writer has its lock."""
    path.touch()
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", HOLDER, path, str(HELD)], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"holds it\n"
        yield process.pid
        process.communicate(b"")


HOLDER = "import os, sys; os.dup2(os.open(sys.argv[1], 0), int(sys.argv[2])); print('holds it', flush=True); input()"


def without_python(front: Path, folder: Path) -> Path:
    """A copy of a front, in a folder without an interpreter: what it hands over ends with 126 or 127."""
    copy = folder / front.name
    copy.write_bytes(front.read_bytes())
    copy.chmod(0o755)
    return copy
