"""The made log over HTTP: the addresses that a subscriber asks, honest or not."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cli.conformance.made_log import MadeLog
from ledger.entry import Entry
from ledger.jcs import canonical
from ledger.merkle import consistency_proof
from ledger.tiles import TileReader, parse_tile_path, tiles_for_growth, truncate_tile

TOKEN = "conformance"  # noqa: S105  it opens a made log on loopback


class LogServer:
    """Serves one log at a time, on a port of loopback that the system chooses.

    Attributes:
        log: What is shown.
        note: Its checkpoint, which may be another's.
        division: Whose entries the token may read.
    """

    def __init__(self) -> None:
        self.log = MadeLog("")
        self.note = b""
        self.division = ""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def show(self, log: MadeLog, note: bytes | None = None) -> None:
        """Show another log, under its own checkpoint or under a given one."""
        self.log, self.note = log, log.note() if note is None else note

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, target: str, authorization: str) -> tuple[int, bytes]:
        """Return status and body of a GET."""
        address = urlsplit(target)
        query = {name: int(values[0]) for name, values in parse_qs(address.query).items()}
        match address.path:
            case "/checkpoint":
                return 200, self.note
            case "/v1/entries" if authorization != f"Bearer {TOKEN}":
                return 401, b"{}"
            case "/v1/entries":
                return 200, self._entries(query["after"], query["limit"])
            case "/v1/proofs/consistency":
                return 200, self._consistency(query["old"], query["new"])
            case path if path.startswith("/tile/"):
                return 200, self._tile(path.removeprefix("/"))
        return 404, b"{}"

    def _entries(self, after: int, limit: int) -> bytes:
        previous = self.log.previous()
        lines = [
            canonical(
                {
                    "position": at + 1,
                    "entry": self.log.raws[at].decode(),
                    "previous": previous[at]._asdict(),
                }
            )
            for at in range(after, min(after + limit, len(self.log.raws)))
            if Entry.decode(self.log.raws[at]).division.startswith(self.division)
        ]
        return b"".join(line + b"\n" for line in lines)

    def _tiles(self) -> dict[tuple[int, int], bytes]:
        made = tiles_for_growth(0, self.log.leaves, lambda _level, _index: b"")
        return {(level, index): tile for level, index, tile in made}

    def _tile(self, path: str) -> bytes:
        level, index, width = parse_tile_path(path)
        return truncate_tile(self._tiles()[level, index], width)

    def _consistency(self, old: int, new: int) -> bytes:
        tiles = self._tiles()
        reader = TileReader(new, lambda level, index, _: tiles[level, index])
        hashes = consistency_proof(old, new, reader.node)
        return json.dumps({"hashes": [one.hex() for one in hashes]}).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                try:
                    authorization = self.headers.get("Authorization", "")
                    status, body = server.answer(self.path, authorization)
                except (LookupError, ValueError, ArithmeticError):
                    status, body = 404, b"{}"
                with contextlib.suppress(ConnectionError):  # a consumer that was killed meanwhile
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
