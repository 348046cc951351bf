"""The schema: numbered SQL files, each applied once, in order, in a transaction, and never changed afterwards."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

import psycopg

from bansho.database.errors import MigrationChanged, SchemaNewer

LOCK = 0x62616E73686F
"""The advisory lock of everyone who migrates this database: "bansho"."""

RECORD = """
create table if not exists migration (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""


class Migration(NamedTuple):
    """One step: `0001_events.sql`."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the SQL, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Traversable | None = None) -> list[Migration]:
    """The migrations of this bansho, or those in `folder`, by number."""
    files = (folder or resources.files("bansho.database") / "migrations").iterdir()
    return sorted(_migration(file) for file in files if file.name.endswith(".sql"))


def _migration(file: Traversable) -> Migration:
    number, _, name = file.name.removesuffix(".sql").partition("_")
    return Migration(int(number), name, file.read_text(encoding="utf-8"))


def migrate(conninfo: str, steps: list[Migration]) -> list[int]:
    """Brings the database up to `steps` and returns the numbers that this call applied.

    Any number of callers may run at once. Raises MigrationChanged, SchemaNewer or psycopg.Error; what was applied
    before the error stays applied.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection, _locked(connection):
        connection.execute(RECORD)
        applied: dict[int, str] = dict(connection.execute("select number, checksum from migration").fetchall())
        _check(applied, steps)
        outstanding = [step for step in steps if step.number not in applied]
        for step in outstanding:
            _apply(connection, step)
        return [step.number for step in outstanding]


@contextmanager
def _locked(connection: psycopg.Connection) -> Iterator[None]:
    """Until the end of the block, or of the connection."""
    connection.execute("select pg_advisory_lock(%s)", (LOCK,))
    yield
    connection.execute("select pg_advisory_unlock(%s)", (LOCK,))


def _check(applied: dict[int, str], steps: list[Migration]) -> None:
    known = {step.number: step for step in steps}
    for number, checksum in sorted(applied.items()):
        if number not in known:
            raise SchemaNewer(database=number, known=max(known, default=0))
        if known[number].checksum != checksum:
            raise MigrationChanged(number=number, migration=known[number].name)


def _apply(connection: psycopg.Connection, step: Migration) -> None:
    with connection.transaction():
        connection.execute(step.sql.encode())
        connection.execute(
            "insert into migration (number, name, checksum) values (%s, %s, %s)",
            (step.number, step.name, step.checksum),
        )
