"""The console as one ASGI application: its routes, what goes before them, and what becomes of errors."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from bansho.contract.messages import BanshoError
from bansho.logicalhost.definition import LogicalHost
from bansho.manager import api, console, pages, rendering
from bansho.manager.errors import (
    ConsoleError,
    InternalError,
    NotLoggedIn,
    TooManyFailures,
    UnknownPage,
    WrongMethod,
)
from bansho.manager.gate import Gate, Watch
from bansho.manager.openapi import Problem

FOR_PROGRAMS = ("/api/", "/healthz", "/metrics")
"""Paths whose errors are JSON."""

log = structlog.get_logger()


async def not_logged_in(request: Request, error: Exception) -> Response:
    """People are led to the log-in page and back; programs are told what is missing."""
    if not isinstance(error, NotLoggedIn) or request.url.path.startswith(FOR_PROGRAMS):
        return await problem(request, error)
    if "HX-Request" in request.headers:
        return Response(status_code=NotLoggedIn.status, headers={"HX-Refresh": "true"})
    if request.method in {"GET", "HEAD"}:
        return RedirectResponse(pages.login_address(request), 303)
    return RedirectResponse("/login", 303)


async def problem(request: Request, error: Exception) -> Response:
    """The error as a page for people, or as JSON for programs."""
    shown = as_console_error(request, error)
    status = shown.status if isinstance(shown, ConsoleError) else InternalError.status
    if request.url.path.startswith(FOR_PROGRAMS):
        answer = api.answer(Problem(str(shown)), status)
    else:
        request.scope.setdefault("user", None)
        answer = pages.page(request, "problem.html", status, {"problem": shown, "code": status})
    answer.headers.update(_headers(shown))
    return answer


def as_console_error(request: Request, error: Exception) -> BanshoError:
    """An error that has an id; what nobody foresaw is logged in full, and told as InternalError."""
    path = request.url.path[:200]
    if isinstance(error, HTTPException) and error.status_code == WrongMethod.status:
        return WrongMethod(method=request.method, path=path)
    if isinstance(error, HTTPException):
        return UnknownPage(path=path)
    if isinstance(error, BanshoError):
        return error
    log.error("request failed", path=path, method=request.method, exc_info=error)
    return InternalError(path=path)


def _headers(error: BanshoError) -> Mapping[str, str]:
    if isinstance(error, NotLoggedIn):
        return {"WWW-Authenticate": 'Basic realm="bansho", charset="UTF-8"'}
    if isinstance(error, TooManyFailures):
        return {"Retry-After": str(error.facts["seconds"])}
    return {}


HANDLERS: dict[Any, Any] = {NotLoggedIn: not_logged_in, HTTPException: problem, Exception: problem}


def application(host: LogicalHost) -> Starlette:
    """The console of a logical host. At start-up it raises SessionKeyAbsent."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with console.opened(host) as opened:
            app.state.console = opened
            yield

    return Starlette(
        routes=[*pages.ROUTES, *api.ROUTES, Mount("/static", StaticFiles(directory=rendering.STATIC))],
        middleware=[Middleware(Watch), Middleware(ExceptionMiddleware, handlers=HANDLERS), Middleware(Gate)],
        exception_handlers={HTTPException: problem},
        lifespan=lifespan,
    )
