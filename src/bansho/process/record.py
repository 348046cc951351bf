"""The status record: what a process manager says of its suite, in a file that a reader in sh understands.

docs/house.md shows its lines.
"""

import json
import os
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from bansho.contract import limits
from bansho.process import fresh, identity

Damage, now = fresh.Damage, fresh.now


class Record(NamedTuple):
    """One status record."""

    value: int
    boot_id: str
    pid: int
    ticks: int
    until: int
    """It is fresh until then, in hundredths of a second of CLOCK_BOOTTIME."""
    text: str
    document: str
    """A JSON object."""

    @property
    def lost_at(self) -> int:
        """From then on the beat counts as lost for good."""
        return self.until + round((limits.LOST_BEATS - limits.STALE_BEATS) * limits.BEAT * 100)


class Trust(Enum):
    """How far a record can be believed."""

    FRESH = "fresh"
    STALE = "stale"
    """Its process manager lives and has missed a beat or more."""
    LOST = "lost"
    """Its process manager lives and has missed too many."""
    DEAD = "dead"
    """Its process manager is gone, or it is of another boot."""


def until() -> int:
    """Until when a record that is written now is fresh."""
    return now() + round(limits.STALE_BEATS * limits.BEAT * 100)


def own(value: int, text: str, document: dict[str, Any]) -> Record:
    """A fresh record of this process."""
    me, ticks = os.getpid(), identity.own_ticks()
    return Record(value, identity.boot_id(), me, ticks, until(), text, json.dumps(document, separators=(",", ":")))


def render(record: Record) -> str:
    """The file's text."""
    head = (fresh.TAG, fresh.VERSION, record.value, record.boot_id, record.pid, record.ticks, record.until)
    return "\n".join((" ".join(map(str, head)), record.text.replace("\n", " "), record.document, ""))


def parse(text: str) -> Record:
    """The record in a file's text. Raises Damage.

    The document is not looked at, as the reader in sh does not read it; whoever needs it calls `details`.
    """
    return Record(*fresh.fields(text))


def details(record: Record) -> dict[str, Any]:
    """The document: `{"host", "suite", "value", "text", "aim", "services", ...}`. Raises Damage."""
    try:
        document = json.loads(record.document)
    except (ValueError, RecursionError) as error:
        raise Damage(f"its details are no JSON: {error}") from None
    if not isinstance(document, dict):
        raise Damage("its details are no JSON object")
    return document


def read(path: Path | str) -> Record | None:
    """The record at `path`, or None where there is none. Raises Damage, also when it cannot be read."""
    try:
        with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return parse(file.read(1 << 20))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Damage(error.strerror) from None


def write(path: Path, record: Record) -> None:
    """Puts the record in the place of the one before, in one step: a reader sees the old one or the new one."""
    temporary = path.with_name("record.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        os.write(descriptor, render(record).encode("utf-8", "surrogateescape"))
    finally:
        os.close(descriptor)
    temporary.replace(path)


def trust(record: Record, at: int, boot_id: str, *, manager_lives: bool) -> Trust:
    """How far a record can be believed at the time `at`."""
    if record.boot_id != boot_id or not manager_lives:
        return Trust.DEAD
    if at <= record.until:
        return Trust.FRESH
    return Trust.STALE if at < record.lost_at else Trust.LOST


def trust_now(record: Record) -> Trust:
    """How far a record can be believed now."""
    return trust(record, now(), identity.boot_id(), manager_lives=identity.lives(record.pid, record.ticks))
