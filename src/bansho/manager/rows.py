"""An event as a row of the IM database's table `event`. Pure."""

import datetime
from collections.abc import Iterable

from bansho.events.event import StoredEvent, encode

TIMES = ("occurred_at", "arrived_at")
COLUMNS = StoredEvent.__struct_fields__
"""The table's columns have the names of the event's members."""

Row = tuple[object, ...]


def row(event: StoredEvent) -> Row:
    """The values of COLUMNS: times as datetimes in UTC, `attributes` as the text of a JSON object."""
    return tuple(_value(name, getattr(event, name)) for name in COLUMNS)


def _value(name: str, value: object) -> object:
    if name in TIMES and isinstance(value, int | float):
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    return encode(value).decode() if name == "attributes" else value


def days(events: Iterable[StoredEvent]) -> list[datetime.date]:
    """The days (UTC) on which the events arrived, in order: their partitions."""
    return sorted({datetime.datetime.fromtimestamp(event.arrived_at, datetime.UTC).date() for event in events})
