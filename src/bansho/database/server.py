"""The postmaster's life: checked, started as our child, awaited, stopped."""

import asyncio
import os
import signal
from pathlib import Path

import psycopg

from bansho.database import configuration, instance, postmaster, programs
from bansho.database.account import Account
from bansho.database.connection import conninfo
from bansho.database.errors import DirectoryInUse, NotSetUp, ProgramFailed, SocketFolderAbsent, WrongOwner
from bansho.database.state import Answer
from bansho.logicalhost.definition import LogicalHost
from bansho.process import identity

LOOK = 0.02
"""Seconds between two looks at a postmaster that comes up: short beside the shortest recovery."""
ASK = 2.0
"""Seconds that a postmaster may take to answer."""
CHECKPOINT = 10.0
"""Seconds for the checkpoint before a stop. It makes the stop itself short, and is not needed for it."""
FAST = 15.0
"""Seconds for a fast shutdown; then an immediate one, after which the next start recovers."""
IMMEDIATE = 6.0
"""Seconds for an immediate shutdown: PostgreSQL kills its own children after five."""


def prepare_socket_folder(host: LogicalHost, account: Account) -> None:
    """Makes the folder of the socket, the postmaster's own. Raises SocketFolderAbsent."""
    folder = host.node.database_socket
    try:
        folder.mkdir(mode=0o700, exist_ok=True, parents=True)
        account.give(folder)
        owner = folder.stat().st_uid
    except OSError as error:
        raise SocketFolderAbsent(name=host.name, path=folder, reason=error.strerror, user=account.name) from None
    if owner != account.uid:
        raise SocketFolderAbsent(name=host.name, path=folder, reason=f"user id {owner}'s", user=account.name)


def check(host: LogicalHost, account: Account, bindir: Path) -> None:
    """Refuses what PostgreSQL must not be started on.

    Raises NotSetUp, WrongOwner, VersionMismatch or DirectoryInUse.
    """
    data = host.shared.database
    if not instance.is_database(data):
        raise NotSetUp(name=host.name, path=data)
    owner = data.stat().st_uid
    if owner != account.uid:
        raise WrongOwner(name=host.name, path=data, owner=owner, user=account.name, uid=account.uid)
    instance.check_version(host, bindir)
    if pids := postmaster.processes(data):
        raise DirectoryInUse(name=host.name, path=data, pids=", ".join(map(str, pids)))


def clear(host: LogicalHost) -> None:
    """Removes the lock files that a dead postmaster left; to be called after `check`.

    PostgreSQL takes one for a living postmaster's where its own user has any process of that number now, a zombie too;
    after a failover, a number from another node means nothing. `check` knows better: it has found no process here that
    works on the data directory. That none does elsewhere is the lease's and the cluster's.
    """
    (host.shared.database / "postmaster.pid").unlink(missing_ok=True)
    (host.node.database_socket / f".s.PGSQL.{configuration.PORT}.lock").unlink(missing_ok=True)


async def launch(host: LogicalHost, account: Account, inherited: int) -> asyncio.subprocess.Process:
    """Starts the postmaster as our child, in a session of its own: a terminal's signals are for the controller.

    Its output is ours, and it keeps the descriptor `inherited`. Raises what `check` raises, ProgramsAbsent or
    ProgramFailed.
    """
    bindir = programs.bindir(host)
    check(host, account, bindir)
    clear(host)
    configuration.write(host.shared.database, host.node.database_socket, account)
    try:
        return await asyncio.create_subprocess_exec(
            bindir / "postgres",
            "-D",
            host.shared.database,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(inherited,),
            cwd="/",
            umask=0o077,
            env=instance.environment(),
            **account.for_child(),
        )
    except OSError as error:
        raise ProgramFailed(name=host.name, program="postgres", reason=f"as user {account.name}: {error}") from None


async def ask(host: LogicalHost, limit: float = ASK) -> Answer:
    """What the postmaster answers, without holding up the loop."""
    return await asyncio.to_thread(postmaster.ask, host.node.database_socket, limit)


async def accepting(host: LogicalHost) -> None:
    """Returns once the postmaster accepts connections, however long it recovers."""
    while await ask(host) is not Answer.ACCEPTING:
        await asyncio.sleep(LOOK)


async def stop(host: LogicalHost, process: asyncio.subprocess.Process) -> int:
    """Ends the postmaster in order, and harder where it does not end; returns its status, 0 after a clean shutdown."""
    tell(process.pid, signal.SIGCONT)  # one that stands still could not obey, and each limit below would pass
    await _checkpoint(host)
    for sign, limit in (signal.SIGINT, FAST), (signal.SIGQUIT, IMMEDIATE):
        if process.returncode is None:
            tell(process.pid, sign)
        try:
            return await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            continue
    tell(process.pid, signal.SIGKILL)
    return await process.wait()


def tell(pid: int, sign: signal.Signals) -> None:
    """Signals a child of ours. asyncio's ways to do so collect one that has just ended, and `wait` never learns how."""
    found = identity.stat(pid)
    if found and found.parent == os.getpid():  # else it was collected, and the number may be another's
        identity.send(found, sign)


async def _checkpoint(host: LogicalHost) -> None:
    """While clients still work. A database that takes none has nothing new to write."""
    try:
        async with asyncio.timeout(CHECKPOINT):
            connection = await psycopg.AsyncConnection.connect(conninfo(host), autocommit=True)
            async with connection:
                await connection.execute("checkpoint")
    except (psycopg.Error, TimeoutError):
        return
