"""The service `event-base`: takes events over from Base into the IM database, each exactly once, in order.

It is ready once the IM database is its own and Base was tried: Base comes first (CONTRACT 2), and may be restarting.
While Base is away it waits and says so. Without the IM database it ends: that is a failure of its own, already told.
"""

import asyncio
import os
import signal
import time
from typing import Any

import psycopg

from bansho.contract.messages import BanshoError
from bansho.database.connection import conninfo
from bansho.logicalhost import definition, node
from bansho.logicalhost.definition import LogicalHost
from bansho.manager import intake, rows
from bansho.manager.pull import BaseAway, Source
from bansho.manager.retention import Retention
from bansho.process.notify import give_up, notify, watchdog_interval

WAIT = 20.0
"""Seconds for which Base may hold a question back until there is an event; less where we have to beat in between."""
SIGN = 1.0
"""Seconds between two signs of life while all is the same."""
PAUSES = (0.05, 0.1, 0.2, 0.5)
"""Seconds before Base is tried again, the last one again and again."""


class DatabaseLost(BanshoError):
    """Raised when the IM database cannot be connected to, breaks the connection, or fails a statement.

    Action: look into the log of the service imdb; the cluster restarts the suite or fails over.
    """

    id = "BSHO5008-E"
    text = "logical host {name}: IM database: {reason}; what was not committed is taken over again after a restart"


class EpochUnknown(BanshoError):
    """Raised when the event base is started without the lease's epoch."""

    id = "BSHO5009-E"
    text = "BANSHO_EPOCH={value!r}: expected the lease's epoch; the process manager sets it, start the suite instead"


def epoch() -> int:
    """The epoch that we were started in. Raises EpochUnknown."""
    value = os.environ.get("BANSHO_EPOCH", "")
    if not (value.isascii() and value.isdigit()):
        raise EpochUnknown(value=value)
    return int(value)


class Sign:
    """Tells the process manager how it goes: when that changes, and every second as a sign of life; not every batch."""

    def __init__(self) -> None:
        self._status, self._given = "", 0.0

    def give(self, status: str) -> None:
        """Reports ready, alive and `status`, if that is news."""
        now = time.monotonic()
        if status != self._status or now - self._given >= SIGN:
            self._status, self._given = status, now
            notify("READY=1", "WATCHDOG=1", f"STATUS={status}")


async def serve(host: LogicalHost, mine: int) -> None:
    """Takes events over until it is cancelled. Raises DatabaseLost and the errors of `intake` and `pull`."""
    try:
        async with (
            await psycopg.AsyncConnection.connect(conninfo(host), autocommit=True) as connection,
            Source(host) as source,
        ):
            await intake.take_over(connection, mine, node.identity().node)
            await _pump(host, mine, connection, source)
    except psycopg.Error as error:
        raise DatabaseLost(name=host.name, reason=str(error).strip() or type(error).__name__) from None


async def _pump(host: LogicalHost, mine: int, connection: psycopg.AsyncConnection[Any], source: Source) -> None:
    """Each turn ends within the watchdog's interval, or hangs and does not beat."""
    after = await intake.high_water(connection)
    wait = min(WAIT, (watchdog_interval() or WAIT) / 2)
    failures = 0
    checked = False
    sign = Sign()
    retention = Retention(host.events.keep_days)
    while True:
        try:
            if not checked:
                await source.check(after)
            page = await source.after(after, wait if checked else 0)
            failures, checked = 0, True
        except BaseAway as away:
            sign.give(f"waiting for Base: {away}")
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures, checked = failures + 1, False
            continue
        if page.events:
            after = await intake.take_in(connection, host.name, mine, after, page.events)
            await retention.look(connection, mine, rows.days(page.events[-1:])[0])
        sign.give("takes events over")


async def _until_told(host: LogicalHost, mine: int) -> None:
    """SIGTERM and SIGINT end it at once: what is under way is rolled back, and taken over after the next start."""
    work = asyncio.ensure_future(serve(host, mine))
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, work.cancel)
    await asyncio.wait({work})
    notify("STOPPING=1")
    if not work.cancelled():
        work.result()


def main() -> None:
    """The service. Exit status 0 when told to end, 1 otherwise, with one line that says why."""
    try:
        asyncio.run(_until_told(definition.load(os.environ.get("BANSHO_HOST", "")), epoch()))
    except BanshoError as error:
        give_up(error)


if __name__ == "__main__":
    main()
