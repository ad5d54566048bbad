"""One HTTP connection, with bounds on everything beside bodies.

The server's own protocol waits for ever for the end of a request's head, and keeps head, trailers
and half a header in memory however long they get. Bodies have bounds of their own (`api.body`).
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""From the connection, or from the first byte of a further request, to the end of its head."""
MAX_HEAD_BYTES = 65_536
"""Of address, headers and trailers, beyond the bytes that were read with the first of them."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
_FRAMING = 8
"""A byte of framing for so many of a body is nothing to wonder at: chunks may be small."""


class Connection(HttpToolsProtocol):
    """Hangs up on whoever takes too long over a head, or makes it too large."""

    _waiting: asyncio.TimerHandle | None = None
    _has_begun = False
    _beside_body = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server's own
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and count those that are not of a body."""
        self._has_begun = False
        super().data_received(data)
        if not self._has_begun:
            self._beside_body += len(data)
        if self._beside_body > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self._hang_up()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._has_begun, self._beside_body = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """It has ended."""
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Bytes of a body, and some framing."""
        self._beside_body -= len(body) + len(body) // _FRAMING
        super().on_body(body)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _hang_up(self) -> None:
        self._wait_no_more()
        self.transport.close()
