import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bansho.events.errors import MalformedEvent, MalformedJson
from bansho.events.event import (
    ATTRIBUTE_BYTES,
    LARGEST_SERIAL,
    LAST_SECOND,
    MESSAGE_BYTES,
    SEVERITIES,
    Event,
    StoredEvent,
    as_document,
    decode,
    decode_many,
    decode_stored,
    encode,
)

MEMBERS = {
    "serial", "id", "id_extended", "reason", "process_id", "user_id", "group_id", "user_name", "group_name",
    "occurred_at", "arrived_at", "source_server", "source_serial", "destination_server", "source_address", "severity",
    "message", "attributes",
}  # fmt: skip

no_nul = st.characters(exclude_characters="\0", codec="utf-8")
numbers = st.none() | st.integers(0, 2**32 - 1)
texts = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=255)
messages = st.text(no_nul).filter(lambda text: len(text.encode()) <= MESSAGE_BYTES)
attributes = st.dictionaries(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,31}", fullmatch=True).filter(lambda name: name != "SEVERITY"),
    st.text(no_nul, max_size=20),
    max_size=20,
)
serials = st.integers(1, LARGEST_SERIAL)


@st.composite
def events(draw: st.DrawFn) -> Event:
    named = draw(st.booleans())
    return Event(
        id=draw(st.from_regex(r"[0-9A-Fa-f]{1,8}", fullmatch=True)),
        id_extended=draw(st.from_regex(r"[0-9A-Fa-f]{1,8}", fullmatch=True)),
        reason=draw(st.integers(1, 4)),
        process_id=draw(numbers),
        user_id=draw(numbers),
        group_id=draw(numbers),
        user_name=draw(texts),
        group_name=draw(texts),
        occurred_at=draw(st.none() | st.floats(0, LAST_SECOND)),
        source_server=draw(texts.filter(bool)) if named else None,
        source_serial=draw(serials) if named else None,
        destination_server=draw(texts),
        source_address=draw(texts),
        severity=draw(st.none() | st.sampled_from(SEVERITIES)),
        message=draw(messages),
        attributes=draw(attributes),
    )


@given(events())
def test_an_event_comes_back_from_json_as_it_was(event: Event) -> None:
    assert decode(encode(event)) == event
    assert decode_many(encode([event, event])) == [event, event]
    assert decode(json.dumps(as_document(event)).encode()) == event


def test_the_json_form_has_exactly_the_members_of_the_house() -> None:
    stored = StoredEvent(serial=1, arrived_at=2.0, occurred_at=1.0, source_server="watch", source_serial=1)
    assert set(json.loads(encode(stored))) == MEMBERS
    assert decode_stored(encode(stored)) == stored
    assert set(json.loads(encode(Event()))) == MEMBERS - {"serial", "arrived_at"}


@given(st.from_regex(r"[0-9A-Fa-f]{1,8}", fullmatch=True))
def test_an_id_has_one_form(text: str) -> None:
    event = Event(id=text, id_extended=text)
    assert event.id == event.id_extended == f"{int(text, 16):X}"


def test_the_severity_attribute_is_the_severity() -> None:
    event = decode(b'{"attributes": {"SEVERITY": "Alert", "PRODUCT_NAME": "/X"}}')
    assert event.severity == "Alert"
    assert event.attributes == {"PRODUCT_NAME": "/X"}
    assert decode(b'{"severity": "Alert", "attributes": {"SEVERITY": "Alert"}}').severity == "Alert"


AT_THE_LIMIT: list[dict[str, Any]] = [
    {"message": "é" * 511 + "x"},
    {"message": "x" * 1023},
    {"attributes": {f"A{n}": "" for n in range(100)}},
    {"attributes": {"A": "x" * (ATTRIBUTE_BYTES - 1)}},
    {"attributes": {"A" * 32: ""}},
    {"id": "7FFFFFFF", "id_extended": "00000000"},
    {"occurred_at": LAST_SECOND},
    {"source_server": "s" * 255, "source_serial": LARGEST_SERIAL},
    {"user_id": 4294967295, "process_id": 0},
]


@pytest.mark.parametrize("document", AT_THE_LIMIT, ids=str)
def test_the_limit_itself_is_allowed(document: dict[str, Any]) -> None:
    decode(json.dumps(document).encode())


