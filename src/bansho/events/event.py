"""The event, with the members of JP1/Base's basic and extended attributes. `docs/event.md` shows the JSON form.

An `Event` is what a sender gives; a `StoredEvent` is what the event service made of it. An `Event` is valid by
construction: from JSON a violation is MalformedEvent, from Python it is ValueError.
"""

import re
from typing import Annotated, Any, Literal, NoReturn, TypeVar, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from bansho.events.errors import MalformedEvent, MalformedJson

Severity = Literal["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Information", "Debug"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the gravest to the least."""
ALLOWED_SEVERITIES = frozenset((None, *SEVERITIES))

MESSAGE_BYTES = 1023
ATTRIBUTES = 100
ATTRIBUTE_BYTES = 10_000
"""The most bytes of UTF-8 in all names and values of the attributes together."""
TEXT_CHARACTERS = 255
LARGEST_SERIAL = 2**53 - 1
"""The largest integer that every reader of JSON takes exactly."""
LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the last one that every calendar library knows."""

Hexadecimal = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{1,8}\Z")]
Number = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Serial = Annotated[int, Meta(ge=1, le=LARGEST_SERIAL)]
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Seconds = Annotated[float, Meta(ge=0, le=LAST_SECOND)]
Reason = Annotated[int, Meta(ge=1, le=4)]
AttributeName = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,31}\Z")]

LOCAL_TO_LOCAL, LOCAL_TO_REMOTE, REMOTE_TO_LOCAL, FORWARDED = 1, 2, 3, 4
"""The values of `reason`."""

Shape = TypeVar("Shape")


class Members(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an event has before and after it is stored."""

    id: Hexadecimal = "0"
    """Upper case, without leading zeros: `3F90`."""
    id_extended: Hexadecimal = "0"
    reason: Reason = LOCAL_TO_LOCAL
    process_id: Number | None = None
    user_id: Number | None = None
    group_id: Number | None = None
    user_name: Text | None = None
    group_name: Text | None = None
    destination_server: Text | None = None
    source_address: Text | None = None
    severity: str | None = None
    """One of SEVERITIES."""
    message: str = ""
    attributes: dict[AttributeName, str] = {}
    """Extended attributes but `SEVERITY`, which is a member of its own."""


class Event(Members, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """An event as a sender gives it. Raises ValueError, naming the member and what was expected."""

    occurred_at: Seconds | None = None
    """Seconds since 1970 UTC; None: when it arrives."""
    source_server: Text | None = None
    source_serial: Serial | None = None
    """With `source_server` the event's name for ever; None: the event service and the serial that it gives."""

    def __post_init__(self) -> None:
        """Brings the members into their one form, then checks what their types cannot say."""
        if "SEVERITY" in self.attributes:
            _adopt_severity(self)
        if self.id != "0":
            force_setattr(self, "id", _short(self.id))
        if self.id_extended != "0":
            force_setattr(self, "id_extended", _short(self.id_extended))
        problem = _problem(self)
        if problem:
            raise ValueError(problem)


class StoredEvent(Members, frozen=True, kw_only=True, gc=False):
    """An event as the event service keeps it: acknowledged, never changed, with its place in the sequence."""

    serial: int
    arrived_at: float
    occurred_at: float
    source_server: str
    source_serial: int


def _adopt_severity(event: Event) -> None:
    given = event.attributes["SEVERITY"]
    if event.severity not in (None, given):
        raise ValueError(f"severity: expected {given!r} as in attributes.SEVERITY, got {event.severity!r}")
    force_setattr(event, "severity", given)
    rest = {name: value for name, value in event.attributes.items() if name != "SEVERITY"}
    force_setattr(event, "attributes", rest)


def _short(identifier: str) -> str:
    return identifier.upper().lstrip("0") or "0"


def _problem(event: Event) -> str | None:
    """The first thing that is wrong."""
    message = event.message
    if event.severity not in ALLOWED_SEVERITIES:
        return f"severity: expected one of {', '.join(SEVERITIES)}, got {event.severity!r}"
    if _bytes_beyond(message, MESSAGE_BYTES):
        return f"message: expected at most {MESSAGE_BYTES:,} bytes of UTF-8, got {len(message.encode()):,}"
    if "\0" in message:
        return "message: expected text without U+0000"
    if (event.source_server is None) != (event.source_serial is None):
        return "source_serial: expected together with source_server, or neither"
    return _attribute_problem(event.attributes) if event.attributes else None


def _attribute_problem(attributes: dict[str, str]) -> str | None:
    if len(attributes) > ATTRIBUTES:
        return f"attributes: expected at most {ATTRIBUTES}, got {len(attributes)}"
    text = "".join((*attributes, *attributes.values()))
    if _bytes_beyond(text, ATTRIBUTE_BYTES):
        return f"attributes: expected at most {ATTRIBUTE_BYTES:,} bytes of UTF-8 in all, got {len(text.encode()):,}"
    if "\0" in text:
        return "attributes: expected text without U+0000"
    return None


def _bytes_beyond(text: str, limit: int) -> bool:
    """Whether `text` has more than `limit` bytes of UTF-8; encodes only where four bytes a character could."""
    return len(text) * 4 > limit and len(text.encode()) > limit


_event = msgspec.json.Decoder(Event)
_events = msgspec.json.Decoder(list[Event])
_stored = msgspec.json.Decoder(StoredEvent)
_encoder = msgspec.json.Encoder()
encode = _encoder.encode
"""An event, or anything made of events, as JSON."""
encode_lines = _encoder.encode_lines
"""Each event as a line of JSON."""


def decode(data: bytes) -> Event:
    """One event from JSON. Raises MalformedJson or MalformedEvent."""
    return _checked(_event, data)


def decode_many(data: bytes) -> list[Event]:
    """The events of a JSON array. Raises MalformedJson, or MalformedEvent with the event's index."""
    return _checked(_events, data)


def decode_stored(data: bytes) -> StoredEvent:
    """One stored event from JSON. Raises MalformedJson or MalformedEvent."""
    return _checked(_stored, data)


def _checked(decoder: "msgspec.json.Decoder[Shape]", data: bytes) -> Shape:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        refuse(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedJson(str(error).replace("\n", " ")) from None


def refuse(error: msgspec.ValidationError) -> NoReturn:
    """Raises MalformedEvent: `process_id: Expected ...`, in a batch `[3].process_id: Expected ...`."""
    problem, _, where = str(error).partition(" - at ")
    place = re.sub(r"`key` in |[`$]", "", where).removeprefix(".")
    member, colon, expected = problem.partition(": ")
    if colon and member.isidentifier():
        place, problem = ".".join(filter(None, (place, member))), expected
    raise MalformedEvent(place or "the event", problem) from None


def as_document(event: Members) -> dict[str, Any]:
    """The event as plain data."""
    document: dict[str, Any] = msgspec.to_builtins(event)
    return document
