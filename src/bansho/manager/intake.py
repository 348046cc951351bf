"""The event base's side of the IM database: whose it is, how far Base has been taken over, and the one transaction.

Events and the high-water mark are committed together, so a crash at any moment neither loses nor doubles an event. The
epoch is read in the same transaction, under a lock that the next owner's first write waits for: an old owner that wakes
up cannot write (CONTRACT 5).
"""

from typing import Any

from psycopg import AsyncConnection, sql

from bansho.contract.messages import BanshoError
from bansho.events.event import StoredEvent
from bansho.manager import rows

COPY = sql.SQL("copy event ({}) from stdin").format(sql.SQL(", ").join(map(sql.Identifier, rows.COLUMNS)))
CHANNEL = "event"
"""The name that listeners listen to; the payload is the high-water mark."""


class DatabaseOwned(BanshoError):
    """Raised when the IM database belongs to a later epoch than ours: another node took over.

    Action: none on this node: the logical host runs on the other one. Find out why this node was not fenced.
    """

    id = "BSHO5001-E"
    text = (
        "IM database: epoch {mine} was ours, epoch {epoch} of node {node} took over;"
        " nothing is written, and the logical host runs there"
    )


class MarkMoved(BanshoError):
    """Raised when someone else wrote events: two event bases of one owner."""

    id = "BSHO5002-E"
    text = (
        "IM database: expected events up to serial {expected} and found {found}: another event base writes;"
        " end it with: jco_killall.cluster {name}"
    )


async def take_over(connection: AsyncConnection[Any], epoch: int, node: str) -> None:
    """Makes `node` the owner, in `epoch`. Raises DatabaseOwned where a later epoch is."""
    taken = await connection.execute(
        "update ownership set epoch = %s, node = %s, since = now() where epoch <= %s", (epoch, node, epoch)
    )
    if not taken.rowcount:
        await check_owner(connection, epoch)


async def check_owner(connection: AsyncConnection[Any], mine: int) -> None:
    """Ours until the transaction ends."""
    epoch, node = await _one(connection, "select epoch, node from ownership for share")
    if epoch != mine:
        raise DatabaseOwned(mine=mine, epoch=epoch, node=node)


async def high_water(connection: AsyncConnection[Any]) -> int:
    """The serial of the last event that was taken over; 0 before the first."""
    (serial,) = await _one(connection, "select high_water from intake")
    return int(serial)


async def take_in(
    connection: AsyncConnection[Any], name: str, epoch: int, after: int, events: list[StoredEvent]
) -> int:
    """Writes `events`, which follow serial `after`, and moves the mark; returns it.

    `connection` is in autocommit mode. Raises DatabaseOwned, MarkMoved or psycopg.Error, and has written nothing then.
    """
    last = events[-1].serial
    async with connection.transaction():
        await check_owner(connection, epoch)
        moved = await connection.execute("update intake set high_water = %s where high_water = %s", (last, after))
        if not moved.rowcount:
            raise MarkMoved(name=name, expected=after, found=await high_water(connection))
        await _copy(connection, events)
        await connection.execute("select pg_notify(%s, %s)", (CHANNEL, str(last)))
    return last


async def _copy(connection: AsyncConnection[Any], events: list[StoredEvent]) -> None:
    for day in rows.days(events):
        await connection.execute("select ensure_event_day(%s)", (day,))
    async with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for event in events:
            await copy.write_row(rows.row(event))


async def _one(connection: AsyncConnection[Any], query: str) -> tuple[Any, ...]:
    row = await (await connection.execute(query.encode())).fetchone()
    return tuple(row or ())
