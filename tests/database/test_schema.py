"""Migrations, and the partitions of the events."""

import datetime
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.database.imdb import Server

from bansho.database import schema
from bansho.database.errors import MigrationChanged, SchemaNewer
from bansho.database.schema import Migration

FIRST = Migration(1, "first", "create table first (number integer); select pg_sleep(0.05)")
SECOND = Migration(2, "second", "create table second (number integer)")
numbers = count()


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """The connection string of an empty database."""
    name = f"schema_{next(numbers)}"
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield make_conninfo(server.conninfo, dbname=name)
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


def tables(conninfo: str) -> set[str]:
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("select relname from pg_class where relnamespace = 'public'::regnamespace").fetchall()
    return {name for (name,) in rows}


def test_ours_are_numbered_from_one_without_a_gap() -> None:
    assert [step.number for step in schema.migrations()] == list(range(1, len(schema.migrations()) + 1))


def test_a_folders_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("0010_ten.sql", "0002_two_things.sql", "README"):
        (tmp_path / name).write_text("select 1")
    assert schema.migrations(tmp_path) == [Migration(2, "two_things", "select 1"), Migration(10, "ten", "select 1")]


def test_each_is_applied_once(empty: str) -> None:
    assert schema.migrate(empty, [FIRST]) == [1]
    assert schema.migrate(empty, [FIRST, SECOND]) == [2]
    assert schema.migrate(empty, [FIRST, SECOND]) == []
    assert {"first", "second"} <= tables(empty)


def test_four_at_once_share_the_work(empty: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: schema.migrate(empty, [FIRST, SECOND]), range(4)))
    assert sorted(applied) == [[], [], [], [1, 2]]


def test_a_failing_one_leaves_nothing_and_what_came_before_stays(empty: str) -> None:
    broken = Migration(2, "broken", "create table half (number integer); select 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        schema.migrate(empty, [FIRST, broken])
    assert "half" not in tables(empty)
    assert schema.migrate(empty, [FIRST, SECOND]) == [2]


def test_one_that_cannot_be_recorded_is_not_applied(empty: str) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        schema.migrate(empty, [FIRST, SECOND._replace(number=1)])
    assert "second" not in tables(empty)


def test_a_changed_one_is_an_error_and_nothing_else_is_applied(empty: str) -> None:
    schema.migrate(empty, [FIRST])
    with pytest.raises(MigrationChanged, match=r"BSHO3009-E migration 1 \(first\)"):
        schema.migrate(empty, [FIRST._replace(sql="create table other ()"), SECOND])
    assert "second" not in tables(empty)


def test_a_newer_schema_is_an_error(empty: str) -> None:
    schema.migrate(empty, [FIRST, SECOND])
    with pytest.raises(SchemaNewer, match=r"BSHO3010-E .* migration 2, this bansho knows up to 1"):
        schema.migrate(empty, [FIRST])


def test_a_day_has_one_partition_however_many_ask_for_it(empty: str) -> None:
    schema.migrate(empty, schema.migrations())
    day = datetime.date(2026, 2, 28)

    def ensure(_: int) -> bool:
        with psycopg.connect(empty) as connection:
            ((made,),) = connection.execute("select ensure_event_day(%s)", (day,)).fetchall()
            return bool(made)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ensure, range(4))) == [False, False, False, True]
    assert "event_20260228" in tables(empty)


INSERT = """
insert into event (serial, id, id_extended, reason, occurred_at, arrived_at, source_server, source_serial, message,
    attributes) values (%s, '0', '0', 1, %s, %s, 'a', 1, '', '{}') returning tableoid::regclass::text
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_day_is_a_day_of_utc_to_its_last_microsecond(empty: str, zone: str) -> None:
    schema.migrate(empty, schema.migrations())
    midnight = datetime.datetime(2026, 3, 29, tzinfo=datetime.UTC)
    with psycopg.connect(empty, options=f"-c timezone={zone}") as connection:
        connection.execute("select ensure_event_day('2026-03-28'), ensure_event_day('2026-03-29')")
        for serial, offset, partition in (1, 0, "event_20260329"), (2, -1, "event_20260328"):
            moment = midnight + datetime.timedelta(microseconds=offset)
            assert connection.execute(INSERT, (serial, moment, moment)).fetchone() == (partition,)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(INSERT, (3, midnight, midnight + datetime.timedelta(days=1)))


def test_readers_of_the_events_go_on_while_a_partition_is_made(empty: str) -> None:
    schema.migrate(empty, schema.migrations())
    with psycopg.connect(empty) as writer, psycopg.connect(empty, options="-c lock_timeout=2s") as reader:
        writer.execute("select ensure_event_day('2026-01-01')")
        assert reader.execute("select count(*) from event").fetchone() == (0,)


@pytest.mark.parametrize("table", ["intake", "ownership"])
def test_one_row_is_all_there_can_be(empty: str, table: str) -> None:
    schema.migrate(empty, schema.migrations())
    for value in ("default", "false"):
        with psycopg.connect(empty) as connection, pytest.raises(psycopg.errors.IntegrityError):
            connection.execute(f"insert into {table} (single) values ({value})".encode())


def test_the_newest_events_of_a_severity_are_found_by_index(empty: str) -> None:
    schema.migrate(empty, schema.migrations())
    query = "explain select * from event where severity = 'Error' and serial < 900 order by serial desc limit 50"
    with psycopg.connect(empty) as connection:
        connection.execute("select ensure_event_day('2026-01-01'), ensure_event_day('2026-01-02')")
        connection.execute("set enable_seqscan = off")
        plan = "\n".join(line for (line,) in connection.execute(query.encode()).fetchall())
    assert "Sort Key: event.serial DESC" in plan
    assert plan.count("severity_serial_idx") == 2
    assert "  ->  Sort" not in plan
