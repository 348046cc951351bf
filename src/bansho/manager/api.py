"""The JSON API: the same events, filters and host as the pages, for programs."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bansho.events.event import LARGEST_SERIAL, StoredEvent
from bansho.manager import filters, openapi, queries
from bansho.manager.console import Console, of
from bansho.manager.errors import UnknownEvent
from bansho.manager.filters import Filter, Page
from bansho.manager.openapi import EventList, Health

encode = msgspec.json.Encoder().encode


def answer(content: object, status: int = 200) -> Response:
    """The content as JSON."""
    return Response(encode(content), status, {"Cache-Control": "no-store"}, "application/json")


async def page_of_events(console: Console, wanted: Filter, page: Page) -> EventList:
    """One page, and where the next begins. Raises DatabaseAway or QueryTooLong."""
    found = await queries.newest(console.connections, wanted, limit=page.limit + 1, before=page.before)
    events = found[: page.limit]
    return EventList(events, events[-1].serial if len(found) > page.limit else None)


async def event_of(request: Request) -> StoredEvent:
    """The event whose serial stands in the path. Raises UnknownEvent, DatabaseAway or QueryTooLong."""
    serial: int = request.path_params["serial"]
    found = None
    if 1 <= serial <= LARGEST_SERIAL:
        found = await queries.event(of(request).connections, serial)
    if found is None:
        raise UnknownEvent(serial=serial)
    return found


async def events(request: Request) -> Response:
    """A page of events."""
    return answer(await page_of_events(of(request), *filters.read(request.query_params)))


async def event(request: Request) -> Response:
    """One event."""
    return answer(await event_of(request))


async def host(request: Request) -> Response:
    """The logical host."""
    return answer(await of(request).overview.view())


async def description(request: Request) -> Response:  # noqa: ARG001 - an endpoint's signature
    """What this API is."""
    return answer(openapi.document())


async def health(request: Request) -> Response:
    """Whether the console answers; it does without the database, too."""
    return answer(Health("ok", of(request).feed.state))


ROUTES = [
    Route("/api/v1/events", events),
    Route("/api/v1/events/{serial:int}", event),
    Route("/api/v1/host", host),
    Route("/api/v1/openapi.json", description),
    Route("/healthz", health),
]
