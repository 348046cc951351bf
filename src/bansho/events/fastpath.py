"""A batch of events from JSON, with the same outcome as `event.decode_many` at a third of its price.

A `PlainEvent` is read with types and lengths alone; then the whole batch is tested at once. The tests let no malformed
event through, but they doubt some good ones, such as one with an id in lower case. In doubt `Event` decides, and only
it says what is wrong. (One difference: of a member that is given twice only the last value has to be right.)
"""

import re
from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated

import msgspec
from msgspec import Meta

from bansho.events import event as careful
from bansho.events.event import ATTRIBUTES, MESSAGE_BYTES, TEXT_CHARACTERS, Event, Members, Seconds, Serial, Severity

BoundedText = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS)]

PLAIN_ID = re.compile(r"0|[1-9A-F][0-9A-F]{0,7}")
PLAIN_NAME = re.compile(r"(?!SEVERITY\Z)[A-Z][A-Z0-9_]{0,31}")
PLAIN_MESSAGE = 255
"""Characters of a message that are within its limit of bytes, whatever they are."""
PLAIN_VALUES = 1700
"""Characters in the values of all attributes that are within the limit of bytes, whatever they and the names are."""


class PlainEvent(Members, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """What an `Event` is if it was sent in its one form. Only `decode_many` sees to it that it is."""

    id: str = "0"
    id_extended: str = "0"
    user_name: BoundedText | None = None
    group_name: BoundedText | None = None
    destination_server: BoundedText | None = None
    source_address: BoundedText | None = None
    severity: Severity | None = None
    message: Annotated[str, Meta(max_length=MESSAGE_BYTES)] = ""
    attributes: Annotated[dict[str, str], Meta(max_length=ATTRIBUTES)] = msgspec.field(default_factory=dict)
    occurred_at: Seconds | None = None
    source_server: BoundedText | None = None
    source_serial: Serial | None = None


NewEvent = Event | PlainEvent
"""A valid event that is not stored yet."""

_decoder = msgspec.json.Decoder(list[PlainEvent])
_ids = attrgetter("id", "id_extended")
_texts = attrgetter("user_name", "group_name", "destination_server", "source_address", "source_server")


def decode_many(data: bytes) -> Sequence[NewEvent]:
    """The events of a JSON array. Raises MalformedJson, or MalformedEvent with the event's index."""
    try:
        events = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return careful.decode_many(data)
    return events if _plain(events, data) else careful.decode_many(data)


def _plain(events: list[PlainEvent], data: bytes) -> bool:
    """Whether all are valid and in their one form beyond doubt; `data` is what they were read from.

    Most values come again and again in a batch, so distinct ones are tested.
    """
    ids = {text for texts in set(map(_ids, events)) for text in texts}
    names = set[str]().union(*[event.attributes for event in events])
    texts = {text for texts in set(map(_texts, events)) for text in texts}
    return (
        b"\\u0000" not in data
        and all(map(PLAIN_ID.fullmatch, ids))
        and all(map(PLAIN_NAME.fullmatch, names))
        and all(text is None or text.isprintable() for text in texts)
        and all((event.source_server is None) == (event.source_serial is None) for event in events)
        and all(len(event.message) <= PLAIN_MESSAGE or event.message.isascii() for event in events)
        and all(sum(map(len, event.attributes.values())) <= PLAIN_VALUES for event in events)
    )
