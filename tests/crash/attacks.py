"""Clients that mean no good, as a process of their own: `python -m tests.crash.attacks KIND PORT`.

Four of them, each ten times a second at most, until the process is ended; `all` is all kinds, one
after the other. Those with a token in their hands read it from standard input. It runs at the
lowest priority: what is measured is what they cost the server, not what they cost this machine.
"""

import io
import itertools
import json
import os
import socket
import sys
import threading
import time
import zipfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from openpyxl import Workbook

ATTACKERS = 4
PAUSE_SECONDS = 0.1
KEPT = 400
HEAD = (
    b"POST /v1/evaluations/roll-up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\n"
)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close"
DEEP = b"[" * 8_000 + b"]" * 8_000
WIDE = json.dumps({f"member-{number}": [] for number in range(700)}).encode()
QUOTES = b"[" * 40 + b'"\\' * 8_000


def wide(most: int) -> bytes:
    """JSON of so many bytes that takes longest to read: arrays and numbers, a space before them."""
    arrays = b"[ " + b"[]," * 1_000
    return arrays + b"1," * ((most - len(arrays)) // 2 - 1) + b"1]"


ALLOWED, ALLOWED_WITH_A_TOKEN = wide(16_384), wide(65_536)


def history(doses: list[dict[str, str]]) -> bytes:
    asked = {"birth_date": "2020-08-01", "asked_on": "2026-09-02", "doses": doses}
    return json.dumps(asked).encode()


HISTORY = history(
    [
        {"vaccine": "0201", "date": f"202{day % 6}-{day % 12 + 1:02}-{day % 28 + 1:02}"}
        for day in range(1_400)
    ]
)
LIFE = history(
    [
        {"vaccine": "DTaP-IPV-Hib", "date": f"202{day % 6}-{day % 12 + 1:02}-01"}
        for day in range(100)
    ]
)
FORM = {b"school_year": b"2026", b"joined_on": b"2026-09-01"}
HEADS = ("班级", "姓名", "出生日期")
SHORT = b'<dimension ref="A1:A1" />'
SHEET = b"<sheetData>%s</sheetData>"
NOBODY = b"0192f0c1-2d3e-7a4b-8c5d-6e7f80910212"
Address = tuple[str, int]
Attack = Callable[[Address], None]
_kept: deque[socket.socket] = deque(maxlen=KEPT)


def speak(address: Address, *words: bytes) -> None:
    """Say all of it, and read until the server hangs up."""
    with suppress(OSError), socket.create_connection(address, timeout=60) as client:
        for word in words:
            client.sendall(word)
        while client.recv(65_536):
            pass


def ask_and_not_read(address: Address) -> None:
    """Keep a connection whose answers stay on the server's side."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    with suppress(OSError):
        client.connect(address)
        client.sendall(get(b"/qr.js") * 16)
    _kept.append(client)


def connect(address: Address) -> None:
    """Come and go, a hundred times."""
    for _ in range(100):
        with suppress(OSError), socket.create_connection(address, timeout=60):
            pass


def get(path: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((b"GET " + path + b" HTTP/1.1", b"Host: x", *headers, b"", b""))


def body(content: bytes, head: bytes = HEAD) -> tuple[bytes, bytes]:
    return head + b"Content-Length: %d\r\n\r\n" % len(content), content


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def saying(*words: bytes) -> Attack:
    return lambda address: speak(address, *words)


def with_token(
    path: bytes, media: bytes, content: bytes, *headers: bytes
) -> Callable[[str], Attack]:
    """What somebody may do who has a token."""

    def of(token: str) -> Attack:
        head = b"\r\n".join(
            (
                b"POST " + path + b" HTTP/1.1",
                b"Host: x",
                b"Connection: close",
                b"Authorization: Bearer " + token.encode(),
                b"Content-Type: " + media,
                *headers,
                b"",
            )
        )
        return saying(*body(content, head))

    return of


def workbook() -> bytes:
    """The form of a class list with a workbook of a few KB that unpacks to 87,000 empty cells."""
    made, out = io.BytesIO(), io.BytesIO()
    Workbook().save(made)
    heads = b"".join(b'<c t="inlineStr"><is><t>%s</t></is></c>' % one.encode() for one in HEADS)
    rows = b"<row>%s</row>" % heads + (b"<row>" + b"<c/>" * 29 + b"</row>") * 2_990
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            text = old.read(part).replace(SHORT, b"")
            new.writestr(part, text.replace(SHEET % b"", SHEET % rows))
    pieces = [
        *(b'"%s"\r\n\r\n%s\r\n' % field for field in FORM.items()),
        b'"file"; filename="a.xlsx"\r\n\r\n' + out.getvalue(),
    ]
    said = b"".join(b"--x\r\nContent-Disposition: form-data; name=" + one for one in pieces)
    return b"%s\r\n--x--\r\n" % said


ATTACKS: dict[str, Attack] = {
    "many headers": saying(HEAD, b"X-Many: 1\r\n" * 200_000),
    "one header without end": saying(HEAD, b"X-Long: ", b"a" * (4 << 20)),
    "a long address": saying(get(b"/verify?" + b"a=1&" * 16_000, CLOSE)),
    "a cookie of escapes": saying(get(b"/sign-in", CLOSE, b'Cookie: a="' + b"\\a" * 7_000 + b'"')),
    "many ranges": saying(get(b"/style.css", CLOSE, b"Range: bytes=" + b"0-0," * 10_000)),
    "an upgrade": saying(get(b"/livez", b"Connection: Upgrade, close", b"Upgrade: websocket") * 10),
    "a token of nonsense": saying(
        get(b"/v1/head", CLOSE, b"Authorization: Bearer " + b"e30." * 1_000)
    ),
    "a body that says it is small": saying(CHUNKED, b"20000\r\n" + b"a" * 131_072),
    "a body that says it is large": saying(
        HEAD + b"Content-Length: 99999999999\r\n\r\n", b"a" * (1 << 20)
    ),
    "a body of crumbs": saying(CHUNKED, chunk(b" ") * 65_000),
    "deep": saying(*body(DEEP)),
    "wide": saying(*body(WIDE)),
    "as wide as it may be": saying(*body(ALLOWED)),
    "quotes without end": saying(*body(QUOTES)),
    "a history of 1,400 doses": saying(*body(HISTORY, HEAD.replace(b"roll-up", b"schedule"))),
    "a history as long as it may be": saying(*body(LIFE, HEAD.replace(b"roll-up", b"schedule"))),
    "no request": saying(b"nonsense\r\n\r\n"),
    "a bomb": saying(
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"\x1f\x8b" * 10
    ),
    "a form of escapes": saying(
        *body(
            b"next=" + b"%e4%b8%ad" * 1_800,
            b"POST /sign-out HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        )
    ),
    "a batch without a token": saying(
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/x-ndjson\r\n"
        b"Content-Length: 16000000\r\n\r\n",
        b"{}\n" * 500_000,
    ),
    "requests in a pipeline": saying(get(b"/livez") * 500),
    "a hundred connections": connect,
    "answers that nobody reads": ask_and_not_read,
}


FROM_OUR_PAGE = b"Sec-Fetch-Site: same-origin"
KEYED: dict[str, tuple[str, Callable[[str], Attack]]] = {
    "a batch as wide as it may be": (
        "clinic",
        with_token(b"/v1/batches", b"application/x-ndjson", (ALLOWED_WITH_A_TOKEN + b"\n") * 64),
    ),
    "a batch of nothing": (
        "clinic",
        with_token(b"/v1/batches", b"application/x-ndjson", b"{}\n" * 1_000),
    ),
    "a dose as wide as it may be": (
        "clinic",
        with_token(
            b"/v1/records/%s/doses" % NOBODY,
            b"application/json",
            ALLOWED_WITH_A_TOKEN,
            b'If-Match: "1"',
        ),
    ),
    "a workbook that unpacks": (
        "school",
        with_token(
            b"/school/class-list", b"multipart/form-data; boundary=x", workbook(), FROM_OUR_PAGE
        ),
    ),
}
"""With whose token."""
ALL = "all of them"


def attacks_of(tokens: dict[str, str]) -> dict[str, Attack]:
    """Every attack, with the tokens of a clinic and a school."""
    return ATTACKS | {kind: of(tokens[role]) for kind, (role, of) in KEYED.items()}


def attack(kinds: list[Attack], address: Address) -> None:
    for one in itertools.cycle(kinds):
        one(address)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    os.nice(19)
    target, known = ("127.0.0.1", int(sys.argv[2])), attacks_of(json.load(sys.stdin))
    print("begun", flush=True)
    chosen = list(known.values()) if sys.argv[1] == ALL else [known[sys.argv[1]]]
    for _ in range(ATTACKERS):
        threading.Thread(target=attack, args=(chosen, target)).start()
