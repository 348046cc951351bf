"""The process manager's end of the control socket: who may ask, and what each order does (docs/house.md)."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bansho.contract import operation
from bansho.contract.messages import BanshoError
from bansho.contract.states import ServiceState, SuiteAim
from bansho.process import control, text
from bansho.process.errors import TurnedRound
from bansho.process.notifysocket import check_length
from bansho.process.reloading import Change
from bansho.process.supervision import PREPARING, Supervision

PEER = struct.Struct("3i")
"""pid, uid, gid of who connected, as the kernel says."""
REQUEST_BYTES = 1 << 16
CLEARING = "clearing away what the services left, and giving the shared directory back"

Answer = dict[str, Any]
Failure = Callable[[], str]
"""Why the suite was not brought up, or "" while nothing speaks against it."""


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """One order. `timeout` is in seconds."""

    op: str
    timeout: float = 60.0


class Orders:
    """Serves the control socket. `reload` reads the definition again; `failure` says why a start was refused."""

    def __init__(
        self, supervision: Supervision, reload: Callable[[], Awaitable[list[Change]]], failure: Failure
    ) -> None:
        self.ended = asyncio.Event()
        """Set when the suite is down and cleared away: whoever waits for a stop is told."""
        self.asked = asyncio.Event()
        """Set when the first order has come."""
        self._supervision, self._reload, self._failure = supervision, reload, failure
        self._handling: set[asyncio.Task[None]] = set()

    async def listen(self, path: Path) -> asyncio.Server:
        """Begins to serve at `path`. Raises PlaceTooLong."""
        check_length(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        listener.bind(str(path))
        path.chmod(0o600)  # nobody can connect yet: it does not listen
        return await asyncio.start_unix_server(self._connected, sock=listener, limit=REQUEST_BYTES)

    async def drain(self) -> None:
        """Waits, for at most a second, until everybody has had the last answer."""
        if self._handling:
            await asyncio.wait(self._handling, timeout=1.0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is handled in a task
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        with suppress(ConnectionError, ValueError):
            if control.may_order(_uid(writer)):
                await self._serve(await reader.readline(), writer)
        writer.close()

    async def _serve(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        async for answer in self._answers(line):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

    async def _answers(self, line: bytes) -> AsyncIterator[Answer]:
        try:
            request = msgspec.json.decode(line, type=Request)
        except msgspec.DecodeError as error:
            yield {"error": f"not an order: {error}"}
            return
        kinds = {"start": self._start, "stop": self._stop, "reload": self._reloaded, "detail": self._detail}
        if request.op not in kinds:
            yield {"error": f"not an order: {request.op!r}; expected one of {', '.join(kinds)}"}
            return
        self.asked.set()
        async for answer in kinds[request.op](request):
            yield answer

    async def _start(self, request: Request) -> AsyncIterator[Answer]:
        supervision = self._supervision
        if supervision.empty.is_set():  # too late: whoever asked finds nobody then, and begins anew
            yield await self._over()
            return
        supervision.aim_at(SuiteAim.UP)
        async for answer in self._progress(request, self._start_is_over):
            yield answer
        if self._failure():
            yield await self._over()
        elif supervision.aim is SuiteAim.DOWN:
            yield self._turned_round("start", "it is being stopped")
        else:
            settled = supervision.settled
            yield self._done(ServiceState.READY, "" if settled else PREPARING) | {"settled": settled}

    def _start_is_over(self) -> bool:
        supervision = self._supervision
        return supervision.aim is SuiteAim.DOWN or supervision.settled

    async def _stop(self, request: Request) -> AsyncIterator[Answer]:
        supervision = self._supervision
        supervision.aim_at(SuiteAim.DOWN)
        async for answer in self._progress(request, lambda: self.ended.is_set() or supervision.aim is SuiteAim.UP):
            yield answer
        if self.ended.is_set():
            yield await self._over()
        elif supervision.aim is SuiteAim.UP:
            yield self._turned_round("stop", "it is being started")
        else:
            yield self._done(ServiceState.STOPPED, CLEARING)

    def _turned_round(self, order: str, reason: str) -> Answer:
        site = self._supervision.site
        return {"error": str(TurnedRound(name=site.host, suite=site.suite, order=order, reason=reason))}

    async def _reloaded(self, request: Request) -> AsyncIterator[Answer]:  # noqa: ARG002 - each order has one
        try:
            changes = await self._reload()
        except (BanshoError, OSError) as error:
            yield {"error": str(error)}
        else:
            yield self._done(ServiceState.READY) | {"changes": [change._asdict() for change in changes]}

    async def _detail(self, request: Request) -> AsyncIterator[Answer]:  # noqa: ARG002
        yield self._done(ServiceState.READY) | {"detail": self._supervision.document()}

    async def _progress(self, request: Request, reached: Callable[[], bool]) -> AsyncIterator[Answer]:
        """A line for each change, until `reached` or for as long as the request waits."""
        loop = asyncio.get_running_loop()
        until = loop.time() + request.timeout
        before: dict[str, str] = {}
        await asyncio.sleep(0)  # let the look that the order asked for be taken
        while not reached() and loop.time() < until:
            changed = self._supervision.changed
            now = {glance.name: f"{glance.state.value}" for glance in self._supervision.glances()}
            for line in text.changes(before, now):
                yield {"progress": line}
            before = now
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), until - loop.time())

    async def _over(self) -> Answer:
        """The last answer of all, when everything is cleared away; after it there is no process manager."""
        await self.ended.wait()
        if self._failure():
            return {"error": self._failure(), "ended": True}
        site, value = self._supervision.site, operation.ALL_STOPPED
        return {"done": True, "value": value, "text": text.line(site.host, site.suite, value), "outstanding": []}

    def _done(self, aim: ServiceState, rest: str = "") -> Answer:
        """`rest` is what is outstanding where no service is."""
        standing = self._supervision.standing
        outstanding = text.outstanding(self._supervision.glances(), aim) or [rest] * bool(rest)
        return {"done": True, "value": standing.value, "text": standing.text, "outstanding": outstanding}


def _uid(writer: asyncio.StreamWriter) -> int:
    peer: socket.socket = writer.get_extra_info("socket")
    uid: int = PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))[1]
    return uid
