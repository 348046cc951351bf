"""A service's notify socket: what its processes report by `sd_notify`, and which process it was."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from bansho.process.errors import PlaceTooLong

PATH_BYTES = 107
MESSAGE_BYTES = 4096
CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid of the sender, as the kernel says."""

QUEUE = Path("/proc/sys/net/unix/max_dgram_qlen")
"""How many messages may wait at a socket; one more gets in."""
LONGEST_QUEUE = 512
"""As many it are where the kernel does not say: what systemd sets."""
REST = 4
"""A flood is read in so much of the time and left alone for that many times as long."""

Received = Callable[[int, list[str]], None]
"""Called with the sender's pid, 0 where it lives out of our sight, and the message's lines."""
LetIn = Callable[[int], bool]
"""Whether the process with that pid may report."""


def check_length(path: Path) -> None:
    """Raises PlaceTooLong where the kernel would not take `path` for a socket."""
    length = len(bytes(path))
    if length > PATH_BYTES:
        raise PlaceTooLong(path=path, length=length)


def room(queue: Path = QUEUE) -> int:
    """How many messages can wait at once."""
    try:
        return int(queue.read_text()) + 1
    except (OSError, ValueError):
        return LONGEST_QUEUE + 1


class NotifySocket:
    """Listens for one service; the socket's file belongs to the service's user. Who is not `let_in` is not heard."""

    def __init__(self, path: Path, uid: int, gid: int, received: Received, let_in: LetIn = lambda _: True) -> None:
        check_length(path)
        self._path, self._received, self._let_in = path, received, let_in
        self._room = room()
        self._rest: asyncio.TimerHandle | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        path.unlink(missing_ok=True)
        self._socket.bind(str(path))
        path.chmod(0o600)
        self.give(uid, gid)
        self._listen()

    def give(self, uid: int, gid: int) -> None:
        """Makes the socket's file that user's: whoever else may reach it is not let in."""
        os.chown(self._path, uid, gid)

    def close(self) -> None:
        """Ends listening and removes the file."""
        self._ignore()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def _ignore(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._rest:
            self._rest.cancel()

    def _readable(self) -> None:
        """Reads what waits. Of a flood no more than a part of our time: until then its senders wait."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if self.read() == self._room:
            self._ignore()
            self._rest = loop.call_later(REST * (loop.time() - began), self._listen)

    def read(self) -> int:
        """Takes in all that waits by now, and returns how much it was; what comes meanwhile waits for the next time.

        After a pause of ours no beat may look missing that is there already.
        """
        messages = list(self._waiting())
        known: dict[int, bool] = {}
        for pid, lines in messages:
            if pid not in known:
                known[pid] = self._let_in(pid)
            if known[pid]:
                self._received(pid, lines)
        return len(messages)

    def _waiting(self) -> Iterator[tuple[int, list[str]]]:
        with suppress(BlockingIOError):
            for _ in range(self._room):
                message, ancillary, _, _ = self._socket.recvmsg(MESSAGE_BYTES, socket.CMSG_SPACE(CREDENTIALS.size))
                (_, _, credentials), *_ = ancillary  # with each message, and first, by SO_PASSCRED: unix(7)
                yield CREDENTIALS.unpack(credentials)[0], message.decode(errors="replace").split("\n")
