"""`sd_notify` for our own services: they tell their process manager READY, STATUS and WATCHDOG.

The protocol is systemd's (its manual page sd_notify(3)): one datagram of `NAME=VALUE` lines to the socket that
`NOTIFY_SOCKET` names. Standard library only, and nothing happens where no process manager listens, so a service can be
run by hand.
"""

import os
import socket
import struct
import sys
from typing import NoReturn

PATIENCE = 100_000
"""Microseconds that a message waits for its turn at most: others may flood the socket, or the process manager hangs."""


def notify(*lines: str) -> bool:
    """Sends lines such as `READY=1`, `STATUS=opening the store`, `WATCHDOG=1` or `STOPPING=1`, as one message.

    Returns whether it was sent: False without a process manager, or when it could not take the message.
    """
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        # In the kernel, where who waits longest comes first. A process manager that hangs must not make us hang.
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", *divmod(PATIENCE, 1_000_000)))
        try:
            sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
    return True


def give_up(error: object) -> NoReturn:
    """Ends a service that cannot go on: exit status 1, and why, in one line, in its log and to its process manager."""
    notify(f"STATUS={error}")
    print(error, file=sys.stderr)
    raise SystemExit(1)


def watchdog_interval() -> float | None:
    """Seconds between two `WATCHDOG=1`: half of what the process manager waits. None where it expects none."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 2e6 if microseconds.isdigit() and int(microseconds) else None
