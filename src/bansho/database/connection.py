"""How every part of bansho connects to the IM database: by its socket, as the role that the kernel vouches for."""

from psycopg.conninfo import make_conninfo

from bansho.database.configuration import DATABASE, PORT, ROLE
from bansho.logicalhost.definition import LogicalHost

CONNECT_LIMIT = 5
"""Seconds that a connection may take to come about."""


def conninfo(host: LogicalHost) -> str:
    """The connection string of libpq for `host`'s database on this node."""
    return make_conninfo(
        host=str(host.node.database_socket),
        port=PORT,
        user=ROLE,
        dbname=DATABASE,
        connect_timeout=CONNECT_LIMIT,
    )
