"""Clients that dawdle, shout or ask for everything at once, beside one that is served."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psutil
import pytest
from structlog.testing import capture_logs

from api import connection
from tests.integration.api.conftest import County, Served, listening, register

WAIT = 60
CROWD = 100
LEFT = 499


@pytest.fixture
def address(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server of its own that waits for a tenth of a second only."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(connection, "READ_SECONDS", 0.1)
    served = county.served
    with listening(served.parts, served.views) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def connected(served: Served) -> socket.socket:
    """A connection to the server that all tests share, which waits as it does in earnest."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=WAIT)


def answer_to(client: socket.socket) -> bytes:
    """Everything until the server hangs up."""
    said = b""
    try:
        while chunk := client.recv(65_536):
            said += chunk
    except ConnectionError:  # it hung up while bytes were on their way to it
        pass
    return said


@pytest.mark.parametrize(
    "first",
    [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /l"],
    ids=["nothing", "half a head", "half a second head"],
)
def test_whoever_dawdles_over_a_head_is_left(address: tuple[str, int], first: bytes):
    with socket.create_connection(address, timeout=WAIT) as client:
        client.sendall(first)
        said = answer_to(client)  # or no end within a minute, which is an error
    assert said.count(b"HTTP/1.1 ") <= first.count(b"\r\n\r\n")


POST = (
    b"POST /v1/evaluations/roll-up HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
ENDLESS = {
    "one header": (b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * 65_536),
    "many headers": (b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"X-Many: 1\r\n" * 6_000),
    "the address": (b"GET /livez?", b"a" * 65_536),
    "trailers": (POST + b"2\r\n{}\r\n0\r\n", b"X-Trailer: 1\r\n" * 5_000),
    "chunks of nothing but an extension": (POST + b"1;", b"a" * 65_536),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_what_has_no_end_ends_soon(county: County, case: str):
    start, more = ENDLESS[case]
    with connected(county.served) as client:
        client.sendall(start)
        sent = 0
        try:
            while sent < 64 << 20:  # far beyond any buffer between the two
                client.sendall(more)
                sent += len(more)
        except ConnectionError:
            pass
        assert sent < 64 << 20


TOO_MUCH = {
    "headers": (b"X-Many: 1\r\n" * connection.MAX_HEADERS, 431),
    "of a header": (b"X-Long: " + b"a" * connection.MAX_HEAD_BYTES + b"\r\n", 431),
    "of an address": (b"", 414),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_what_is_too_much_is_told_so(county: County, case: str):
    headers, status = TOO_MUCH[case]
    address = b"/livez" + b"?" * (connection.MAX_ADDRESS_BYTES * (not headers))
    with connected(county.served) as client:
        client.sendall(b"GET " + address + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")
        assert answer_to(client).startswith(b"HTTP/1.1 %d " % status)


def test_whoever_does_not_read_is_left(address: tuple[str, int]):
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        client.settimeout(WAIT)
        client.connect(address)
        client.sendall(b"GET /qr.js HTTP/1.1\r\nHost: x\r\n\r\n" * connection.MAX_WAITING)
        assert client.recv(1)
        deadline = time.monotonic() + WAIT
        while is_kept(client):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert answer_to(client).count(b"/1.1 200 OK\r\n") < connection.MAX_WAITING


def is_kept(client: socket.socket) -> bool:
    """Whether the server, which runs in this process, holds its end of a connection."""
    number = client.getsockname()[1]
    return any(one.raddr and one.raddr.port == number for one in psutil.Process().net_connections())


def test_requests_may_wait_for_each_other_if_they_are_few(county: County):
    few = [b"GET /livez HTTP/1.1\r\nHost: x\r\n"] * connection.MAX_WAITING
    with connected(county.served) as client:
        client.sendall(b"\r\n".join(few) + b"Connection: close\r\n\r\n")
        assert answer_to(client).count(b"HTTP/1.1 200 ") == len(few)
    with connected(county.served) as client:
        client.sendall(b"\r\n".join([*few, *few, b""]))
        assert answer_to(client).count(b"HTTP/1.1 ") <= len(few)


def test_escapes_in_cookies_are_not_read(county: County):
    """The framework reads them in a time that grows with the square of their number."""
    for value, language in (('"en"', "en"), (r'"\145n"', "zh-CN")):
        page = county.served.http.get("/sign-in", headers={"Cookie": f"language={value}"})
        assert page.headers["content-language"] == language


def test_a_body_of_crumbs_is_left(county: County):
    with connected(county.served) as client:
        with suppress(ConnectionError):
            client.sendall(POST + b"1\r\n \r\n" * (connection.MAX_CRUMBS + 2))
        assert answer_to(client) == b""


def test_many_ranges_are_one_answer(county: County):
    ranges = ",".join(f"{n}-{n}" for n in range(1_000))
    answer = county.served.http.get("/style.css", headers={"Range": f"bytes={ranges}"})
    assert answer.status_code == 200
    assert answer.content == county.served.http.get("/style.css").content


def test_a_crowd_that_says_nothing_keeps_nobody_waiting(county: County):
    with ExitStack() as crowd:
        for _ in range(CROWD):
            client = crowd.enter_context(connected(county.served))
            client.sendall(
                b"POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{"
            )
        for _ in range(10):
            assert county.served.http.get("/livez").status_code == 200


def test_one_more_than_may_be_connected_is_sent_away(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 0)
    with socket.create_connection(address, timeout=WAIT) as client:
        assert answer_to(client).startswith(b"HTTP/1.1 503 ")
    monkeypatch.undo()
    with socket.create_connection(address, timeout=WAIT) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer_to(client).startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def patient(county: County) -> Iterator[tuple[str, int]]:
    """A server of its own that waits as it does in earnest."""
    with listening(county.served.parts, county.served.views) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


SILENT = {
    "nothing": b"",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: x\r\n",
    "no second request": b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a body": POST + b"1",
}


def test_one_more_than_may_be_connected_takes_the_place_of_the_silent(
    patient: tuple[str, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", len(SILENT))
    with ExitStack() as crowd:
        crowded = []
        for words in SILENT.values():
            client = crowd.enter_context(socket.create_connection(patient, timeout=WAIT))
            client.sendall(words)
            crowded.append(client)
        for _ in SILENT:
            newcomer = crowd.enter_context(socket.create_connection(patient, timeout=WAIT))
            newcomer.sendall(SILENT["no second request"])
            assert newcomer.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert [answer_to(client).count(b"HTTP/1.1 ") for client in crowded] == [0, 0, 1, 0]


def test_whoever_is_being_answered_keeps_the_place(
    county: County, patient: tuple[str, int], monkeypatch: pytest.MonkeyPatch
):
    asked = b"GET /v1/offers?product=none&division=410299&at_least=%d" % (county.served.head() + 1)
    with socket.create_connection(patient, timeout=WAIT) as client:
        client.sendall(
            SILENT["no second request"]
            + asked
            + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        monkeypatch.setattr(connection, "MOST_CONNECTIONS", 1)
        with socket.create_connection(patient, timeout=WAIT) as newcomer:
            assert answer_to(newcomer).startswith(b"HTTP/1.1 503 ")
        monkeypatch.undo()
        register(county.clinic)
        assert answer_to(client).startswith(b"HTTP/1.1 200 ")


def test_a_body_in_small_chunks_is_taken(county: County):
    """Framing is counted against its body."""

    def chunks() -> Iterator[bytes]:
        yield b'{"rows": ['
        yield from (b"0, " * 20 for _ in range(250))
        yield b"0]}"

    answer = county.served.http.post(
        "/v1/evaluations/roll-up",
        content=chunks(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_who_leaves_in_the_middle_is_no_failure_of_ours(county: County):
    before = left(county)
    with capture_logs() as lines:
        with connected(county.served) as client:
            client.sendall(POST + b"1\r\n{\r\n")
        deadline = time.monotonic() + WAIT
        while left(county) == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert [line for line in lines if line["log_level"] == "error"] == []


def left(county: County) -> list[str]:
    """The counts of requests to which no answer came."""
    lines = county.served.http.get("/metrics").text.splitlines()
    return [line for line in lines if f'status="{LEFT}"' in line and "requests_total" in line]
