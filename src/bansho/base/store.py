"""The event store: one SQLite file on the shared disk, `events/events.db`, written by one thread of one process.

WAL with `synchronous=FULL`: a commit that returned and was proven survives the loss of power, and of the disk. Serials
ascend by one without a gap and none is given twice, since a serial becomes visible only with its commit, and the newest
event is never removed. Events that have been kept long enough go, oldest first, in the transactions that bring new
ones; the file gives their space to those and does not shrink.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import chain
from math import inf
from pathlib import Path

from msgspec.structs import replace

from bansho.base.errors import NoSpace, StoreFailed, StoreHeld, StoreUnusable
from bansho.contract.messages import BanshoError
from bansho.events.event import encode, encode_lines
from bansho.events.fastpath import NewEvent
from bansho.events.wire import Registration, State

VERSION = 1
SCHEMA = f"""
BEGIN;
CREATE TABLE event (
    serial INTEGER PRIMARY KEY,
    source_server TEXT NOT NULL,
    source_serial INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (source_server, source_serial)
) STRICT;
CREATE TABLE probe (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
PRAGMA user_version = {VERSION};
COMMIT;
"""

KNOWN = """
SELECT source_server, source_serial, serial FROM json_each(?) AS name
CROSS JOIN event ON source_server = name.value ->> 0 AND source_serial = name.value ->> 1
"""

PAGE = """
SELECT max(serial), group_concat(body) FROM (SELECT serial, body FROM event WHERE serial > ? ORDER BY serial LIMIT ?)
"""

ENDS = "SELECT (SELECT min(serial) FROM event), (SELECT max(serial) FROM event)"

OLDEST = "SELECT body ->> 'arrived_at' FROM event ORDER BY serial LIMIT 1"

PRUNE = """
DELETE FROM event WHERE serial < (
    SELECT coalesce(min(serial) FILTER (WHERE body ->> 'arrived_at' >= ?), max(serial))
    FROM (SELECT serial, body FROM event ORDER BY serial LIMIT ?)
)
"""
"""Of the oldest events those before the first one that is young enough; one always stays."""

PRUNED = 2
"""Old events that may go for each new one, so that a shortened time to keep them is caught up with."""

PROBE = "INSERT OR REPLACE INTO probe VALUES (1, zeroblob(65536))"
"""As large as the largest single event."""

ROWS = 100
"""Rows an INSERT. One statement for many rows: each one gives up Python's lock and has to get it back."""

LOCKED = 3.0
"""Seconds to wait where somebody has locked the store, with a shell for instance. Less than /healthz waits."""

Name = tuple[str | None, int | None]
"""(source server, source serial)."""

Row = tuple[int, str | None, int | None, str]
"""The values of the table's columns; the body is a `StoredEvent` as JSON. Of the name neither part is None."""


def number(
    events: Sequence[NewEvent], known: Mapping[Name, int], last: int
) -> tuple[list[Registration], list[NewEvent]]:
    """The answer to each event, and the new ones in the order of their serials, which go on after `last`. Pure.

    `known` has the serials of the names that are stored already.
    """
    names, answers, fresh = dict(known), list[Registration](), list[NewEvent]()
    for event in events:
        name = (event.source_server, event.source_serial)
        serial = names.get(name)
        answers.append(Registration(serial or last + 1, serial is not None))
        if serial is None:
            last += 1
            fresh.append(event)
            if event.source_server is not None:
                names[name] = last
    return answers, fresh


def rows(events: Iterable[NewEvent], first: int, now: float, server: str) -> list[Row]:
    """Each event with what the event service gives: a serial from `first` on, the time, its name where it brought none.

    `now` is the time of arrival, `server` our own name. Pure. All are written as JSON at once, which costs least, and
    `serial` and `arrived_at` are put before each one's own members as text.
    """
    whole = [
        event if event.source_server and event.occurred_at is not None else _completed(event, serial, now, server)
        for serial, event in enumerate(events, first)
    ]
    arrived = encode({"arrived_at": now}).decode()[1:-1]
    lines = encode_lines(whole).decode().split("\n")[:-1]
    return [
        (serial, event.source_server, event.source_serial, f'{{"serial":{serial},{arrived},{line[1:]}')
        for serial, (event, line) in enumerate(zip(whole, lines, strict=True), first)
    ]


def _completed(event: NewEvent, serial: int, now: float, server: str) -> NewEvent:
    return replace(
        event,
        occurred_at=now if event.occurred_at is None else event.occurred_at,
        source_server=event.source_server or server,
        source_serial=event.source_serial or serial,
    )


class Store:
    """The writing end. `guard` raises where this process may not write any more; it is asked before every commit.

    Events stay for `keep` seconds after their arrival, and longer where none come in. Raises StoreHeld, StoreUnusable,
    or what the guard raises.
    """

    def __init__(self, folder: Path, server: str, guard: Callable[[], None], keep: float = inf) -> None:
        self._server, self._guard, self._keep = server, guard, keep
        guard()
        folder.mkdir(mode=0o700, exist_ok=True)
        self.path = folder / "events.db"
        self._lock = _held(folder / "lock")
        try:
            self._database = _opened(self.path)
            self.last: int = self._database.execute(ENDS).fetchone()[1] or 0
            self._due = self._expiry()
        except (sqlite3.Error, OSError) as error:
            os.close(self._lock)
            raise StoreUnusable(path=self.path, reason=error) from None

    def add(self, events: Sequence[NewEvent], now: float) -> list[Registration]:
        """Stores those that are new, in one transaction, durably; answers each in order. All or nothing.

        `now` is their time of arrival in seconds since 1970. Raises NoSpace, StoreFailed, or what the guard raises.
        """
        serials = range(self.last + 1, self.last + 1 + len(events))
        try:
            return self._add([Registration(serial, False) for serial in serials], events, now)
        except sqlite3.IntegrityError:  # a name twice, or stored already: seldom, so it is looked for only now
            return self._add(*number(events, self._known(events), self.last), now)

    def check(self, *, writing: bool) -> None:
        """Returns if an event could be stored; to be sure, by `writing` as much as the largest one. Raises as `add`."""
        with self._transaction():
            if writing:
                self._database.execute(PROBE)

    def close(self) -> None:
        """Closes it; the next one to open it finds nothing to recover."""
        with suppress(sqlite3.Error):
            self._database.close()
        os.close(self._lock)

    def _add(self, answers: list[Registration], new: Sequence[NewEvent], now: float) -> list[Registration]:
        with self._transaction():
            self._insert(rows(new, self.last + 1, now, self._server))
            due = self._prune(now, PRUNED * len(new)) if now >= self._due else self._due
        self.last += len(new)
        self._due = due
        self._prove()
        return answers

    def _prove(self) -> None:
        """Asks the disk for one more change, of our lock file. Raises StoreFailed, and then nothing is acknowledged.

        Where ext4 meets an error while a commit waits for its journal, fsync can return as if all were well, and the
        commit is gone with the next mount. A change that the journal has to take fails from the error on.
        docs/adr/0009 has the figures.
        """
        try:
            os.posix_fallocate(self._lock, 0, 1)
        except OSError as error:
            raise failure(self.path, error) from None

    def _expiry(self) -> float:
        """When the oldest event will have been kept long enough; 0 without any, so that one is looked for."""
        oldest = self._database.execute(OLDEST).fetchone()
        return oldest[0] + self._keep if oldest else 0.0

    def _prune(self, now: float, most: int) -> float:
        """Removes at most `most` events that have been kept long enough; when the next one will have been."""
        self._database.execute(PRUNE, (now - self._keep, most + 1))
        return self._expiry()

    def _known(self, events: Sequence[NewEvent]) -> dict[Name, int]:
        names = [(event.source_server, event.source_serial) for event in events if event.source_server is not None]
        try:
            found = self._database.execute(KNOWN, (encode(names).decode(),)).fetchall()
        except sqlite3.Error as error:
            raise failure(self.path, error) from None
        return {(server, source): serial for server, source, serial in found}

    def _insert(self, new: Sequence[Row]) -> None:
        for start in range(0, len(new), ROWS):
            some = new[start : start + ROWS]
            places = ",".join(["(?,?,?,?)"] * len(some))
            self._database.execute(
                f"INSERT INTO event VALUES {places}",  # noqa: S608 - only question marks
                tuple(chain.from_iterable(some)),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._guard()
            self._database.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error | OSError) and not isinstance(error, sqlite3.IntegrityError):
                raise failure(self.path, error) from None
            raise


class Reader:
    """The reading end: a connection of its own, for one thread at a time. Sees what is committed."""

    def __init__(self, path: Path, server: str, epoch: int) -> None:
        self._path, self._server, self._epoch = path, server, epoch
        self._database = _connected(path)
        self._database.execute("PRAGMA query_only = on")

    def page(self, after: int, limit: int) -> bytes:
        """At most `limit` events with serials beyond `after`, as the JSON of a `wire.Page`. Raises StoreFailed."""
        last, bodies = self._row(PAGE, after, limit)
        return f'{{"events":[{bodies or ""}],"last":{last or after}}}'.encode()

    def state(self) -> State:
        """What there is. Raises StoreFailed."""
        oldest, last = self._row(ENDS)
        count = last - oldest + 1 if last else 0
        return State(host=self._server, epoch=self._epoch, last=last or 0, count=count, oldest=oldest or 0)

    def _row(self, statement: str, *values: int) -> tuple[int, int]:
        try:
            row: tuple[int, int] = self._database.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise failure(self._path, error) from None
        return row

    def close(self) -> None:
        """Closes the connection."""
        self._database.close()


def failure(path: Path, error: sqlite3.Error | OSError) -> BanshoError:
    """NoSpace where the disk is full, else StoreFailed."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return NoSpace(path=path)
    return StoreFailed(path=path, reason=error)


def _held(path: Path) -> int:
    """Holds `path` for this process; the kernel lets go of it when the process ends. Raises StoreHeld."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreHeld(path=path.parent, pid=holder or "unknown") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, LOCKED, isolation_level=None, check_same_thread=False, cached_statements=256)


def _opened(path: Path) -> sqlite3.Connection:
    """Opened and recovered, with its tables. Raises sqlite3.Error, or OSError for another bansho's store."""
    database = _connected(path)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("PRAGMA synchronous = full")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        database.executescript(SCHEMA)
    elif version != VERSION:
        raise OSError(f"expected version {VERSION} of its tables, found {version}")
    return database
