"""HTTP as uvicorn speaks it, but a request's head is bounded: it is kept before anybody is asked for a token."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
"""The most of a request's line and headers together."""


class BoundedHead(HttpToolsProtocol):
    """One connection; it is closed when a request's head grows beyond `HEAD_BYTES`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = True
        self._received = 0

    def data_received(self, data: bytes) -> None:
        """Takes in what came."""
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > HEAD_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._received = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head ends; the body is the application's to measure."""
        self._in_head = False
        super().on_headers_complete()
