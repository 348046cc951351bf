"""The store on an ext4 of its own whose journal ends at the worst moment."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bansho.base.errors import StoreFailed
from bansho.base.store import Store
from bansho.events.event import Event
from bansho.events.wire import Registration

pytestmark = pytest.mark.usefixtures("as_root")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A mounted file system."""
    image, point = tmp_path / "image", tmp_path / "disk"
    image.touch()
    point.mkdir()
    os.truncate(image, 16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    yield point
    subprocess.run(["umount", "--lazy", point], check=True)


class AfterCommit:
    """A connection; `then` is called between a commit's success and what the store makes of it."""

    def __init__(self, database: sqlite3.Connection, then: Callable[[], None]) -> None:
        self._database, self._then = database, then

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        done = self._database.execute(statement, *values)
        if statement == "COMMIT":
            self._then()
        return done


def test_what_ended_together_with_the_journal_is_not_acknowledged(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel does it once in dozens of errors: fsync succeeds, and the next mount has not what was written."""
    store = Store(disk / "events", "watch", lambda: None)
    assert store.add([Event(message="before")], 1.0) == [Registration(1, False)]

    def abort() -> None:
        subprocess.run(["mount", "-o", "remount,abort", disk], check=True)

    monkeypatch.setattr(store, "_database", AfterCommit(store._database, abort))
    with pytest.raises(StoreFailed, match="BSHO4027-E"):
        store.add([Event(message="at the same moment")], 2.0)
    monkeypatch.undo()
    store.close()
