"""`python -m bansho.drill.stored HOST SOURCE`: the source serials of a source in the IM database, a line each."""

import sys

import psycopg

from bansho.database.connection import conninfo
from bansho.logicalhost import definition


def serials(name: str, source: str) -> list[int]:
    """They, where the logical host runs. Raises BanshoError for the host, psycopg.Error for the database."""
    with psycopg.connect(conninfo(definition.load(name))) as connection:
        rows = connection.execute("select source_serial from event where source_server = %s", (source,))
        return [serial for (serial,) in rows]


def main(name: str, source: str) -> None:
    """Prints them. Raises as `serials`."""
    sys.stdout.writelines(f"{serial}\n" for serial in serials(name, source))


if __name__ == "__main__":
    main(*sys.argv[1:])
