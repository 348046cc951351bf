"""What the worker and the front have in common: Redis, and the process manager. Standard library only."""

import os
import socket


def notify(*lines: str) -> None:
    """Tells the process manager, by the protocol sd_notify: one datagram of lines such as READY=1."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto("\n".join(lines).encode(), os.environ["NOTIFY_SOCKET"])


class Store:
    """A connection to Redis."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(os.environ["STORE"])
        self._answers = self._socket.makefile("rb")

    def ask(self, *words: str) -> str | None:
        """Gives one command; its answer, if that is one text or number, None for nothing. Raises OSError."""
        parts = [word.encode() for word in words]
        lengths = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(b"*%d\r\n" % len(parts) + lengths)
        kind, rest = (line := self._answers.readline())[:1], line[1:].strip().decode()
        if kind in (b"", b"-"):
            raise OSError(rest or "the store has ended")
        if rest == "-1":
            return None
        return self._answers.read(int(rest) + 2)[:-2].decode() if kind == b"$" else rest
