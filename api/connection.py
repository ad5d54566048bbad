"""One HTTP connection, with bounds on everything beside the length of bodies.

The server's own protocol waits for ever for the end of a request's head, and for whoever does not
read its answer; it takes any number of headers, of requests before the first is answered, and of
chunks. All that arrives in one read is parsed before anybody else's turn, so each bound is kept
while parsing. Bodies have bounds of their own (`api.body`).
"""

import asyncio
import socket
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

MOST_CONNECTIONS = 3_000
"""Open at one time: with half a request each takes 26 KB. Not for each address, of which there is
one behind a proxy. One more takes the place of whoever has been silent longest."""
HEAD_SECONDS = 10.0
"""From the connection, or from the first byte of a further request, to the end of its head."""
READ_SECONDS = 60.0
"""What a client may take to read the next 64 KiB of its answer."""
SEND_BUFFER_BYTES = 131_072
"""Of an answer that is not read, in the system's memory; unless told, it keeps 2.5 MB."""
MAX_HEADERS = 100
"""Of one request, its trailers among them."""
MAX_ADDRESS_BYTES = 8_192
MAX_HEAD_BYTES = 16_384
"""Of all headers and trailers; and of whatever else is no body, beyond the first read of it."""
MAX_WAITING = 16
"""How many requests may wait on one connection for the answer to an earlier one."""
MAX_CRUMBS = 1_000
"""How many pieces of a body may be crumbs: each costs as much as a piece of 64 KiB."""
MAX_IGNORED_BYTES = 16 << 20
"""Of a body whose request is answered already: as much as any address takes."""
_CRUMB = 32
_FRAMING = 8
"""A byte of framing for so many of a body is nothing to wonder at: chunks may be small."""


def _refusal(status: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


_MALFORMED = _refusal(b"400 Bad Request")
_CONTENT_TOO_LARGE = _refusal(b"413 Content Too Large")
_ADDRESS_TOO_LONG = _refusal(b"414 URI Too Long")
_TOO_MANY = _refusal(b"429 Too Many Requests")
_TOO_LARGE = _refusal(b"431 Request Header Fields Too Large")
_FULL = _refusal(b"503 Service Unavailable")


class _Refused(Exception):
    """What is being parsed is refused."""


_silent: WeakKeyDictionary[ServerState, dict["Connection", None]] = WeakKeyDictionary()
"""Of each server of this process, on which connections it is the client's turn to speak or to read:
who fell silent first is first. Idle or in the middle of a body is all one: a crowd that begins
requests would else outlive whoever is between two."""


class Connection(HttpToolsProtocol):
    """Hangs up on whoever takes too long over a head or an answer, or asks for too much at once."""

    _waiting: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None
    _why = _MALFORMED
    _has_begun = False
    _beside_body = 0
    _head_bytes = 0
    _crumbs = 0
    _ignored = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server's own
        """Begin to wait for the first request, unless all who are connected are being answered."""
        super().connection_made(transport)
        self._silent = _silent.setdefault(self.server_state, {})
        if len(self.connections) > MOST_CONNECTIONS and not self._take_a_place():
            transport.write(_FULL)
            self._hang_up()
            return
        self._fall_silent()
        own = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more; the server's own protocol tells the last request alone that all is over."""
        self._silent.pop(self, None)
        self._wait_no_more()
        self._is_read()
        self.pipeline.clear()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and count those that are not of a body."""
        self._has_begun = False
        super().data_received(data)
        if not self._has_begun:
            self._beside_body += len(data)
        if self._beside_body > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._why = _TOO_LARGE
            self.send_400_response("")
        self._whose_turn()

    def on_message_begin(self) -> None:
        """A head begins."""
        if len(self.pipeline) >= MAX_WAITING:
            self._refuse(_TOO_MANY)
        super().on_message_begin()
        self._has_begun, self._beside_body, self._head_bytes = True, 0, 0
        self._crumbs = self._ignored = 0
        self._wait()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        super().on_url(url)
        if len(self.url) > MAX_ADDRESS_BYTES:
            self._refuse(_ADDRESS_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers) >= MAX_HEADERS:
            self._refuse(_TOO_LARGE)
        if b"\\" in value and name.lower() == b"cookie":
            value = value.replace(b"\\", b"")  # unescaping takes the square of their number
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """It has ended."""
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Bytes of a body, and some framing."""
        self._beside_body -= len(body) + len(body) // _FRAMING
        self._crumbs += len(body) < _CRUMB
        if self.cycle.response_complete:
            self._ignored += len(body)
        if self._crumbs > MAX_CRUMBS or self._ignored > MAX_IGNORED_BYTES:
            self._refuse(_CONTENT_TOO_LARGE)
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the server's own words
        """Say why, unless these words would be taken for the answer to an earlier request."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(self._why)
        self._hang_up()

    def on_response_complete(self) -> None:
        """Whoever asked to be left after it is left, whether it is read or not."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._hang_up()
        self._whose_turn()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked."""
        self._hang_up()

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self._wait_for_reader()
        self._fall_silent()

    def resume_writing(self) -> None:
        """It does again."""
        self._is_read()
        super().resume_writing()
        self._whose_turn()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _whose_turn(self) -> None:
        """Note since when the client is silent, unless it is the server's turn."""
        cycle = self.cycle
        is_ours = cycle is not None and not cycle.response_complete and not self.flow.write_paused
        if is_ours and (self.pipeline or not cycle.more_body):
            self._silent.pop(self, None)
        else:
            self._fall_silent()

    def _fall_silent(self) -> None:
        self._silent.pop(self, None)
        self._silent[self] = None

    def _take_a_place(self) -> bool:
        """Hang up on whoever has been silent longest; whether there was anybody."""
        longest = next(iter(self._silent), None)
        if longest is None:
            return False
        del self._silent[longest]
        longest.transport.abort()
        return True

    def _refuse(self, why: bytes) -> NoReturn:
        self._why = why
        raise _Refused

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _wait_for_reader(self) -> None:
        if self._reading is None:
            self._reading = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def _is_read(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _hang_up(self) -> None:
        self._wait_no_more()
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._wait_for_reader()
