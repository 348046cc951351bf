"""The fast path and `Event` agree on every batch: what is taken in, as what, and what is said of the rest."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bansho.events import event, fastpath
from bansho.events.errors import MalformedEvent, MalformedJson
from bansho.events.event import ATTRIBUTE_BYTES, ATTRIBUTES, LARGEST_SERIAL, LAST_SECOND, MESSAGE_BYTES, SEVERITIES
from bansho.events.fastpath import PLAIN_VALUES, PlainEvent

USUAL = {
    "id": "1F00",
    "severity": "Error",
    "message": 'disk "data" of größe is 95 % full\n\ttwice',
    "occurred_at": 1795337400.25,
    "source_server": "web1",
    "source_serial": 1795337400250113,
    "attributes": {"PRODUCT_NAME": "/MY/DISKWATCH", "OBJECT_NAME": "/dätä", "OBJECT_TYPE": "x" * 200},
}

characters = st.sampled_from(["a", "Z", "0", "é", "€", "😀", " ", "\u00a0", "\n", "\x7f", "\x85", "\0", "\\"])
short = st.text(characters, max_size=4)
ids = st.sampled_from(["0", "00", "", "1F00", "3f90", "01", "G", "FFFFFFFF", "123456789", "1\n", "٣"])
numbers = st.sampled_from([0, 1, 2**32 - 1, 2**32, -1, 1.0, 1.5, "7", None])
texts = st.sampled_from([None, "", "web1", "größe", "a b", "\u00a0", "s" * 255, "s" * 256, "é" * 255, 7]) | short
serials = st.sampled_from([None, 0, 1, LARGEST_SERIAL, LARGEST_SERIAL + 1, "1", True])
times = st.sampled_from([None, 0, -1, 1.5, LAST_SECOND, LAST_SECOND + 1, 1e300, "now"])
severities = st.sampled_from([None, *SEVERITIES, "error", "", 1])
lengths = st.sampled_from([255, 256, MESSAGE_BYTES // 3, MESSAGE_BYTES // 2, MESSAGE_BYTES, MESSAGE_BYTES + 1])
messages = short | st.builds(lambda one, length: one * length, characters, lengths) | st.none()
names = st.sampled_from(
    ["A", "PRODUCT_NAME", "SEVERITY", "a", "", "A-B", "_A", "1A", "A\n", "A" * 32, "A" * 33, "SEVERITY2"]
)
sizes = st.sampled_from(
    [0, 17, PLAIN_VALUES, PLAIN_VALUES + 1, ATTRIBUTE_BYTES // 2, ATTRIBUTE_BYTES - 1, ATTRIBUTE_BYTES]
)
values = short | severities | st.builds(lambda one, size: one * size, characters, sizes)
many = st.builds(
    lambda count, size, one: {f"A{n:031}": one * size for n in range(count)},
    st.sampled_from([3, ATTRIBUTES - 1, ATTRIBUTES, ATTRIBUTES + 1]),
    st.sampled_from([0, 16, 17, 18, 68]),
    characters,
)
attributes = st.dictionaries(names, values, max_size=3) | many | st.none()
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "id": ids, "id_extended": ids, "reason": numbers, "process_id": numbers, "user_id": numbers, "group_id": numbers,
    "user_name": texts, "group_name": texts, "destination_server": texts, "source_address": texts,
    "severity": severities, "message": messages, "attributes": attributes, "occurred_at": times,
    "source_server": texts, "source_serial": serials, "serial": numbers, "arrived_at": times, "massage": short,
}  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """The usual event with at most two members that may be anything, or left out; seldom something else."""
    document: dict[str, Any] = dict(USUAL)
    for name in draw(st.lists(st.sampled_from(list(MEMBERS)), max_size=2)):
        document.pop(name, None)
        if draw(st.integers(0, 5)):
            document[name] = draw(MEMBERS[name])
    return document if draw(st.integers(0, 20)) else draw(st.sampled_from([[], None, 1, "x"]))


def outcome(decode_many: Callable[[bytes], Sequence[msgspec.Struct]], data: bytes) -> Any:
    """The events as plain data, or what is said."""
    try:
        return [msgspec.to_builtins(event) for event in decode_many(data)]
    except (MalformedEvent, MalformedJson) as error:
        return type(error), str(error)


@given(st.lists(documents(), max_size=4), st.booleans())
def test_every_batch_has_the_outcome_that_event_gives_it(batch: list[Any], escaped: bool) -> None:
    data = json.dumps(batch, ensure_ascii=escaped).encode()
    assert outcome(fastpath.decode_many, data) == outcome(event.decode_many, data)


EDGES: list[dict[str, Any]] = [
    {"message": "x\0"},
    {"message": "😀" * 256},
    {"message": "x" * (MESSAGE_BYTES + 1)},
    {"attributes": {"SEVERITY": "Alert"}},
    {"attributes": {"A" * 33: ""}},
    {"attributes": {"A": "😀" * 2500}},
    {"attributes": {f"A{n:031}": "😀" * (17 + (n == 0)) for n in range(ATTRIBUTES)}},
    {"attributes": {f"A{n}": "" for n in range(ATTRIBUTES + 1)}},
    {"source_server": None},
    {"source_server": "a\x7f"},
    {"id": "01"},
    {"id_extended": "a"},
]


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: str(edge)[:40])
def test_what_may_look_plain_has_the_outcome_that_event_gives_it(edge: dict[str, Any]) -> None:
    data = json.dumps([USUAL, USUAL | edge]).encode()
    assert outcome(fastpath.decode_many, data) == outcome(event.decode_many, data)


@pytest.mark.parametrize("name", MEMBERS)
@given(data=st.data())
def test_every_member_has_the_outcome_that_event_gives_it(name: str, data: st.DataObject) -> None:
    document = USUAL | {name: data.draw(MEMBERS[name])}
    if name in ("source_server", "source_serial") and data.draw(st.booleans()):
        del document["source_serial" if name == "source_server" else "source_server"]
    body = json.dumps([document]).encode()
    assert outcome(fastpath.decode_many, body) == outcome(event.decode_many, body)


@given(
    st.binary(max_size=60)
    | st.text('[]{}",:\\u0aA1.e- \x00\ud800', max_size=60).map(lambda text: text.encode(errors="surrogatepass"))
)
@example(b"[" * 100_000)
@example(b'[{"message": "\xff"}]')
@example(b'[{"message": "\\ud800"}]')
@example(b'[{"message": "\x00"}]')
@example(b"[] []")
def test_any_bytes_have_the_outcome_that_event_gives_them(data: bytes) -> None:
    assert outcome(fastpath.decode_many, data) == outcome(event.decode_many, data)


@pytest.mark.parametrize("escaped", [False, True])
def test_usual_events_are_not_doubted(escaped: bool) -> None:
    batch = [USUAL, {}, {"source_server": "größe", "source_serial": 1, "message": "x" * MESSAGE_BYTES}]
    found = fastpath.decode_many(json.dumps(batch, ensure_ascii=escaped).encode())
    assert [type(event) for event in found] == [PlainEvent] * 3
