"""The event service (`python -m bansho.base.event_service`): takes events in, never loses one, gives them by serial.

Ready once the store is open and the socket listens. SIGTERM ends it in order: no new connection, every request under
way is answered, then the store is closed.
"""

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import FrameType

import structlog
import uvicorn
import uvloop

from bansho.base import log
from bansho.base.app import Api
from bansho.base.intake import Intake
from bansho.base.listener import cannot_listen, listener
from bansho.base.metrics import Metrics
from bansho.base.protocol import BoundedHead
from bansho.base.store import Reader, Store
from bansho.base.tokens import Tokens
from bansho.contract.messages import BanshoError
from bansho.logicalhost import definition, history, timeline
from bansho.logicalhost.definition import LogicalHost
from bansho.logicalhost.lease import Guard
from bansho.logicalhost.places import SharedPlaces
from bansho.process.notify import give_up, notify, watchdog_interval

CONNECTIONS = 2000
GRACE = 5.0
"""Seconds for the requests under way when the service is asked to end."""


class Server(uvicorn.Server):
    """uvicorn that tells when it listens, and wakes up to end instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config, intake: Intake) -> None:
        super().__init__(config)
        self._intake = intake
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then reports READY."""
        await super().startup(sockets)
        notify("READY=1", f"STATUS=takes events in; last serial {self._intake.last}")
        structlog.get_logger().info("ready", last=self._intake.last)

    async def main_loop(self) -> None:
        """Waits to be ended, then ends the waits of readers."""
        await self._end.wait()
        notify("STOPPING=1")
        self._intake.release()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """SIGTERM or SIGINT: ends in order, with the exit status 0."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._end.set)


def main() -> None:
    """The service of `BANSHO_HOST` with the lease's `BANSHO_EPOCH`. Exit status 1 and one line where it cannot run."""
    os.umask(0o077)
    log.configure()
    try:
        host = definition.load(definition.chosen_name(os.environ.get("BANSHO_HOST")))
        uvloop.run(serve(host, int(os.environ.get("BANSHO_EPOCH") or 0)))
    except BanshoError as error:
        give_up(error)


async def serve(host: LogicalHost, epoch: int) -> None:
    """Runs until it is asked to end. Raises CannotListen, StoreHeld, StoreUnusable, LeaseLost or LeaseDamaged."""
    bound = listener(host.ip, host.ports.event_service)
    notify("STATUS=opening the event store")
    store = Store(host.shared.events, host.name, Guard(host.shared.root, epoch).check, host.events.keep)
    metrics = Metrics()
    reader = Reader(store.path, host.name, epoch)
    intake = Intake(store, metrics, intake_changed)
    with closing(bound), closing(reader), closing(intake), ThreadPoolExecutor(1, "reader") as readers:
        api = Api(host.name, intake, reader, readers, Tokens(host.shared, intake_changed), metrics)
        watchdog = asyncio.create_task(beat(intake))
        marking = asyncio.create_task(mark_first_event(intake, host.shared))
        try:
            await Server(configuration(api), intake).serve([bound])
        except OSError as error:
            raise cannot_listen(host.ip, host.ports.event_service, error) from None
        finally:
            watchdog.cancel()
            marking.cancel()
    structlog.get_logger().info("ended", last=intake.last)


def configuration(api: Api) -> uvicorn.Config:
    """uvicorn without what a service between programs does not need."""
    return uvicorn.Config(
        api.application(),
        http=BoundedHead,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(GRACE),
    )


async def beat(intake: Intake) -> None:
    """Tells the process manager that both the event loop and the writer live; silent when either hangs."""
    interval = watchdog_interval()
    while interval:
        await intake.beat()
        notify("WATCHDOG=1")
        await asyncio.sleep(interval)


async def mark_first_event(intake: Intake, shared: SharedPlaces) -> None:
    """Leaves in the takeover history when the first event was taken in, where that is soon enough to be a leg of it."""
    begun_with = intake.last
    await intake.beyond(begun_with, timeline.LONGEST)
    if intake.last > begun_with:
        history.mark(shared, timeline.FIRST_EVENT)


def intake_changed(refusal: BanshoError | None) -> None:
    """Says that events are refused, or taken in again."""
    if refusal is None:
        notify("STATUS=takes events in")
        structlog.get_logger().info("events are taken in again")
    else:
        notify(f"STATUS={refusal}")
        structlog.get_logger().error("events are refused", reason=str(refusal))


if __name__ == "__main__":
    main()
