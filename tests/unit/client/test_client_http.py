"""The HTTP client against a server on loopback that fails, delays and lies as servers do."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client.errors import ProblemError, ReceiptError, UnavailableError
from client.exchange import Answer, Call, Patience, Pause, call
from client.http import AsyncClient, Caller, Client
from client.sources import HttpSource
from client.verify import verify_log
from tests.unit.client.signed_log import CLINIC, ORIGIN, author, small_log, trust


class Desk:
    """Answers requests from a script; whatever the script has not is written and proven."""

    def __init__(self):
        self.log = small_log()
        self.script = []
        self.requests = []
        self.stored = {}
        self.lock = threading.Lock()

    def answer(self, method, path, headers, body):
        with self.lock:
            self.requests.append((method, path, headers, body))
            step = self.script.pop(0) if self.script else None
            if step is not None:
                return step(path, headers, body) if callable(step) else step
            return 201, {}, json.dumps(self.write(headers, body)).encode()

    def write(self, headers, body):
        """Store a signed write once for each idempotency key."""
        key = headers["idempotency-key"]
        if key not in self.stored:
            self.stored[key] = self.log.add(author(CLINIC), DeskWrite(body), DERIVED)
        return self.log.answer(self.stored[key])


DERIVED = {"effective_on": "2026-09-01"}


class DeskWrite:
    """A signed write as it arrived."""

    def __init__(self, body):
        from ledger.envelope import Envelope
        from ledger.statement import Statement

        members = json.loads(body)
        self.envelope = Envelope.from_json(members["envelope"])
        self.statement = Statement.decode(self.envelope.payload)
        self.private = members["private"]


@pytest.fixture
def desk():
    state = Desk()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self):
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = state.answer(self.command, self.path, headers, body)
            if answer is None:  # the connection is cut after the work was done
                self.close_connection = True
                return
            status, extra, content = answer
            self.send_response(status)
            for name, value in ({"content-length": str(len(content))} | extra).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = respond  # noqa: N815  names of http.server

        def log_message(self, *args):
            """Keep tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def caller(desk, **changes):
    given = {"token": "t0ken", "key": author(CLINIC), "patience": Patience(4, 2.0)}
    given |= changes
    return Caller(desk.url, trust=trust(), **given)


def draft(desk, version=0):
    return desk.log.dose(desk.log.handle(), desk.log.handle(), version)


def test_a_write_is_sent_signed_and_its_receipt_believed_only_when_it_proves(desk):
    with Client(caller(desk)) as client:
        receipt = client.submit("/v1/records/x/doses", draft(desk))
    assert receipt.position == 14
    method, path, headers, _ = desk.requests[0]
    assert (method, path) == ("POST", "/v1/records/x/doses")
    assert headers["authorization"] == "Bearer t0ken"
    assert headers["idempotency-key"]
    assert "if-match" not in headers


def test_a_write_to_an_existing_stream_says_which_version_it_saw(desk):
    stream = desk.log.lines[4].entry.stream
    with Client(caller(desk)) as client:
        client.submit("/v1/records/x/doses", desk.log.dose(stream, desk.log.handle(), 3))
    assert desk.requests[0][2]["if-match"] == '"3"'


def lost(desk):
    """Do the work, then lose the answer."""

    def step(_path, headers, body):
        desk.write(headers, body)

    return step


@pytest.mark.parametrize(
    "failure",
    [
        (503, {"retry-after": "0"}, b""),
        (429, {}, b""),
        (502, {}, b"<html>"),
        (504, {}, b""),
    ],
)
def test_a_passing_failure_is_tried_again_with_the_same_key(desk, failure):
    desk.script = [failure, failure]
    with Client(caller(desk)) as client:
        assert client.submit("/v1/records", draft(desk)).position == 14
    assert len({headers["idempotency-key"] for _, _, headers, _ in desk.requests}) == 1
    assert len({body for _, _, _, body in desk.requests}) == 1
    assert len(desk.requests) == 3


def test_a_lost_answer_does_not_double_the_write(desk):
    desk.script = [lost(desk), lost(desk)]
    with Client(caller(desk)) as client:
        assert client.submit("/v1/records", draft(desk)).position == 14
    assert len(desk.log.lines) == 14
    assert len(desk.requests) == 3


def test_retries_end(desk):
    desk.script = [(503, {}, b"")] * 9
    with Client(caller(desk)) as client, pytest.raises(UnavailableError) as caught:
        client.submit("/v1/records", draft(desk))
    assert len(desk.requests) == 4
    assert caught.value.fields["status"] == 503


def answered(patience, answers):
    """The answer to a call that gets these, and how long it paused before each further one."""
    steps, answer, pauses = call(Call("GET", "/"), patience), None, []
    following = iter(answers)
    try:
        while True:
            step = steps.send(answer)
            answer = None
            if isinstance(step, Pause):
                pauses.append(step.seconds)
            else:
                answer = next(following)
    except StopIteration as done:
        return done.value, pauses


BUSY, DONE = Answer(503, {"retry-after": "7"}, b""), Answer(200, {}, b"")


def test_a_long_run_waits_for_a_busy_server_however_long_and_as_long_as_it_is_told():
    answer, pauses = answered(Patience(2, waits_out=True), [*[BUSY] * 1_000, DONE])
    assert (answer, pauses) == (DONE, [7.0] * 1_000)


def test_a_long_run_counts_requests_without_an_answer_from_the_last_answer_on():
    answer, _ = answered(Patience(2, waits_out=True), [None, BUSY, None, BUSY, None, DONE])
    assert answer == DONE
    with pytest.raises(UnavailableError):
        answered(Patience(2, waits_out=True), [BUSY, None, None, DONE])


