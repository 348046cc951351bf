"""What every request passes on its way in and every answer on its way out: who is it, and how may a browser use it."""

import time
from email.utils import formatdate

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bansho.manager import pages, sessions
from bansho.manager.authentication import Authentication, Identity
from bansho.manager.console import of
from bansho.manager.errors import NotLoggedIn

OPEN = ("/login", "/healthz", "/static/")
"""What a stranger may ask for; everything else needs an account, so a new page is closed until it is listed here."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """Lets in who has an account; keeps a used session alive. Raises NotLoggedIn, WrongPassword, TooManyFailures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        identity = await identify(of(request).authentication, request)
        if identity is None and not scope["path"].startswith(OPEN):
            raise NotLoggedIn
        scope["user"] = identity
        await self._app(scope, receive, _renewing(request, identity, send))


async def identify(authentication: Authentication, request: Request) -> Identity | None:
    """Who sends the request, None for a stranger. Raises NotLoggedIn, WrongPassword or TooManyFailures."""
    if header := request.headers.get("Authorization"):
        return await authentication.by_basic(header, pages.address_of(request))
    cookie = request.cookies.get(sessions.COOKIE)
    return authentication.by_cookie(cookie) if cookie else None


def _renewing(request: Request, identity: Identity | None, send: Send) -> Send:
    session = identity.session if identity else None
    renewed = of(request).authentication.sessions.renewed(session) if session else None
    if renewed is None:
        return send

    async def send_renewed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "set-cookie" not in headers:  # a log-out must not be undone
                headers.append("set-cookie", pages.session_cookie(request, renewed))
        await send(message)

    return send_renewed


class Watch:
    """Counts every answer, and puts on each the headers that tell a browser what it may do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update({**HEADERS, "Date": formatdate(usegmt=True)})
                _count(scope, message["status"], time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, send_counted)


def _count(scope: Scope, status: int, seconds: float) -> None:
    metrics = scope["app"].state.console.metrics
    endpoint = getattr(scope.get("endpoint"), "__name__", "other")
    metrics.requests.labels(endpoint, str(status)).inc()
    metrics.seconds.labels(endpoint).observe(seconds)
