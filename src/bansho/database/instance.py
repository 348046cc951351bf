"""Making the empty database, once a logical host. What was interrupted leaves nothing that looks like a database."""

import os
import shutil
import subprocess
from pathlib import Path

from bansho.database import account as accounts
from bansho.database import configuration, programs
from bansho.database.account import Account
from bansho.database.errors import DirectoryOccupied, ProgramFailed, VersionMismatch
from bansho.logicalhost.definition import LogicalHost

LIMIT = 120
"""Seconds for each of PostgreSQL's programs; a slow disk needs ten."""

NOT_INHERITED = ("PG", "NOTIFY_SOCKET", "WATCHDOG_")
"""What PostgreSQL must not see of our environment: settings of a client's user, and the notify socket, on which the
distribution's postmaster would report ready before the schema is."""


def is_database(data: Path) -> bool:
    """Whether `data` is a data directory. Raises OSError where that cannot be seen."""
    try:
        return (data / "PG_VERSION").stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def check_version(host: LogicalHost, bindir: Path) -> None:
    """Raises VersionMismatch where programs of another major version made the database; its control file is theirs."""
    data = host.shared.database
    made_by = (data / "PG_VERSION").read_text().strip()
    version = str(programs.major_version(bindir))
    if made_by != version:
        raise VersionMismatch(name=host.name, path=data, data=made_by, bindir=bindir, programs=version)


def environment() -> dict[str, str]:
    """The environment for PostgreSQL's programs: ours, without what would mislead them, and in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)} | {"LC_ALL": "C"}


def create(host: LogicalHost) -> bool:
    """Makes `host`'s database beside its place and renames it there; False where there is one already.

    Raises ProgramsAbsent, UnknownUser, ProgramFailed or DirectoryOccupied.
    """
    data = host.shared.database
    if is_database(data):
        return False
    if data.is_dir() and (found := sorted(entry.name for entry in data.iterdir())):
        raise DirectoryOccupied(name=host.name, path=data, found=", ".join(found[:3]))
    account = accounts.of(host)
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    account.give(new)
    _fill(host, new, account)
    new.rename(data)
    _flush(data.parent)
    return True


def _fill(host: LogicalHost, data: Path, account: Account) -> None:
    bindir = programs.bindir(host)
    kind = ["-U", configuration.ROLE, "-A", "peer", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"]
    _run(host, account, [bindir / "initdb", "-D", data, *kind])
    configuration.include(data)
    configuration.write(data, host.node.database_socket, account)
    single: list[str | Path] = [bindir / "postgres", "--single", "-D", data, "-c", "exit_on_error=on", "-j", "postgres"]
    _run(host, account, single, f"create database {configuration.DATABASE}\n")


def _run(host: LogicalHost, account: Account, command: list[str | Path], text: str = "") -> None:
    program = Path(command[0]).name
    try:
        subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=True,
            timeout=LIMIT,
            cwd="/",
            env=environment(),
            umask=0o077,
            **account.for_child(),
        )
    except subprocess.CalledProcessError as error:
        raise ProgramFailed(name=host.name, program=program, reason=error.stderr.strip()[-400:]) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(name=host.name, program=program, reason=f"as user {account.name}: {error}") from None


def _flush(folder: Path) -> None:
    """The rename is on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
