"""A window from the host into a lab: a port of 127.0.0.1 that leads to an address in the lab's network.

The host's network stays as it is. Each connection is dialled anew from inside the lab's network namespace, so after a
takeover the same port leads to the new active node.
"""

import contextlib
import ctypes
import os
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self

from bansho.lab.errors import BadSetting, WindowRefused

CLONE_NEWNET = 0x40000000  # linux/sched.h
DIAL = 5.0
"""Seconds to reach the address."""
SILENCE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000),
)
"""A node that lost its power says nothing: these end its connections within seconds, and the browser dials again."""


class Window:
    """An open window; as a context manager it closes at the end. `port` is the host's (0 asked: a free one)."""

    def __init__(self, namespace: str, target: str, port: int = 0) -> None:
        address = _address(target)
        try:
            self._server = _Server(port, namespace, address)
        except OSError as error:
            raise WindowRefused(port=port, reason=error.strerror) from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait(self) -> None:
        """Stays open until Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            self._thread.join()

    def close(self) -> None:
        """Takes no more connections; those that are open stay until either end closes."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    """A thread a connection: entering a namespace concerns one thread alone."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, namespace: str, address: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.namespace, self.address = namespace, address


class _Connection(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            enter_network(self.server.namespace)
            with socket.create_connection(self.server.address, DIAL) as inside:
                inside.settimeout(None)
                for option in SILENCE:
                    inside.setsockopt(*option)
                back = threading.Thread(target=_copy, args=(inside, self.request), daemon=True)
                back.start()
                _copy(self.request, inside)
                back.join()


def enter_network(namespace: str) -> None:
    """Moves the calling thread into a network namespace (a path such as /proc/PID/ns/net) for the rest of its life."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns", namespace)
    finally:
        os.close(descriptor)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Until the source's end; an error on either side closes both."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _address(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 1 << 16:
        raise BadSetting(setting="target", value=target, expected="ADDRESS:PORT")
    return host, int(port)
