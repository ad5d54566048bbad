"""The witness as an HTTP server (C2SP tlog-witness): `python -m workers.witness FOLDER HOST PORT`.

    POST /add-checkpoint           200, or a refusal with the specification's status
    GET /<hex of SHA-256(origin)>/checkpoint    the newest cosigned note, for monitors
    GET /livez

It authenticates nobody but the log, by the log's own signature. Whatever a stranger sends costs
one bounded body, read within ten seconds, and at most the verification of one note.
"""

import asyncio
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bootstrap.errors import BootstrapError
from bootstrap.logs import configure_logging, log_unexpected_ends
from bootstrap.witness import LOGS, LogList, WitnessFolder, WitnessUnusableError
from ledger.store.witness_state import WitnessStateUnusable
from ledger.witness import (
    MAX_REQUEST_BYTES,
    SIZE_MEDIA_TYPE,
    AddCheckpoint,
    OtherSize,
    Refused,
)

HEAD_SECONDS = 10.0
MAX_HEAD_BYTES = 1 << 20
"""A chunk of the network may hold a head and all of a body, so this is no tight bound."""
BODY_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75
MAX_CONNECTIONS = 256
THREADS = 4
GRACE_SECONDS = 5

_CLOSE = {"Connection": "close"}  # the rest of the body may never come
_TEXT = "text/plain; charset=utf-8"
_ADDRESS_CHARACTERS = 64
_USAGE_ERROR = 2
_ARGUMENTS = 4

_log = structlog.get_logger("witness")


class Witness:
    """Answers requests on behalf of one folder.

    Args:
        folder: Keys and state.
        logs: The logs it watches.
        clock: Tells the time in seconds since the epoch.
    """

    def __init__(
        self, folder: WitnessFolder, logs: LogList, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._logs = logs
        self._clock = clock
        self._threads = CapacityLimiter(THREADS)

    def app(self) -> Starlette:
        """Return the routes."""
        return Starlette(
            routes=[
                Route("/add-checkpoint", self.add_checkpoint, methods=["POST"]),
                Route("/livez", _livez),
                Route("/{address}/checkpoint", self.newest),
            ],
            exception_handlers={
                WitnessStateUnusable: _unusable,
                WitnessUnusableError: _unusable,
                HTTPStatus.INTERNAL_SERVER_ERROR: _failed,
            },
        )

    async def add_checkpoint(self, request: Request) -> Response:
        """Cosign a checkpoint, or say why not."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            text = "The body did not come in time."
            return _refusal(HTTPStatus.REQUEST_TIMEOUT, text, _CLOSE)
        if body is None:
            text = "A request is at most 131,072 bytes."
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, _CLOSE)
        try:
            lines = await to_thread.run_sync(self._cosign, body, limiter=self._threads)
        except OtherSize as refused:
            # As a header, for as a media type of text it would get a charset.
            headers = {"Content-Type": SIZE_MEDIA_TYPE}
            return Response(f"{refused.size}\n", refused.status, headers)
        except Refused as refused:
            return _refusal(refused.status, refused.message)
        return Response(lines, media_type=_TEXT)

    async def newest(self, request: Request) -> Response:
        """Show a monitor what was cosigned last of a log."""
        address = request.path_params["address"]
        note = None
        if len(address) == _ADDRESS_CHARACTERS:
            note = await to_thread.run_sync(
                self._folder.state.newest, address, limiter=self._threads
            )
        if note is None:
            return _refusal(HTTPStatus.NOT_FOUND, "Nothing was cosigned of such a log.")
        return Response(note, media_type=_TEXT, headers={"Cache-Control": "public, max-age=5"})

    def _cosign(self, body: bytes) -> bytes:
        request = AddCheckpoint.parse(body)
        origin, size = request.checkpoint.origin, request.checkpoint.size
        signed = request.authenticate(self._logs.keys())
        # From here on a trusted log speaks: what it asks in vain is worth a line.
        try:
            lines = self._folder.state.cosign(
                request, signed, self._folder.cosigner, int(self._clock())
            )
        except Refused as refused:
            kind = type(refused).__name__
            _log.warning("checkpoint-refused", origin=origin, size=size, kind=kind)
            raise
        _log.debug("checkpoint-cosigned", origin=origin, size=size)
        return lines


class _Protocol(HttpToolsProtocol):
    """Closes connections whose next request does not get its head across, in time and bounds."""

    _patience: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Start to wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the wait."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is complete."""
        if self._patience is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.close()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Start to wait for the rest of a head."""
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        """The head is there; the route bounds the rest."""
        self._stop_waiting()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._head_bytes = 0
        self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def server_of(witness: Witness) -> uvicorn.Server:
    """Return the HTTP server of a witness, with its limits; it is run on a socket."""
    return uvicorn.Server(
        uvicorn.Config(
            witness.app(),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,  # ours is configured already
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def run(
    folder: WitnessFolder,
    listener: socket.socket,
    stop: threading.Event,
    logs: Path,
    ready: Callable[[], None],
) -> None:
    """Serve a witness on a listening socket until told to stop.

    Args:
        folder: The witness; its state is closed in the end.
        listener: The socket; what connects already is answered once it is ready.
        stop: Set by whoever wants an end.
        logs: File of the keys of the logs that it watches.
        ready: Called when it is.

    Raises:
        WitnessUnusableError: If the list of logs cannot be read.
    """
    server = server_of(Witness(folder, LogList(logs)))

    async def serve() -> None:
        ready()
        serving = asyncio.create_task(server._serve([listener]))  # noqa: SLF001  ours are the signals
        while not stop.is_set() and not serving.done():  # noqa: ASYNC110  set by a signal handler
            await asyncio.sleep(0.1)
        server.should_exit = True
        await serving

    try:
        asyncio.run(serve())
    finally:
        folder.state.close()


async def _body(request: Request) -> bytes | None:
    """Return the body, None for one that is too long; no more than the limit is ever held."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return bytes(body)


async def _livez(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers)


async def _unusable(_: Request, error: Exception) -> Response:
    _log.critical("witness-unusable", reason=str(error))
    return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "This witness cannot cosign at present.")


async def _failed(_: Request, error: Exception) -> Response:
    _log.error("request-failed", exc_info=error)
    return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "This request failed here.")


def main() -> int:
    """Serve the witness that the command line names until SIGTERM or SIGINT.

    Returns:
        0 after an orderly stop, 2 if it cannot start.
    """
    if len(sys.argv) != _ARGUMENTS or not sys.argv[3].isdecimal():
        print("usage: python -m workers.witness FOLDER HOST PORT", file=sys.stderr)  # noqa: T201 - a usage line
        return _USAGE_ERROR
    configure_logging()
    log_unexpected_ends()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        folder = WitnessFolder.open(Path(sys.argv[1]))
        with socket.create_server((sys.argv[2], int(sys.argv[3]))) as listener:
            name = folder.cosigner.name
            ready = partial(_log.info, "witness-ready", name=name)
            run(folder, listener, stop, folder.path / LOGS, ready)
    except (BootstrapError, OSError, OverflowError) as error:
        print(f"vaxledger: {error}", file=sys.stderr)  # noqa: T201 - a command
        return _USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