def test_a_token_that_expired_is_read_anew_and_the_same_token_is_not_tried_again(desk):
    tokens, refusal = ["second", "second"], (401, {}, b"{}")
    desk.script = [refusal]
    who = caller(desk, token="first", fresh_token=lambda: tokens.pop(0))
    with Client(who) as client:
        client.submit("/v1/records/x/doses", draft(desk))
        sent = [headers["authorization"] for _, _, headers, _ in desk.requests]
        assert sent == ["Bearer first", "Bearer second"]
        desk.script = [refusal]
        with pytest.raises(ProblemError):
            client.submit("/v1/records/x/doses", draft(desk))
    assert len(desk.requests) == 3


def test_a_server_that_is_not_there_is_unavailable(desk):
    nobody = Caller("http://127.0.0.1:9", "", trust(), author(CLINIC), Patience(2))
    with Client(nobody) as client, pytest.raises(UnavailableError):
        client.submit("/v1/records", draft(desk))


def test_a_refusal_is_raised_with_its_problem_and_not_repeated(desk):
    problem = {"type": "/problems/version-conflict", "title": "Moved on", "status": 412}
    desk.script = [
        (412, {"content-type": "application/problem+json"}, json.dumps(problem).encode())
    ]
    with Client(caller(desk)) as client, pytest.raises(ProblemError) as caught:
        client.submit("/v1/records", draft(desk))
    assert (caught.value.status, caught.value.problem) == (412, problem)
    assert len(desk.requests) == 1


def accepted(desk):
    def step(_path, headers, body):
        desk.write(headers, body)
        return 202, {"location": "/v1/receipts/14"}, b"{}"

    return step


def receipt_of(desk):
    return lambda *_: (200, {}, json.dumps(desk.log.answer(14)).encode())


def test_an_accepted_write_is_waited_for(desk):
    missing = (404, {}, b"{}")
    desk.script = [accepted(desk), missing, missing, receipt_of(desk)]
    with Client(caller(desk)) as client:
        assert client.submit("/v1/records", draft(desk)).position == 14
    paths = [(method, path) for method, path, _, _ in desk.requests]
    assert paths == [("POST", "/v1/records"), *[("GET", "/v1/receipts/14")] * 3]


def test_a_receipt_that_never_comes_is_said_so(desk):
    desk.script = [accepted(desk)] + [(404, {}, b"{}")] * 20
    with (
        Client(caller(desk, patience=Patience(4, 0.6))) as client,
        pytest.raises(UnavailableError, match="No checkpoint"),
    ):
        client.submit("/v1/records", draft(desk))


def test_a_location_on_another_host_is_not_followed(desk):
    desk.script = [(202, {"location": "https://elsewhere.example/"}, b"{}")]
    with Client(caller(desk)) as client, pytest.raises(ReceiptError):
        client.submit("/v1/records", draft(desk))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"<html>"])
def test_an_answer_that_is_no_receipt_is_refused(desk, content):
    desk.script = [(201, {}, content)]
    with Client(caller(desk)) as client, pytest.raises(ReceiptError):
        client.submit("/v1/records", draft(desk))


def test_the_receipt_of_another_write_is_refused(desk):
    desk.script = [lambda *_: (201, {}, json.dumps(desk.log.answer(13)).encode())]
    with Client(caller(desk)) as client, pytest.raises(ReceiptError):
        client.submit("/v1/records", draft(desk))


def test_many_writes_at_a_time_each_get_their_own_receipt(desk):
    drafts = [draft(desk) for _ in range(20)]
    desk.script = [(503, {"retry-after": "0"}, b"")] * 5

    async def run():
        async with AsyncClient(caller(desk)) as client:
            return await asyncio.gather(*(client.submit("/v1/records", one) for one in drafts))

    receipts = asyncio.run(run())
    assert sorted(receipt.position for receipt in receipts) == list(range(14, 34))
    assert {str(one.stream) for one in drafts} == {str(r.entry.stream) for r in receipts}


def test_a_reader_without_a_key_cannot_write(desk):
    with Client(caller(desk, key=None)) as client:
        desk.script = [(200, {}, b'{"size": 3}')]
        assert client.request("GET", "/v1/anything").json() == {"size": 3}
        with pytest.raises(TypeError):
            client.submit("/v1/records", draft(desk))


def test_a_signed_write_can_be_sent_again_later(desk):
    write = author(CLINIC).sign(ORIGIN, draft(desk))
    with Client(caller(desk)) as client:
        assert [client.submit("/v1/records", write).position for _ in range(3)] == [14] * 3


def test_a_log_on_a_server_is_verified_whole_and_the_connections_are_closed(desk):
    """The server has no partial files beside full ones: 404 sends the reader to the full one."""
    files = small_log(children=300, doses=1).files(300)
    larger = small_log(children=300, doses=1).files()
    for stem in ("tile/entries/001", "envelopes/001", "tile/0/001"):
        del files[f"{stem}.p/44"]
        files[stem] = larger[stem]

    def serve(path, _headers, _body):
        content = files.get(path.removeprefix("/"))
        return (404, {}, b"{}") if content is None else (200, {}, content)

    desk.script = [serve] * 20
    with HttpSource(caller(desk, key=None)) as source:
        assert verify_log(source, trust()).counts.envelopes == 300
    with pytest.raises(RuntimeError, match="closed"):
        source.read("checkpoint")
