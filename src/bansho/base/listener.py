"""The event service's listening socket; where it cannot be had, who has it."""

import errno
import ipaddress
import os
import socket
from contextlib import suppress
from pathlib import Path

from bansho.base.errors import CannotListen

LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp (Linux, include/net/tcp_states.h)."""


def listener(address: str, port: int) -> socket.socket:
    """A socket bound to exactly that address, not listening yet. Raises CannotListen."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        raise cannot_listen(address, port, error) from None
    return bound


def cannot_listen(address: str, port: int, error: OSError) -> CannotListen:
    """The error with its cause in words."""
    reasons = {
        errno.EADDRINUSE: f"{_holder(port)} listens there; end it, or change ports.event-service",
        errno.EADDRNOTAVAIL: "the address is not on this node; the cluster brings it before Base starts",
    }
    return CannotListen(
        address=address, port=port, reason=reasons.get(error.errno or 0) or os.strerror(error.errno or 0)
    )


def _holder(port: int) -> str:
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    pids = sorted(int(pid.name) for pid in Path("/proc").glob("[0-9]*") if inodes & _open_files(pid))
    return f"process {pids[0]}" if pids else "another process"


def _listening(port: int) -> list[str]:
    """The inodes of the sockets that listen on `port`."""
    lines = [line.split() for table in ("tcp", "tcp6") for line in _lines(Path("/proc/net", table))[1:]]
    return [line[9] for line in lines if line[3] == LISTEN and int(line[1].rpartition(":")[2], 16) == port]


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text().splitlines()
    return []


def _open_files(process: Path) -> set[str]:
    found = set()
    with suppress(OSError):
        for file in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(str(file.readlink()))
    return found
