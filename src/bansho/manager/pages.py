"""The pages for people. Each works without a script: links and plain forms; htmx only makes them live."""

import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from bansho import __version__
from bansho.events.event import LARGEST_SERIAL
from bansho.manager import api, filters, live, rendering, sessions
from bansho.manager.authentication import Identity
from bansho.manager.console import of
from bansho.manager.errors import ForgedForm, RequestTooLarge, TooManyFailures, WrongPassword
from bansho.manager.metrics import CONTENT_TYPE
from bansho.manager.sessions import Session

FORM_BYTES = 8192
FORM_SECONDS = 3600
"""How long a log-in form may lie open."""

SILENCE = int(live.SILENCE * 1000)

OWN_PATH = re.compile(r"/(?!/)[!-\[\]-~]*", re.ASCII)
"""One slash, then printable ASCII without blanks and backslashes: browsers drop or turn those."""

log = structlog.get_logger()


def _context(request: Request) -> dict[str, Any]:
    identity: Identity | None = request.scope.get("user")
    session = identity.session if identity else None
    token = of(request).authentication.sessions.token(session.nonce) if session else ""
    host = of(request).host
    return {"identity": identity, "token": token, "host_name": host.name, "path": request.url.path, "v": __version__}


TEMPLATES = Jinja2Templates(env=rendering.ENVIRONMENT, context_processors=[_context])


def page(request: Request, template: str, status: int, facts: dict[str, Any]) -> Response:
    """The template, filled; never kept by a browser or proxy."""
    return TEMPLATES.TemplateResponse(request, template, facts, status, {"Cache-Control": "no-store"})


async def events(request: Request) -> Response:
    """The list of events: the newest, live; or an older page, or a held one, standing still."""
    console, query = of(request), request.query_params
    wanted, place = filters.read(query, beside=("held",))
    seen = console.feed.high_water  # before the query: what the stream sends is newer than what the page shows
    found = await api.page_of_events(console, wanted, place)
    held = "held" in query
    facts = {
        "filter": wanted,
        "choices": filters.SEVERITY_CHOICES,
        "events": found.events,
        "next": found.next,
        "before": place.before,
        "held": held,
        "rows": place.limit,
        "silence": SILENCE,
        "after": max([seen, *(each.serial for each in found.events[:1])]),
        "live": place.before is None and not held,
    }
    return page(request, "events.html", 200, facts)


async def event(request: Request) -> Response:
    """All attributes of one event."""
    return page(request, "event.html", 200, {"event": await api.event_of(request)})


async def stream(request: Request) -> Response:
    """New events as they arrive, as rows for the list."""
    wanted, _ = filters.read(request.query_params, beside=("after",))
    console, identity = of(request), request.scope["user"]
    messages = console.streams.events(wanted, _resume(request), lambda: console.authentication.still(identity))
    return live.EventStream(messages)


def _resume(request: Request) -> int:
    """The serial to go on after: where a broken stream was, else where the page ended."""
    again = QueryParams({"after": request.headers.get("Last-Event-ID", "")})
    place = filters.number(again, "after", LARGEST_SERIAL, 0)
    return place if place is not None else filters.number(request.query_params, "after", LARGEST_SERIAL, 0) or 0


async def host(request: Request) -> Response:
    """The logical host: its state, what is wrong, its suites, its database, its cluster and its takeovers."""
    facts = {"view": await of(request).overview.view(), "chosen": _takeover(request), "silence": SILENCE}
    return page(request, "host.html", 200, facts)


async def host_stream(request: Request) -> Response:
    """The same, whenever something has changed."""
    console, identity, chosen = of(request), request.scope["user"], _takeover(request)

    async def look() -> str:
        return rendering.host(await console.overview.view(), chosen)

    return live.EventStream(console.streams.host(look, lambda: console.authentication.still(identity)))


def _takeover(request: Request) -> int | None:
    """The epoch of the takeover whose legs are to be shown. Raises MalformedFilter."""
    return filters.number(request.query_params, "takeover", LARGEST_SERIAL)


async def login_form(request: Request) -> Response:
    """The form to log in."""
    return _login_page(request)


def _login_page(request: Request, status: int = 200, problem: str = "", name: str = "") -> Response:
    nonce = request.cookies.get(sessions.FORM_COOKIE) or secrets.token_urlsafe(16)
    token = of(request).authentication.sessions.token(nonce)
    target = safe_target(request.query_params.get("next", ""))
    facts = {"form_token": token, "target": target, "problem": problem, "name": name}
    answer = page(request, "login.html", status, facts)
    _set_cookie(request, answer, sessions.FORM_COOKIE, nonce, FORM_SECONDS)
    return answer


async def login(request: Request) -> Response:
    """Logs in and goes to where the person wanted to be."""
    form = await _form(request)
    authentication = of(request).authentication
    nonce = request.cookies.get(sessions.FORM_COOKIE, "")
    if not nonce or not authentication.sessions.is_token(nonce, form.get("token", "")):
        raise ForgedForm
    name = form.get("name", "")
    try:
        session = await authentication.log_in(name, form.get("password", ""), address_of(request))
    except (WrongPassword, TooManyFailures) as problem:
        return _login_page(request, problem.status, str(problem), name)
    log.info("logged in", account=name, address=address_of(request))
    answer = RedirectResponse(safe_target(request.query_params.get("next", "")), 303)
    answer.delete_cookie(sessions.FORM_COOKIE)
    answer.headers.append("set-cookie", session_cookie(request, session))
    return answer


async def logout(request: Request) -> Response:
    """Ends the session in this browser."""
    identity: Identity = request.scope["user"]
    token = (await _form(request)).get("token", "")
    if identity.session and not of(request).authentication.sessions.is_token(identity.session.nonce, token):
        raise ForgedForm
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(sessions.COOKIE)
    return answer


async def metrics(request: Request) -> Response:
    """Counters and gauges for Prometheus."""
    return Response(of(request).metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def session_cookie(request: Request, session: Session) -> str:
    """The header that gives a browser the session."""
    answer = Response()
    cookie = of(request).authentication.sessions.write(session)
    _set_cookie(request, answer, sessions.COOKIE, cookie, int(sessions.ABSOLUTE))
    return answer.headers["set-cookie"]


def _set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, seconds, secure=secure, httponly=True, samesite="strict")


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises RequestTooLarge or ForgedForm."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise RequestTooLarge(limit=FORM_BYTES)
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise ForgedForm from None
    return {name: values[-1] for name, values in fields.items()}


def safe_target(target: str) -> str:
    """A path of this console to go to; anything else, which a browser might take elsewhere, becomes the list."""
    return target if OWN_PATH.fullmatch(target) else "/"


def login_address(request: Request) -> str:
    """The log-in page that leads back to where this request wanted to go."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/login" if target == "/" else f"/login?{urlencode({'next': target})}"


ROUTES = [
    Route("/", events),
    Route("/events/stream", stream, methods=["GET"]),
    Route("/events/{serial:int}", event),
    Route("/host", host),
    Route("/host/stream", host_stream, methods=["GET"]),
    Route("/login", login_form, methods=["GET"]),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/metrics", metrics),
]
