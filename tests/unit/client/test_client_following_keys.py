"""A follower that runs through rotations of the log's keys, over a real HTTP server."""

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from client.confirming import Confirmer
from client.errors import RefutedError
from client.http import Caller
from client.remembering import Memory
from client.served import ServedLog
from client.sources import CHECKPOINT
from tests.unit.client.rotated_log import RotatedLog
from tests.unit.client.signed_log import ORIGIN, trust


@contextmanager
def serving(log: RotatedLog, **more: bytes):
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = urlsplit(self.path)
            if asked.path == "/v1/proofs/consistency":
                old, new = (int(parse_qs(asked.query)[name][0]) for name in ("old", "new"))
                proof = log.tree(new).consistency_proof(old)
                found = json.dumps({"hashes": [one.hex() for one in proof]}).encode()
            else:
                found = (log.files() | more).get(asked.path[1:])
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def renewed(url: str, *between) -> int:
    """Renew once, and again after each step; returns the size that is believed."""
    served = ServedLog(Caller(url, "", trust()))
    try:
        confirmer = Confirmer(served, Memory(ORIGIN, ""))
        await confirmer.renew()
        for step in between:
            step()
            await confirmer.renew()
        return confirmer.size
    finally:
        await served.close()


def test_a_follower_goes_on_through_two_rotations():
    log = RotatedLog()
    with serving(log) as url:
        size = asyncio.run(renewed(url, lambda: log.rotate("second"), lambda: log.rotate("third")))
    assert size == len(log.lines)


def test_a_follower_that_has_followed_refuses_the_retired_key():
    log = RotatedLog()

    def steal():
        log.grow()
        log.eras = [(0, ("log",))]

    with serving(log) as url, pytest.raises(RefutedError) as refuted:
        asyncio.run(renewed(url, lambda: log.rotate("second"), steal))
    assert refuted.value.reason == "checkpoint-not-trusted"


def test_a_stranger_s_checkpoint_is_not_trusted_whatever_the_history_says():
    log = RotatedLog()
    with (
        serving(log, **{CHECKPOINT: log.note(name="stranger")}) as url,
        pytest.raises(RefutedError) as refuted,
    ):
        asyncio.run(renewed(url))
    assert refuted.value.reason == "checkpoint-not-trusted"
