"""Events as rows, and the one transaction that writes them, against a real PostgreSQL of either version."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import class_row
from tests.database.imdb import NEWEST, Server, running, short_folder
from tests.manager.base_server import NOON, event

from bansho.database import programs
from bansho.events.event import LAST_SECOND, SEVERITIES, StoredEvent
from bansho.manager import intake, rows

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
numbers = st.none() | st.integers(0, 2**32 - 1)
names = st.none() | texts
members = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["0", "3F90", "FFFFFFFF"]),
        "id_extended": st.sampled_from(["0", "1"]),
        "reason": st.integers(1, 4),
        "process_id": numbers,
        "user_id": numbers,
        "group_id": numbers,
        "user_name": names,
        "group_name": names,
        "occurred_at": st.floats(0, LAST_SECOND),
        "arrived_at": st.floats(NOON, NOON + 3 * 86400),
        "source_server": texts,
        "source_serial": st.integers(1, 2**53 - 1),
        "destination_server": names,
        "source_address": names,
        "severity": st.none() | st.sampled_from(SEVERITIES),
        "message": texts,
        "attributes": st.dictionaries(texts, texts, max_size=3),
    }
)
AWKWARD = ["\\N", "\\.", "tab\there", "line\nbreak\r", "back\\slash", '"quoted"', "'", "é漢😀", ""]


@pytest.fixture(scope="module", params=NEWEST, ids=lambda folder: f"pg{programs.major_version(folder)}")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with short_folder() as folder, running(folder, request.param) as server:
        yield server


def take_in(server: Server, events: list[StoredEvent]) -> None:
    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(server.conninfo, autocommit=True) as connection:
            await connection.execute("truncate event; update intake set high_water = 0; update ownership set epoch = 1")
            assert await intake.take_in(connection, "watch", 1, 0, events) == len(events)

    asyncio.run(work())


def read_back(server: Server) -> list[StoredEvent]:
    columns = ", ".join(
        f"extract(epoch from {name})::float8 as {name}" if name in rows.TIMES else name for name in rows.COLUMNS
    )
    with (
        psycopg.connect(server.conninfo) as connection,
        connection.cursor(row_factory=class_row(StoredEvent)) as cursor,
    ):
        return cursor.execute(f"select {columns} from event order by serial".encode()).fetchall()


def assert_same(found: StoredEvent, given: StoredEvent) -> None:
    for name in rows.COLUMNS:
        expected = pytest.approx(getattr(given, name), abs=1e-4) if name in rows.TIMES else getattr(given, name)
        assert getattr(found, name) == expected, name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(members, min_size=1, max_size=8))
def test_every_event_comes_back_as_it_was(server: Server, given: list[dict[str, Any]]) -> None:
    events = [event(serial, **each) for serial, each in enumerate(given, 1)]
    take_in(server, events)
    for found, expected in zip(read_back(server), events, strict=True):
        assert_same(found, expected)


def test_text_that_copy_could_misread_comes_back_as_it_was(server: Server) -> None:
    events = [event(n, message=text, user_name=text, attributes={"A": text}) for n, text in enumerate(AWKWARD, 1)]
    take_in(server, events)
    assert [(found.message, found.user_name, found.attributes) for found in read_back(server)] == [
        (text, text, {"A": text}) for text in AWKWARD
    ]


def test_the_columns_are_the_tables(server: Server) -> None:
    query = "select attname from pg_attribute where attrelid = 'event'::regclass and attnum > 0"
    with psycopg.connect(server.conninfo) as connection:
        assert {name for (name,) in connection.execute(query).fetchall()} == set(rows.COLUMNS)


def test_days_are_of_utc_each_once() -> None:
    events = [event(1, arrived_at=NOON), event(2, arrived_at=NOON + 43199.9), event(3, arrived_at=NOON + 43200)]
    assert [str(day) for day in rows.days(events)] == ["2026-11-22", "2026-11-23"]


def test_the_next_owner_waits_for_what_the_old_one_has_under_way(server: Server) -> None:
    async def work() -> None:
        old, new = [await psycopg.AsyncConnection.connect(server.conninfo, autocommit=True) for _ in range(2)]
        async with old, new:
            await old.execute("update ownership set epoch = 4")
            await new.execute("set lock_timeout = '200ms'")
            async with old.transaction():
                await intake.check_owner(old, 4)
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    await intake.take_over(new, 5, "successor")
            await intake.take_over(new, 5, "successor")
            with pytest.raises(intake.DatabaseOwned, match="successor"):
                await intake.take_in(old, "watch", 4, 0, [event(1)])

    asyncio.run(work())


def test_a_batch_that_fails_halfway_leaves_nothing(server: Server) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        take_in(server, [event(1), event(2), event(2)])
    assert read_back(server) == []
    with psycopg.connect(server.conninfo) as connection:
        assert connection.execute("select high_water from intake").fetchone() == (0,)
