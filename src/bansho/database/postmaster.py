"""A postmaster seen from outside: does it live, who works on the data directory, does it accept connections."""

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bansho.database.configuration import DATABASE, PORT, ROLE
from bansho.database.state import Answer

PROGRAM = "postgres"
STATUS_LINE = 7
PROTOCOL = 3 << 16
ERRORS = {b"57P03": Answer.REJECTING, b"3D000": Answer.WITHOUT_DATABASE}
"""By SQLSTATE: cannot_connect_now, invalid_catalog_name. Every other error comes from a server that runs."""
AUTHENTICATED = bytes(4)
"""Of a message "R": that the server is content. Any other number asks for something, such as a password."""
LONGEST_MESSAGE = 64 * 1024


class PidFile(NamedTuple):
    """`postmaster.pid`: the process, and what it says of itself."""

    pid: int
    status: str


def pid_file(data: Path) -> PidFile | None:
    """What `postmaster.pid` says, true or not; None where there is none. Raises OSError."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    pid = lines[0].strip() if lines else ""
    return PidFile(int(pid), lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else "") if pid.isdigit() else None


def living(data: Path) -> PidFile | None:
    """The living postmaster of this data directory; None where the file is left over, whoever has the pid now."""
    named = pid_file(data)
    return named if named and works_on(data, named.pid) else None


def works_on(data: Path, pid: int) -> bool:
    """Whether `pid` is a process of PostgreSQL on this data directory: its working directory is that very one.

    A zombie has none, another node's or another boot's process of that number has another. Raises PermissionError
    where we are neither root nor that process's user.
    """
    process = Path("/proc") / str(pid)
    try:
        return (process / "comm").read_text().strip() == PROGRAM and data.samefile(process / "cwd")
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return False


def processes(data: Path) -> list[int]:
    """All processes that work on this data directory and that we may look at, orphaned backends too."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _visibly_works_on(data, pid)]


def _visibly_works_on(data: Path, pid: int) -> bool:
    try:
        return works_on(data, pid)
    except PermissionError:
        return False


def ask(socket_folder: Path, limit: float) -> Answer:
    """What the postmaster answers to a connection, within `limit` seconds. Raises PermissionError.

    PostgreSQL's own protocol, as `pg_isready` speaks it: a start-up message, then either an error with its SQLSTATE or,
    at last, "ready for query". (PostgreSQL manual, Message Formats.)
    """
    deadline = time.monotonic() + limit
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(max(limit, 0.001))
            connection.connect(str(socket_folder / f".s.PGSQL.{PORT}"))
            connection.sendall(_startup())
            return _verdict(connection, deadline)
        except (FileNotFoundError, ConnectionRefusedError):
            return Answer.NOBODY
        except (TimeoutError, BlockingIOError):
            return Answer.SILENT
        except (ConnectionError, EOFError):
            return Answer.REJECTING


def _startup() -> bytes:
    parameters = "\0".join(["user", ROLE, "database", DATABASE, "application_name", "bansho-status", "", ""])
    return struct.pack("!II", 8 + len(parameters), PROTOCOL) + parameters.encode()


def _verdict(connection: socket.socket, deadline: float) -> Answer:
    """Everything is read to the end: else the server would find the connection reset, and fill its log with that.

    A server that asks for a password runs, and says nothing more until it has one; who leaves then is no news to it.
    """
    for kind, body in _messages(connection, deadline):
        if kind == b"R" and body != AUTHENTICATED:
            break
        if kind == b"E":
            return ERRORS.get(_sqlstate(body), Answer.ACCEPTING)
        if kind == b"Z":
            break
    return Answer.ACCEPTING


def _sqlstate(error: bytes) -> bytes:
    """An error's fields: a letter and a text each, ended by a zero byte; `C` is the SQLSTATE."""
    return next((field[1:] for field in error.split(b"\0") if field[:1] == b"C"), b"")


def _messages(connection: socket.socket, deadline: float) -> Iterator[tuple[bytes, bytes]]:
    while True:
        kind, length = struct.unpack("!cI", _receive(connection, 5, deadline))
        if not 4 <= length <= LONGEST_MESSAGE:
            raise ConnectionError("not PostgreSQL's protocol")
        yield kind, _receive(connection, length - 4, deadline)


def _receive(connection: socket.socket, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data
