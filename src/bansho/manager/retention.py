"""What the IM database no longer keeps: whole days, each a partition, so that nothing is searched and nothing shrinks.

Dropping one shuts readers out for an instant. It does not wait for them: it gives up and comes again.
"""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from psycopg import AsyncConnection, errors, sql

from bansho.manager import intake

PATIENCE = "200ms"
"""For readers under way. While it waits, new readers wait behind it."""
OLD_DAYS = """
select relname from pg_class join pg_inherits on inhrelid = pg_class.oid
where inhparent = 'event'::regclass and relname < %s order by relname limit %s
"""
DAYS_AT_ONCE = 7
"""So that a clock that is set wrong, far ahead, does not cost everything before somebody sees it."""


def first_kept(today: date, keep_days: int) -> date:
    """The oldest day on which an event may have arrived that has not been kept for `keep_days` whole days yet."""
    return today - timedelta(days=keep_days)


class Retention:
    """Lets days go, once a day."""

    def __init__(self, keep_days: int) -> None:
        self._keep_days = keep_days
        self._done: date | None = None

    async def look(self, connection: AsyncConnection[Any], epoch: int, today: date) -> None:
        """Drops what is too old on `today`, unless that was done; a day that is being read goes at a later look.

        `connection` is in autocommit mode. Raises DatabaseOwned or psycopg.Error.
        """
        if today == self._done:
            return
        with suppress(errors.LockNotAvailable):
            await drop_before(connection, epoch, first_kept(today, self._keep_days))
            self._done = today


async def drop_before(connection: AsyncConnection[Any], epoch: int, day: date) -> list[str]:
    """Drops the partitions of the oldest days before `day`, a few at once; their names. All or none.

    Raises DatabaseOwned, or psycopg.Error: LockNotAvailable while somebody reads.
    """
    async with connection.transaction():
        await intake.check_owner(connection, epoch)
        await connection.execute(f"set local lock_timeout = '{PATIENCE}'".encode())
        found = await connection.execute(OLD_DAYS.encode(), (f"event_{day:%Y%m%d}", DAYS_AT_ONCE))
        names = [name for (name,) in await found.fetchall()]
        for name in names:
            await connection.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))
    return names
