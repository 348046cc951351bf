"""The filter: read from an address strictly, and the same in SQL as in a plain Python model."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from bansho.database.connection import conninfo
from bansho.events.event import LARGEST_SERIAL, SEVERITIES, StoredEvent
from bansho.manager import filters, queries
from bansho.manager.errors import MalformedFilter
from bansho.manager.filters import Filter, Page

SOURCES = ("alpha", "Alpha", "beta_1", "beta%1", "höhe")
WORDS = (
    "disk full",
    "Disk FULL 97%",
    "a_b",
    "aXb",
    "50% \\ done",
    "Größe ÄÖ",
    "größe äö",
    "日本語 ジョブ",
    "",
    "'; drop",
)
CORPUS = [
    {"severity": severity, "source_server": source, "message": WORDS[(row + column) % len(WORDS)]}
    for row, severity in enumerate((*SEVERITIES, None))
    for column, source in enumerate(SOURCES * 3)
]
Newest = Callable[..., list[StoredEvent]]


@pytest.fixture(scope="module")
def newest(site: Any) -> Iterator[Newest]:
    """Asks the database as the console does."""
    site.clear()
    site.arrive(*CORPUS)
    with asyncio.Runner() as runner:
        pool = queries.pool(conninfo(site.host))
        runner.run(pool.open())
        yield lambda *args, **options: runner.run(queries.newest(pool, *args, **options))
        runner.run(pool.close())


def passes(event: StoredEvent, wanted: Filter) -> bool:
    """The model: what a filter means."""
    severity = not wanted.severities or (event.severity or "none") in wanted.severities
    source = not wanted.source or event.source_server == wanted.source
    return severity and source and wanted.text.lower() in event.message.lower()


typed = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
serials = st.none() | st.integers(1, len(CORPUS) + 2) | st.just(LARGEST_SERIAL)
texts = st.just("") | st.text(st.sampled_from("diskFUL_%\\ öÄÖ日'"), max_size=4)


@settings(max_examples=300, deadline=None)
@given(
    severities=st.lists(st.sampled_from(filters.SEVERITY_CHOICES), unique=True),
    source=st.sampled_from(("", "nowhere", *SOURCES)),
    text=texts,
    before=serials,
    after=serials,
    limit=st.integers(1, filters.ROWS + 1),
)
def test_the_query_is_the_model(
    newest: Newest,
    severities: list[str],
    source: str,
    text: str,
    before: int | None,
    after: int | None,
    limit: int,
) -> None:
    wanted = Filter(tuple(severities), source, text)
    everything = newest(Filter(), limit=len(CORPUS) + 1)
    model = [
        event
        for event in everything
        if passes(event, wanted)
        and (before is None or event.serial < before)
        and (after is None or event.serial > after)
    ]
    assert newest(wanted, limit=limit, before=before, after=after) == model[:limit]


def test_an_event_comes_out_as_it_went_in(site: Any, newest: Newest) -> None:
    given = {"id": "3F90", "id_extended": "A", "reason": 4, "process_id": 2**32 - 1, "user_id": 0, "group_id": None}
    given |= {"user_name": "ann", "group_name": None, "source_serial": 77, "destination_server": "d"}
    given |= {"source_address": "192.0.2.1", "severity": None, "message": "\n\t ü", "attributes": {"A": "b", "C": ""}}
    [serial] = site.arrive(given)
    [found] = newest(Filter(), limit=1, after=serial - 1)
    assert found.serial == serial
    assert {name: getattr(found, name) for name in given} == given
    assert isinstance(found.arrived_at, float)


@given(
    severities=st.lists(st.sampled_from(filters.SEVERITY_CHOICES), unique=True),
    source=typed,
    text=typed,
    before=st.none() | st.integers(1, LARGEST_SERIAL),
)
def test_a_filter_survives_its_own_address(severities: list[str], source: str, text: str, before: int | None) -> None:
    wanted = Filter(
        tuple(severities), source.encode("utf-8", "ignore").decode(), text.encode("utf-8", "ignore").decode()
    )
    address = wanted.query(before=before or "")
    assert filters.read(QueryParams(address)) == (wanted, Page(before))


def test_a_form_that_was_not_filled_in_lets_everything_through() -> None:
    assert filters.read(QueryParams("severity=&source=&text=&before=&limit=")) == (Filter(), Page())


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("severity=error", "severity='error'"),
        ("severity=Error&severity=Fatal", "severity='Fatal'"),
        ("text=" + "x" * 201, "text="),
        ("source=a%00b", "source="),
        ("before=0", "before='0'"),
        ("before=-1", "before='-1'"),
        ("before=1.5", "before='1.5'"),
        ("before=²", "before='²'"),
        ("before=9007199254740992", "before="),
        ("before=" + "9" * 5000, "before="),
        ("limit=101", "limit='101'"),
        ("limit=0", "limit='0'"),
        ("offset=10", "offset='10'"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(MalformedFilter) as refused:
        filters.read(QueryParams(query))
    assert named in str(refused.value)
    assert "expected" in str(refused.value)
    assert len(str(refused.value)) < 400


def test_another_parameter_is_let_through_where_it_has_a_meaning() -> None:
    assert filters.read(QueryParams("held=1"), beside=("held",)) == (Filter(), Page())
