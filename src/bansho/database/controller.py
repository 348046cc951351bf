"""The service `imdb`: the postmaster as our child, its schema up to date, its end reported at once.

It is ready when the postmaster accepts connections and the schema is this bansho's; it beats only while connections are
accepted; it ends, with 1, as soon as the postmaster does: whether to restart is the cluster's (CONTRACT 3.5).
"""

import asyncio
import os
import signal
import sys

import psycopg

from bansho.contract.messages import BanshoError
from bansho.database import account as accounts
from bansho.database import presence, schema, server, sighting
from bansho.database.account import Account
from bansho.database.connection import conninfo
from bansho.database.errors import PostmasterEnded, ProgramFailed
from bansho.database.presence import Presence
from bansho.database.sighting import Sightings
from bansho.database.state import Answer, Phase
from bansho.logicalhost import definition, history
from bansho.logicalhost.definition import LogicalHost
from bansho.process.notify import give_up, notify, watchdog_interval


async def control(host: LogicalHost) -> None:
    """Runs `host`'s database until SIGTERM or SIGINT, then stops it in order.

    Raises PostmasterEnded, or what kept the database from coming up.
    """
    asked = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, asked.set)
    account = accounts.of(host)
    server.prepare_socket_folder(host, account)
    with presence.claim(host, account) as sign_of_life:
        sighting.remove(host)
        await _live(host, account, sign_of_life, asked)


async def _live(host: LogicalHost, account: Account, sign_of_life: Presence, asked: asyncio.Event) -> None:
    notify("STATUS=starting the postmaster")
    process = await server.launch(host, account, sign_of_life.descriptor)
    sightings = Sightings(host, process.pid)
    ended, asking = asyncio.ensure_future(process.wait()), asyncio.ensure_future(asked.wait())
    work = asyncio.ensure_future(_serve(host, sign_of_life, sightings))
    try:
        await asyncio.wait({ended, asking, work}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and (ended.result() or not asking.done()):
            raise PostmasterEnded(name=host.name, how=_how(ended.result()), phase="the database was needed")
        if work.done():
            work.result()
    finally:
        sightings.end()
        work.cancel()
        asking.cancel()
        await _stop(host, process, sign_of_life)


async def _serve(host: LogicalHost, sign_of_life: Presence, sightings: Sightings) -> None:
    """Brings the database up, says so, and beats while it accepts connections. Never returns."""
    notify("STATUS=the postmaster starts or recovers")
    await server.accepting(host)
    await asyncio.to_thread(_migrate, host)
    sign_of_life.show(Phase.RUNNING)
    sightings.begin()
    history.mark(host.shared, "database open")
    notify("READY=1", "STATUS=accepts connections")
    await _beat(host, watchdog_interval())


async def _beat(host: LogicalHost, interval: float | None) -> None:
    """Two looks an interval, each with an interval's patience: a loaded server may answer late and still beats."""
    while interval:
        await asyncio.sleep(interval / 2)
        if await server.ask(host, limit=interval) is Answer.ACCEPTING:
            notify("WATCHDOG=1")
    await asyncio.Event().wait()


def _migrate(host: LogicalHost) -> None:
    try:
        applied = schema.migrate(conninfo(host), schema.migrations())
    except psycopg.Error as error:
        raise ProgramFailed(name=host.name, program="migration of the schema", reason=error) from None
    for number in applied:
        print(f"BSHO3101-I logical host {host.name}: migration {number} applied", file=sys.stderr)


async def _stop(host: LogicalHost, process: asyncio.subprocess.Process, sign_of_life: Presence) -> None:
    if process.returncode is not None:
        return
    sign_of_life.show(Phase.STOPPING)
    notify("STOPPING=1", "STATUS=stopping the postmaster")
    status = await server.stop(host, process)
    if status:
        raise PostmasterEnded(name=host.name, how=_how(status), phase="it was being stopped")


def _how(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def main() -> None:
    """The service. Exit status 0 after a stop in order, 1 otherwise, with one line that says why."""
    try:
        asyncio.run(control(definition.load(os.environ.get("BANSHO_HOST", ""))))
    except BanshoError as error:
        give_up(error)


if __name__ == "__main__":
    main()
