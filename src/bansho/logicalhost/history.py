"""The takeover history: marks that the lease and the resource agent leave in the shared directory.

One JSON line a mark in `log/takeover.jsonl`: when, on which node, which leg. They show how long each leg of a takeover
took, and they survive the node that wrote them.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

from bansho.logicalhost.places import SharedPlaces

KEPT_BYTES = 1 << 20
"""The file is cut to the newer half once it is larger than this."""
BEGINNING = '{"at":'
"""Of each mark's JSON."""


class Mark(NamedTuple):
    """One leg's time stamp."""

    at: float
    """The node's wall clock, in seconds since 1970."""
    node: str
    leg: str
    facts: dict[str, Any]


class Takeover(NamedTuple):
    """The marks from one claim of the lease to the next."""

    epoch: int
    node: str
    previous: str | None
    at: float
    legs: tuple[Mark, ...]


def path(shared: SharedPlaces) -> Path:
    """The file that holds the marks."""
    return shared.log / "takeover.jsonl"


def mark(shared: SharedPlaces, leg: str, **facts: Any) -> None:
    """Appends a mark; `at`, among the facts, where it was another moment than now.

    A history that cannot be written must not hold a takeover up: an OSError passes silently.
    """
    line = json.dumps({"at": time.time(), "node": os.uname().nodename, "leg": leg, **facts}) + "\n"
    try:
        _shorten(path(shared))
        with _opened(shared) as file:
            file.write(line)
    except OSError:
        return


def _opened(shared: SharedPlaces) -> IO[str]:
    """The file, never through a link. Root makes it, and gives it to the services' user, who writes later."""
    new = not path(shared).exists()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = open(os.open(path(shared), flags, 0o640), "a", encoding="utf-8")  # noqa: PTH123, SIM115 - of a descriptor
    if new and os.geteuid() == 0:
        os.fchown(file.fileno(), *shared.services_user)
    return file


def _shorten(file: Path) -> None:
    if not file.exists() or file.stat().st_size <= KEPT_BYTES or not os.access(file.parent, os.W_OK):
        return
    lines = file.read_bytes().splitlines(keepends=True)
    shorter = file.with_suffix(".new")
    shorter.write_bytes(b"".join(lines[len(lines) // 2 :]))
    shorter.replace(file)


def marks(shared: SharedPlaces) -> list[Mark]:
    """All marks, oldest first; none where there is no file. What a power loss cut short is left out."""
    try:
        lines = path(shared).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [found for line in lines if (found := _parse(line))]


def _parse(line: str) -> Mark | None:
    """The line's last mark: a power loss leaves an earlier one's remains before it, or the zeros of lost blocks."""
    try:
        record = json.loads(line[max(line.rfind(BEGINNING), 0) :])
        return Mark(record.pop("at"), record.pop("node"), record.pop("leg"), record)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def takeovers(marks: Iterable[Mark]) -> list[Takeover]:
    """The marks by takeover, newest first: each begins where the lease was claimed."""
    found: list[Takeover] = []
    for each in marks:
        if each.leg == "lease":
            found.append(Takeover(each.facts["epoch"], each.node, each.facts.get("previous"), each.at, (each,)))
        elif found:
            found[-1] = found[-1]._replace(legs=(*found[-1].legs, each))
    return found[::-1]


def last_epoch(shared: SharedPlaces) -> int:
    """The highest epoch in the history, 0 where there is none: a lease that was removed must not begin anew."""
    try:
        return max((found.epoch for found in read(shared)), default=0)
    except OSError:
        return 0


def read(shared: SharedPlaces) -> list[Takeover]:
    """The takeovers of a shared directory, newest first. Raises OSError."""
    return takeovers(marks(shared))
