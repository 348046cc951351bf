"""A service's notify socket: what its processes report by `sd_notify`, and which process it was."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bansho.process.errors import PlaceTooLong

PATH_BYTES = 107
MESSAGE_BYTES = 4096
CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid of the sender, as the kernel says."""

Received = Callable[[int, list[str]], None]
"""Called with the sender's pid, 0 where it lives out of our sight, and the message's lines."""


def check_length(path: Path) -> None:
    """Raises PlaceTooLong where the kernel would not take `path` for a socket."""
    length = len(bytes(path))
    if length > PATH_BYTES:
        raise PlaceTooLong(path=path, length=length)


class NotifySocket:
    """Listens for one service; the socket's file belongs to the service's user."""

    def __init__(self, path: Path, uid: int, gid: int, received: Received) -> None:
        check_length(path)
        self._path, self._received = path, received
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        path.unlink(missing_ok=True)
        self._socket.bind(str(path))
        path.chmod(0o600)
        self.give(uid, gid)
        asyncio.get_running_loop().add_reader(self._socket, self.read)

    def give(self, uid: int, gid: int) -> None:
        """Makes the socket's file that user's: whoever else may reach it is not let in."""
        os.chown(self._path, uid, gid)

    def close(self) -> None:
        """Ends listening and removes the file."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def read(self) -> None:
        """Takes in all that waits: after a pause of ours, no beat may look missing that is there already."""
        with suppress(BlockingIOError):
            while True:
                message, ancillary, _, _ = self._socket.recvmsg(MESSAGE_BYTES, socket.CMSG_SPACE(CREDENTIALS.size))
                (_, _, credentials), *_ = ancillary  # with each message, and first, by SO_PASSCRED: unix(7)
                self._received(CREDENTIALS.unpack(credentials)[0], message.decode(errors="replace").split("\n"))