BEYOND: list[tuple[Any, str, str]] = [
    ({"id": ""}, "id", "regex"),
    ({"id": "G"}, "id", "regex"),
    ({"id": "123456789"}, "id", "regex"),
    ({"id": "1\n"}, "id", "regex"),
    ({"id_extended": "-1"}, "id_extended", "regex"),
    ({"reason": 0}, "reason", ">= 1"),
    ({"reason": 5}, "reason", "<= 4"),
    ({"process_id": "7"}, "process_id", "Expected `int | null`"),
    ({"user_id": -1}, "user_id", ">= 0"),
    ({"group_id": 2**32}, "group_id", "<= 4294967295"),
    ({"user_name": "a\u0000"}, "user_name", "regex"),
    ({"user_name": ""}, "user_name", "length >= 1"),
    ({"occurred_at": -1}, "occurred_at", ">= 0"),
    ({"occurred_at": LAST_SECOND + 1}, "occurred_at", "<="),
    ({"source_server": "a"}, "source_serial", "together with source_server"),
    ({"source_serial": 1}, "source_serial", "together with source_server"),
    ({"source_server": "a", "source_serial": 0}, "source_serial", ">= 1"),
    ({"source_server": "a", "source_serial": 2**53}, "source_serial", "<="),
    ({"source_server": "a" * 256, "source_serial": 1}, "source_server", "length <= 255"),
    ({"severity": "error"}, "severity", "expected one of Emergency, Alert"),
    ({"attributes": {"SEVERITY": "Bad"}}, "severity", "expected one of Emergency, Alert"),
    ({"severity": "Alert", "attributes": {"SEVERITY": "Error"}}, "severity", "as in attributes.SEVERITY"),
    ({"message": "x" * 1024}, "message", "at most 1,023 bytes of UTF-8, got 1,024"),
    ({"message": "é" * 512}, "message", "at most 1,023 bytes of UTF-8, got 1,024"),
    ({"message": "a\u0000b"}, "message", "U+0000"),
    ({"attributes": {f"A{n}": "" for n in range(101)}}, "attributes", "at most 100, got 101"),
    ({"attributes": {"A": "x" * ATTRIBUTE_BYTES}}, "attributes", "at most 10,000 bytes of UTF-8 in all, got 10,001"),
    ({"attributes": {"A": "€" * 3400}}, "attributes", "at most 10,000 bytes of UTF-8 in all, got 10,201"),
    ({"attributes": {"A": "\u0000"}}, "attributes", "U+0000"),
    ({"attributes": {"a": ""}}, "attributes", "regex"),
    ({"attributes": {"A" * 33: ""}}, "attributes", "regex"),
    ({"attributes": {"A": 1}}, "attributes[...]", "Expected `str`"),
    ({"massage": "x"}, "the event", "unknown field `massage`"),
    ({"serial": 1}, "the event", "unknown field `serial`"),
    ([], "the event", "Expected `object`"),
]


@pytest.mark.parametrize(("document", "member", "expected"), BEYOND)
def test_a_violation_is_one_line_with_the_member_and_what_was_expected(
    document: Any, member: str, expected: str
) -> None:
    with pytest.raises(MalformedEvent) as caught:
        decode(json.dumps(document).encode())
    line = str(caught.value)
    assert line.startswith(f"{member}: ")
    assert expected in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([{}, {"id": "x"}], "[1].id"),
        ([{}, {"message": "x" * 1024}], "[1].message"),
        ([{"attributes": {"a": ""}}], "[0].attributes"),
        ([1], "[0]"),
    ],
)
def test_in_a_batch_the_line_names_the_index_too(document: Any, place: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        decode_many(json.dumps(document).encode())
    assert str(caught.value).startswith(f"{place}: ")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"nonsense", b'{"message": "\xff"}', b'{"message": "\\ud800"}', b"[" * 100_000, b"{} {}"]
)
def test_what_is_not_json_is_said_to_be_that(data: bytes) -> None:
    with pytest.raises((MalformedJson, MalformedEvent)):
        decode(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_clear_refusal(data: bytes) -> None:
    with suppress(MalformedJson, MalformedEvent):
        assert decode(encode(decode(data))) == decode(data)


def test_from_python_a_violation_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="message: expected at most"):
        Event(message="x" * 1024)
