"""A wire between a browser and the console that can be cut as a power loss cuts it: without a word to either end.

Afterwards another server has the address: it resets a connection that it does not know, once something comes on it.
"""

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType


class Wire:
    """Carries connections to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._generation = 0
        self._near: list[socket.socket] = []
        self._far: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """What is open now stays open and carries nothing more; what is opened from now on does."""
        self._generation += 1

    def __enter__(self) -> "Wire":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for end in (self._listener, *self._near, *self._far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._near.append(near)
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except ConnectionRefusedError:
                    near.close()
                    continue
                self._far.append(far)
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, target, self._generation), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, generation: int) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if generation == self._generation:
                    target.sendall(data)
                elif source in self._near:
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    source.close()
            if generation == self._generation:
                target.shutdown(socket.SHUT_WR)
