"""What the console asks the IM database. It only reads; its connections cannot write."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import psycopg
import psycopg_pool
from psycopg import sql
from psycopg.rows import class_row

from bansho.events.event import StoredEvent
from bansho.manager.errors import DatabaseAway, QueryTooLong
from bansho.manager.filters import NO_SEVERITY, Filter

LONGEST = 8
"""Seconds that one query may take."""
PATIENCE = 1.5
"""Seconds that a request waits for a connection."""
CONNECTIONS = 8

EVENT = sql.SQL(
    "SELECT serial, id, id_extended, reason, process_id, user_id, group_id, user_name, group_name,"
    " extract(epoch FROM occurred_at)::float8 AS occurred_at, extract(epoch FROM arrived_at)::float8 AS arrived_at,"
    " source_server, source_serial, destination_server, source_address, severity, message, attributes FROM event"
)
HIGH_WATER = sql.SQL("SELECT high_water FROM intake")

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.UndefinedTable,  # created, and not migrated yet
    psycopg_pool.PoolTimeout,
    psycopg_pool.TooManyRequests,
)

Connection = psycopg.AsyncConnection[Any]
Pool = psycopg_pool.AsyncConnectionPool[Connection]


class Figures(NamedTuple):
    """How much the IM database holds."""

    size: int
    """Bytes on the disk."""
    high_water: int
    """The last serial taken over from Base."""


def pool(conninfo: str) -> Pool:
    """The console's connections, not open yet. One that broke is replaced when the next request needs it."""
    return psycopg_pool.AsyncConnectionPool(
        conninfo,
        open=False,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=PATIENCE,
        reconnect_timeout=PATIENCE,
        max_waiting=CONNECTIONS * 8,
        kwargs={"autocommit": True},
        configure=_configure,
        check=psycopg_pool.AsyncConnectionPool.check_connection,
    )


async def _configure(connection: Connection) -> None:
    await connection.execute(f"SET statement_timeout = '{LONGEST}s'; SET default_transaction_read_only = on")


@contextlib.asynccontextmanager
async def connected(connections: Pool) -> AsyncIterator[Connection]:
    """A connection for a moment. Raises DatabaseAway or QueryTooLong in the place of psycopg's errors."""
    try:
        async with connections.connection() as connection:
            yield connection
    except psycopg.errors.QueryCanceled:
        raise QueryTooLong(seconds=LONGEST) from None
    except AWAY as error:
        raise DatabaseAway from error


async def newest(
    connections: Pool,
    wanted: Filter,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
) -> list[StoredEvent]:
    """The newest events that pass, newest first, with serials between `after` and `before`, both left out themselves.

    Raises DatabaseAway or QueryTooLong.
    """
    conditions, values = _conditions(wanted, before, after)
    where = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
    query = EVENT + where + sql.SQL(" ORDER BY serial DESC LIMIT %s")
    async with connected(connections) as connection, connection.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return await (await cursor.execute(query, [*values, limit])).fetchall()


async def event(connections: Pool, serial: int) -> StoredEvent | None:
    """The event of a serial. Raises DatabaseAway or QueryTooLong."""
    async with connected(connections) as connection, connection.cursor(row_factory=class_row(StoredEvent)) as cursor:
        return await (await cursor.execute(EVENT + sql.SQL(" WHERE serial = %s"), [serial])).fetchone()


async def figures(connections: Pool) -> Figures:
    """Size and high-water mark. Raises DatabaseAway or QueryTooLong."""
    query = sql.SQL("SELECT pg_database_size(current_database()), high_water FROM intake")
    async with connected(connections) as connection:
        row = await (await connection.execute(query)).fetchone()
    return Figures(*row) if row else Figures(0, 0)


def _conditions(wanted: Filter, before: int | None, after: int | None) -> tuple[list[sql.SQL], list[object]]:
    named = [each for each in wanted.severities if each != NO_SEVERITY]
    unnamed = NO_SEVERITY in wanted.severities
    given: list[tuple[bool, sql.SQL, object]] = [
        (before is not None, sql.SQL("serial < %s"), before),
        (after is not None, sql.SQL("serial > %s"), after),
        (bool(named) and not unnamed, sql.SQL("severity = ANY(%s)"), named),
        (unnamed, sql.SQL("(severity = ANY(%s) OR severity IS NULL)"), named),
        (bool(wanted.source), sql.SQL("source_server = %s"), wanted.source),
        (bool(wanted.text), sql.SQL("message ILIKE %s"), f"%{_literally(wanted.text)}%"),
    ]
    return [text for use, text, _ in given if use], [value for use, _, value in given if use]


def _literally(text: str) -> str:
    """The text as a LIKE pattern that stands for itself."""
    return text.translate({ord(each): f"\\{each}" for each in "\\%_"})
