"""New events as they arrive: one connection listens for the whole console, and each open page has a stream.

The notification says only how far the IM database has come (its high-water mark); a stream then reads what its own
filter lets through. A stream's place is a serial, which the browser gives back as Last-Event-ID: whichever console it
comes back to goes on there, so nothing is missed and nothing comes twice.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import psycopg
import structlog
from sse_starlette import ServerSentEvent
from starlette.responses import StreamingResponse
from starlette.types import Send

from bansho.events.event import StoredEvent
from bansho.manager import queries
from bansho.manager.errors import ConsoleError
from bansho.manager.filters import ROWS, Filter

CHANNEL = "event"
RECONNECT = 0.5
"""Seconds between attempts to listen again."""
DRAIN = 0.01
"""Seconds to read what has come, before waiting for more."""
BEAT = 5.0
"""Seconds after which a quiet stream shows that it lives: a browser hears nothing of a server that lost its power."""
SILENCE = 12.0
"""Seconds after which a browser that heard nothing counts a stream as dead: two beats, and some."""
GATHER = 0.25
"""A stream speaks at most once in this time: a burst becomes one message."""
LIFE = 600.0
"""A stream ends after this many seconds; the browser comes back, and its session counts as used."""

LOOK = 1.0
"""Seconds from one look at the logical host to the next, while its page is open."""
SEND = 2 * BEAT
"""Seconds for a browser to take a message; then it is gone."""

log = structlog.get_logger()


class EventStream(StreamingResponse):
    """Server-sent events that cost nothing while there are none.

    sse-starlette's own response looks twice a second, from the first stream on for ever, whether the server is to end;
    ours is told (`Streams.end`).
    """

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncGenerator[ServerSentEvent, None]) -> None:
        super().__init__((), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._messages = messages

    async def stream_response(self, send: Send) -> None:
        """Sends what comes, until it ends or the browser takes no more."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self._messages) as messages:
                async for message in messages:
                    async with asyncio.timeout(SEND):
                        await send({"type": "http.response.body", "body": message.encode(), "more_body": True})
        except TimeoutError:
            log.info("a page took nothing any more", seconds=SEND)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Feed:
    """How far the IM database has come, followed by one listening connection."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._changed = asyncio.Event()
        self.version = 0
        """Grows with each change of what follows."""
        self.high_water = 0
        self.connected = False

    async def run(self) -> None:
        """Listens for ever, and connects again where the connection breaks."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                if self.connected:
                    log.warning("IM database away", reason=str(error).strip())
            self._tell(connected=False)
            await asyncio.sleep(RECONNECT)

    @property
    def state(self) -> str:
        """`live`, or `away` while the IM database gives no connection."""
        return "live" if self.connected else "away"

    async def wait(self, seen: int, seconds: float) -> None:
        """Returns once `version` is another one than `seen`, or when the time has passed."""
        try:
            async with asyncio.timeout(seconds):
                while self.version == seen:
                    await self._changed.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            row = await (await connection.execute(queries.HIGH_WATER)).fetchone()
            self._tell(connected=True, high_water=row[0] if row else 0)
            while True:
                async for notification in connection.notifies(timeout=DRAIN):
                    self._tell(connected=True, high_water=_serial(notification.payload))
                await _readable(connection.fileno())

    def _tell(self, *, connected: bool, high_water: int = 0) -> None:
        self.connected = connected
        self.high_water = max(self.high_water, high_water)
        self.wake()

    def wake(self) -> None:
        """Lets everyone who waits look again."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()


async def _readable(descriptor: int) -> None:
    """Returns when there is something to read. psycopg itself would look ten times a second."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def _serial(payload: str) -> int:
    return int(payload) if payload.isascii() and payload.isdecimal() else 0


class Streams:
    """Makes the streams of all open pages."""

    def __init__(self, feed: Feed, connections: queries.Pool, render: Callable[[list[StoredEvent]], str]) -> None:
        self._feed, self._connections, self._render = feed, connections, render
        self.open = 0
        self._ended = False

    def end(self) -> None:
        """Ends all streams in order; their browsers come back to whoever serves next."""
        self._ended = True
        self._feed.wake()

    async def events(
        self, wanted: Filter, last: int, permitted: Callable[[], bool]
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """The messages of one stream that saw all events up to the serial `last`, until it is not permitted any more.

        A message with data holds the rows of new events, newest first; its id is the serial up to which the stream
        now has seen all. A message named `state` says `live` or `away`, of the IM database, at least every BEAT.
        """
        goes_on = self._until_its_end(permitted)
        self.open += 1
        try:
            while goes_on():
                seen = self._feed.version
                yield ServerSentEvent(event="state", data=self._feed.state)
                if self._feed.high_water > last and (message := await self._news(wanted, last)):
                    yield message
                    last = int(message.id or last)
                    await asyncio.sleep(GATHER)
                else:
                    await self._feed.wait(seen, BEAT)
        finally:
            self.open -= 1

    async def host(
        self, look: Callable[[], Awaitable[str]], permitted: Callable[[], bool]
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """The messages of one stream that shows the logical host: all of it, whenever it looks different.

        A message named `state` as in `events` goes before, at least every BEAT.
        """
        goes_on = self._until_its_end(permitted)
        shown, spoke = "", -BEAT
        self.open += 1
        try:
            while goes_on():
                text = await look()
                if text != shown or time.monotonic() - spoke >= BEAT:
                    spoke = time.monotonic()
                    yield ServerSentEvent(event="state", data=self._feed.state)
                if text != shown:
                    shown = text
                    yield ServerSentEvent(data=text)
                await asyncio.sleep(LOOK)
        finally:
            self.open -= 1

    def _until_its_end(self, permitted: Callable[[], bool]) -> Callable[[], bool]:
        """Whether a stream that begins now may go on."""
        end = time.monotonic() + LIFE
        return lambda: permitted() and not self._ended and time.monotonic() < end

    async def _news(self, wanted: Filter, last: int) -> ServerSentEvent | None:
        high_water = self._feed.high_water
        try:
            found = await queries.newest(self._connections, wanted, limit=ROWS, after=last, before=high_water + 1)
        except ConsoleError:
            return None
        return ServerSentEvent(id=str(high_water), data=self._render(found) if found else None)
