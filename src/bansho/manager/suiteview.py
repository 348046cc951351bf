"""A suite as its status record has it (docs/house.md, "The status record")."""

from pathlib import Path

import msgspec

from bansho.contract import operation
from bansho.process import record
from bansho.process.record import Record, Trust

UNKNOWN = "unknown"


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """One service, as its suite's status record has it."""

    name: str
    state: str
    required: bool = True
    pid: int | None = None
    since: float | None = None
    """Seconds since 1970, since when it is in this state."""
    status: str | None = None
    """What the service says about itself."""


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What the console shows of a status record's document."""

    services: list[ServiceView] = []


class SuiteView(msgspec.Struct, frozen=True, kw_only=True):
    """One suite on this node."""

    name: str
    value: int | None
    """The value of operation monitoring, 3.2; None where there is no record of a living process manager."""
    meaning: str
    text: str
    services: list[ServiceView]


def suite_view(name: str, path: Path) -> SuiteView:
    """The suite as its status record has it."""
    try:
        found = record.read(path)
    except record.Damage:
        return SuiteView(name=name, value=None, meaning=UNKNOWN, text="its status record is damaged", services=[])
    if found is None:
        return SuiteView(name=name, value=None, meaning=UNKNOWN, text="no status record on this node", services=[])
    services, damage = _services(found)
    if record.trust_now(found) is not Trust.FRESH:
        text = "its process manager is silent: what follows is what it wrote last"
        return SuiteView(name=name, value=None, meaning=UNKNOWN, text=text, services=services)
    row = operation.TABLE.get(found.value)
    meaning = row.meaning if row else UNKNOWN
    return SuiteView(name=name, value=found.value, meaning=meaning, text=found.text + damage, services=services)


def _services(found: Record) -> tuple[list[ServiceView], str]:
    """The services, and a word where damaged details say nothing of them, which costs nobody the value."""
    try:
        return msgspec.convert(record.details(found), Details).services, ""
    except (record.Damage, msgspec.ValidationError):
        return [], " (its record's details are damaged)"
