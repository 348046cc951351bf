"""What Base answers over HTTP (docs/house.md, "Base, over HTTP"), for both ends of the line."""

import msgspec

from bansho.events.event import StoredEvent


class Registration(msgspec.Struct, frozen=True, gc=False):
    """One event is stored durably: its serial, and whether it had been stored before."""

    serial: int
    duplicate: bool


class Registrations(msgspec.Struct, frozen=True):
    """The answer to a batch, in the batch's order."""

    results: list[Registration]


class Page(msgspec.Struct, frozen=True):
    """Some events in the order of their serials; `last` is the serial to go on after."""

    events: list[StoredEvent]
    last: int


class State(msgspec.Struct, frozen=True):
    """What an event service has: its newest serial (0: none yet), how many events, the oldest one's serial."""

    host: str
    epoch: int
    last: int
    count: int
    oldest: int
