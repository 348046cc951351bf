"""PostgreSQL's configuration as the logical host needs it: three files in the data directory, ours at every start.

What the owner adds to `postgresql.conf` stays, except for the settings here: our file is included last.
"""

import os
import secrets
from pathlib import Path

from bansho.database.account import Account

INCLUDED = "bansho.conf"
ROLE = "bansho"
DATABASE = "bansho"
PORT = 5432
"""Only in the socket's name: there is no TCP."""

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "max_connections": 50,
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # Redo after a power loss takes a second or two: at most this much of it, from at most this long ago.
    "checkpoint_timeout": "1min",
    "max_wal_size": "256MB",
    "wal_compression": "on",
    # The shared disk is a file system of its own: one syncfs before redo instead of an fsync for each file.
    "recovery_init_sync_method": "syncfs",
    # What is acknowledged is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A crashed backend ends the postmaster: whether to restart here or fail over is the cluster's (CONTRACT 3.5).
    "restart_after_crash": "off",
    # The controller's output is the service's log.
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
}


def settings(socket_folder: Path) -> str:
    """`bansho.conf` for a socket in `socket_folder`."""
    values = {**SETTINGS, "unix_socket_directories": f'"{socket_folder}"', "unix_socket_permissions": "0700"}
    return "".join(f"{name} = {_quoted(str(value))}\n" for name, value in values.items())


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


HBA = f"local all {ROLE} peer map={ROLE}\nlocal replication {ROLE} peer map={ROLE}\n"
"""`pg_hba.conf`: the socket only; the kernel says who calls."""


def identities(account: Account) -> str:
    """`pg_ident.conf`: root and the postmaster's own user may be the role."""
    return "".join(f'{ROLE} "{name}" {ROLE}\n' for name in sorted({"root", account.name}))


def write(data: Path, socket_folder: Path, account: Account) -> None:
    """Writes the three files into the data directory, each whole or not at all."""
    _replace(data / INCLUDED, settings(socket_folder), account)
    _replace(data / "pg_hba.conf", HBA, account)
    _replace(data / "pg_ident.conf", identities(account), account)


def include(data: Path) -> None:
    """Makes `postgresql.conf` end with ours, once."""
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"\ninclude '{INCLUDED}'\n")


def _replace(path: Path, text: str, account: Account) -> None:
    """Through a new file of an unguessable name: we may be root in a folder that is another user's."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        account.give(descriptor)
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
    new.replace(path)
