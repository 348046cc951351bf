"""What one running console holds: its logical host, its connections, who may come in, and what it counts."""

from asyncio import TaskGroup
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from starlette.requests import HTTPConnection

from bansho.database.connection import conninfo
from bansho.logicalhost.definition import LogicalHost
from bansho.manager import accounts, queries, rendering, sessions
from bansho.manager.authentication import Authentication
from bansho.manager.live import Feed, Streams
from bansho.manager.metrics import Metrics
from bansho.manager.overview import Overview, base_client


class Console(NamedTuple):
    """The parts of a console; each lives as long as the process."""

    host: LogicalHost
    connections: queries.Pool
    feed: Feed
    streams: Streams
    authentication: Authentication
    overview: Overview
    metrics: Metrics


def of(request: HTTPConnection) -> Console:
    """The console that a request came to."""
    console: Console = request.app.state.console
    return console


@asynccontextmanager
async def opened(host: LogicalHost) -> AsyncIterator[Console]:
    """A console that follows the IM database, whether that answers yet or not. Raises SessionKeyAbsent."""
    key = sessions.read_key(accounts.session_key_file(host.shared), host.name)
    authentication = Authentication(accounts.Directory(host.shared), sessions.Sessions(key))
    feed, connections = Feed(conninfo(host)), queries.pool(conninfo(host))
    streams = Streams(feed, connections, rendering.rows)
    async with connections, base_client(host) as base, TaskGroup() as tasks:
        following = tasks.create_task(feed.run())
        overview = Overview(host, connections, base)
        yield Console(host, connections, feed, streams, authentication, overview, Metrics(feed, streams))
        following.cancel()
