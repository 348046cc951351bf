"""The event console as a service of Manager: `python -m bansho.manager.event_console`.

It listens on the logical host's address, port `ports.console`. It is ready once it listens: without the IM database
it shows a page that says so, and goes on by itself.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette

from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition
from bansho.logicalhost.definition import LogicalHost
from bansho.manager import accounts, sessions
from bansho.manager.app import application
from bansho.manager.errors import AddressTaken, NoHostNamed
from bansho.process.notify import give_up, notify, watchdog_interval

GRACE = 3
"""Seconds that open answers have to end in."""
BACKLOG = 512
CONNECTIONS = 1024
"""The most connections at once; one more is answered with 503."""

log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn that tells the process manager what it does, and sleeps until it is ended instead of looking for it."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app
        self._asked = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer, and to beat."""
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, self._asked.set)
        await super().startup(sockets)
        if self.started:
            self._beating = asyncio.create_task(_beat())
            notify("READY=1", "STATUS=listening")

    async def main_loop(self) -> None:
        """Waits to be ended, then ends the live pages, which would never end by themselves."""
        await self._asked.wait()
        notify("STOPPING=1")
        self._app.state.console.streams.end()
        self._beating.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to `startup`: a stop that was asked for exits with 0."""
        yield


def listen(host: LogicalHost) -> socket.socket:
    """A socket on the console's address. Raises AddressTaken."""
    port = host.ports.console
    family = socket.AF_INET6 if ":" in host.ip else socket.AF_INET
    try:
        return socket.create_server((host.ip, port), family=family, backlog=BACKLOG)
    except OSError as error:
        path = definition.path_of(host.name)
        raise AddressTaken(name=host.name, address=host.ip, port=port, reason=error.strerror, path=path) from None


def server(host: LogicalHost) -> Server:
    """A server of `host`'s console."""
    app = application(host)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    return Server(config, app)


async def _beat() -> None:
    interval = watchdog_interval()
    while interval:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)


def configure_log() -> None:
    """Our log and the libraries' as JSON lines on stdout."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        foreign_pre_chain=shared,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def named_host() -> LogicalHost:
    """The logical host of `BANSHO_HOST`. Raises NoHostNamed, or as `definition.load`."""
    name = os.environ.get("BANSHO_HOST")
    if not name:
        raise NoHostNamed
    return definition.load(name)


def main() -> None:
    """The service. Exit codes: 0 stopped as asked, 1 it could not start (one line says why)."""
    configure_log()
    try:
        host = named_host()
        sessions.read_key(accounts.session_key_file(host.shared), host.name)
        listener = listen(host)
    except BanshoError as error:
        give_up(error)
    log.info("console starts", host=host.name, address=host.ip, port=host.ports.console)
    console = server(host)
    console.run(sockets=[listener])
    sys.exit(not console.started)


if __name__ == "__main__":
    main()
