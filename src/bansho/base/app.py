"""Base over HTTP (docs/house.md, "Base, over HTTP"): from requests to the intake and the store's reader."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bansho.base.errors import (
    STATUS,
    BadEvent,
    BadParameter,
    Busy,
    Forbidden,
    NoSuchResource,
    NotJson,
    TooLarge,
    Unauthenticated,
)
from bansho.base.intake import Intake
from bansho.base.metrics import Metrics
from bansho.base.store import Reader
from bansho.base.tokens import Scope, Tokens
from bansho.contract.messages import BanshoError
from bansho.events.errors import MalformedEvent, MalformedJson
from bansho.events.event import decode, encode
from bansho.events.fastpath import NewEvent, decode_many
from bansho.events.wire import Registrations

EVENT_BYTES = 64 * 1024
BATCH_BYTES = 8 * 1024 * 1024
BATCH_EVENTS = 1000
BATCHES_AT_ONCE = 8
"""Batches in memory at once; the others wait in their sockets."""
PAGE_EVENTS = 1000
LONGEST_WAIT = 60
HEALTH_SECONDS = 5.0
"""Within this the writer has to come round for /healthz."""

Result = TypeVar("Result")
Handler = Callable[[Request], Awaitable[Response]]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to read: at most `limit` events beyond `after`; where there is none, `wait` seconds for one."""

    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=PAGE_EVENTS)] = PAGE_EVENTS
    wait: Annotated[float, Meta(ge=0, le=LONGEST_WAIT)] = 0.0


class Guarded:
    """An endpoint behind a token's scope; an ASGI application itself, which saves a layer a request."""

    def __init__(self, allow: Callable[[Request, Scope], None], scope: Scope, handler: Handler) -> None:
        self._allow, self._scope, self._handler = allow, scope, handler

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Asks, then handles."""
        request = Request(scope, receive)
        self._allow(request, self._scope)
        response = await self._handler(request)
        await response(scope, receive, send)


class Api:
    """The endpoints. `readers` runs what waits for the disk, one at a time."""

    def __init__(
        self, host: str, intake: Intake, reader: Reader, readers: Executor, tokens: Tokens, metrics: Metrics
    ) -> None:
        self._host, self._intake, self._reader, self._readers = host, intake, reader, readers
        self._tokens, self._metrics = tokens, metrics
        self._batches = asyncio.Semaphore(BATCHES_AT_ONCE)

    def application(self) -> Starlette:
        """The routes, and every error as the house's JSON."""
        return Starlette(
            routes=[
                Route("/api/v1/events", Guarded(self._allow, "send", self.register), methods=["POST"]),
                Route("/api/v1/events/batch", Guarded(self._allow, "send", self.register_batch), methods=["POST"]),
                Route("/api/v1/events", Guarded(self._allow, "read", self.read), methods=["GET"]),
                Route("/api/v1/state", Guarded(self._allow, "read", self.state), methods=["GET"]),
                Route("/metrics", Guarded(self._allow, "read", self.metrics), methods=["GET"]),
                Route("/healthz", self.health, methods=["GET"]),
            ],
            exception_handlers={
                BanshoError: self._refused,
                HTTPException: self._no_such_resource,
                ClientDisconnect: self._gone,
            },
        )

    async def register(self, request: Request) -> Response:
        """POST /api/v1/events."""
        event = _decoded(decode, await _body(request, EVENT_BYTES))
        self._own_name_unused([event])
        answers = await self._intake.register([event])
        return _json(answers[0], 201)

    async def register_batch(self, request: Request) -> Response:
        """POST /api/v1/events/batch."""
        async with self._batches:
            events = _decoded(decode_many, await _body(request, BATCH_BYTES))
            if len(events) > BATCH_EVENTS:
                raise TooLarge(limit=BATCH_EVENTS, unit="events")
            self._own_name_unused(events)
            return _json(Registrations(await self._intake.register(events)), 201)

    async def read(self, request: Request) -> Response:
        """GET /api/v1/events."""
        query = _query(request)
        if query.wait:
            await self._intake.beyond(query.after, query.wait)
        page = await self._reading(lambda: self._reader.page(query.after, query.limit))
        return Response(page, media_type="application/json")

    async def state(self, _request: Request) -> Response:
        """GET /api/v1/state."""
        return _json(await self._reading(self._reader.state))

    async def metrics(self, _request: Request) -> Response:
        """GET /metrics."""
        return Response(
            self._metrics.text(self._intake.last, self._intake.waiting), media_type="text/plain; version=0.0.4"
        )

    async def health(self, _request: Request) -> Response:
        """GET /healthz: whether an event could be taken in."""
        try:
            self._tokens.check()
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._intake.check()
        except TimeoutError:
            return self._answered(Busy(reason=f"the writer did not come round in {HEALTH_SECONDS} seconds"), 503)
        except BanshoError as error:
            return self._answered(error, 503)
        return _json({"status": "ok"})

    def _allow(self, request: Request, scope: Scope) -> None:
        """Raises Unauthenticated or Forbidden unless the request's token has that scope."""
        given = next((value for name, value in request.scope["headers"] if name == b"authorization"), b"")
        kind, _, secret = given.decode("latin-1").partition(" ")
        token = self._tokens.find(secret) if kind.lower() == "bearer" else None
        if token is None:
            raise Unauthenticated(host=self._host)
        if token.scope != scope:
            raise Forbidden(name=token.name, scope=token.scope, needed=scope)

    def _own_name_unused(self, events: Sequence[NewEvent]) -> None:
        """Raises BadEvent for a sender that uses our own name: its serials and ours would name two events."""
        if self._host in {event.source_server for event in events}:
            raise BadEvent(problem=f"source_server: expected another name than {self._host!r}, which is our own")

    async def _reading(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._readers, function)

    async def _refused(self, _request: Request, error: Exception) -> Response:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 503)
        return self._answered(error, status)

    async def _no_such_resource(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        named = NoSuchResource(method=request.method, path=request.url.path, reason=error.detail)
        return self._answered(named, error.status_code)

    def _answered(self, error: Exception, status: int) -> Response:
        self._metrics.refused(status)
        return _json({"error": str(error)}, status)

    async def _gone(self, _request: Request, _error: Exception) -> Response:
        return Response(status_code=400)


async def _body(request: Request, limit: int) -> bytes:
    """The body, of at most `limit` bytes, counted while it comes in. Raises TooLarge."""
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise TooLarge(limit=limit, unit="bytes")
    return body


def _decoded(decoder: Callable[[bytes], Result], body: bytes) -> Result:
    try:
        return decoder(body)
    except MalformedJson as error:
        raise NotJson(reason=error) from None
    except MalformedEvent as error:
        raise BadEvent(problem=error) from None


def _query(request: Request) -> Query:
    try:
        return msgspec.convert(dict(request.query_params), Query, strict=False)
    except msgspec.ValidationError as error:
        raise BadParameter(problem=error) from None


def _json(document: object, status: int = 200) -> Response:
    return Response(encode(document), status, media_type="application/json")
