"""A follower that runs through rotations of the log's keys, over a real HTTP server."""

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from client.confirming import Confirmer
from client.errors import ReceiptError, RefutedError
from client.http import Caller, Client
from client.key_history import LOG_KEYS
from client.proving import verify_file
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
            elif asked.path.startswith("/v1/receipts/"):
                position = int(asked.path.rpartition("/")[2])
                found = json.dumps(log.answer(position)).encode()
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


def test_a_client_takes_receipts_through_two_rotations_and_forgets_the_retired():
    log = RotatedLog()
    with serving(log) as url, Client(Caller(url, "", trust())) as client:
        for name in ("second", "third"):
            log.rotate(name)
            assert client.receipt(f"/v1/receipts/{len(log.lines)}").position == len(log.lines)
            assert client.caller.trust == trust(name)
        log.grow()
        log.eras = [(0, ("log",))]
        with pytest.raises(ReceiptError):
            client.receipt(f"/v1/receipts/{len(log.lines)}")
        assert client.caller.trust == trust("third")


@pytest.mark.parametrize("history", [b"", b"{}\n"])
def test_a_client_takes_no_receipt_of_a_stranger_whatever_the_history_says(history):
    log = RotatedLog()
    log.eras = [(0, ("stranger",))]
    with (
        serving(log, **{LOG_KEYS: history}) as url,
        Client(Caller(url, "", trust())) as client,
        pytest.raises(ReceiptError),
    ):
        client.receipt("/v1/receipts/3")


def filed(log, folder, suffix):
    """Files of the newest entry as its owner kept them, a receipt or a proof."""
    answer = log.answer(len(log.lines))
    (folder / "one.entry").write_text(answer["entry"])
    (folder / "one.tlog-proof").write_text(answer["proof"])
    (folder / "one.json").write_text(json.dumps(answer))
    return folder / f"one.{suffix}"


@pytest.mark.parametrize("suffix", ["json", "tlog-proof"])
def test_a_file_holds_by_the_history_of_keys_beside_it_and_not_without(tmp_path, suffix):
    log = RotatedLog()
    log.rotate("second")
    path = filed(log, tmp_path, suffix)
    with pytest.raises(RefutedError) as refuted:
        verify_file(path, trust())
    assert refuted.value.reason in {"receipt-refuted", "proof-refuted"}
    (tmp_path / LOG_KEYS).write_bytes(log.files()[LOG_KEYS])
    found = verify_file(path, trust())
    assert (found["position"], found["size"]) == (len(log.lines), len(log.lines))
    (tmp_path / LOG_KEYS).write_bytes(b"{}\n")
    with pytest.raises(RefutedError, match="key-history-malformed"):
        verify_file(path, trust())


def test_a_retired_key_s_proof_does_not_hold_for_one_who_has_followed(tmp_path):
    log = RotatedLog()
    log.rotate("second")
    (tmp_path / LOG_KEYS).write_bytes(log.files()[LOG_KEYS])
    log.eras = [(0, ("log",))]
    with pytest.raises(RefutedError, match="proof-refuted"):
        verify_file(filed(log, tmp_path, "tlog-proof"), trust("second"))
