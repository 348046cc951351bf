"""The writer outside for a plain PostgreSQL: a row for each number, as `traffic` sends events, and with its ledger.

`python -m bansho.drill.pgsql_writer ADDRESS LEDGER [--rate N] [--source NAME]` writes until terminated. A batch is
one transaction, and a row that is there already is left as it is, so that writing again is safe.
"""

import argparse
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg

from bansho.drill import traffic

TABLE = "create table written (source text, number bigint, text text, primary key (source, number))"
INSERT = "insert into written select %s, number, %s from unnest(%s::bigint[]) as number on conflict do nothing"
TEXT = "disk of array reports sector count, as long as the message of an event of the drill is"


class Rows(traffic.Sender):
    """Rows to one database over one connection that is made anew after each failure. A row's serial is its number."""

    def __init__(self, address: str, source: str, ledger: IO[str]) -> None:
        super().__init__(ledger)
        self._address, self._source = address, source
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Closes the connection; the next batch makes a new one."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def deliver(self, numbers: range) -> list[int]:
        """Writes a batch; its numbers once the commit was answered."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(conninfo(self._address), autocommit=True)
            with _patience(self._connection):
                self._connection.execute(INSERT, (self._source, TEXT, list(numbers)))
        except psycopg.Error:
            self.close()
            return []
        return list(numbers)


def conninfo(address: str) -> str:
    """How the lab's hosts connect to it."""
    return f"host={address} user=postgres dbname=postgres connect_timeout={traffic.PATIENCE:g}"


@contextmanager
def _patience(connection: psycopg.Connection) -> Iterator[None]:
    """Ends the connection after PATIENCE: libpq has no limit for an answer, and a frozen node's kernel goes on."""
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        limit = threading.Timer(traffic.PATIENCE, _shut, [end])
        limit.start()
        try:
            yield
        finally:
            limit.cancel()
            limit.join()


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """Writes until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="write rows at a steady rate until terminated")
    parser.add_argument("address", help="of the database server")
    parser.add_argument("ledger", type=Path, help="a file, or - for stdout")
    parser.add_argument("--rate", type=float, default=50.0, help="rows a second (50)")
    parser.add_argument("--source", default="outside", help="names the writer (outside)")
    asked = parser.parse_args()
    traffic.until_terminated(lambda lines: Rows(asked.address, asked.source, lines), asked.ledger, asked.rate)


if __name__ == "__main__":
    main()
