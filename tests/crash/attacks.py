"""Clients that mean no good, as a process of their own: `python -m tests.crash.attacks KIND PORT`.

Four of them, each ten times a second at most, until the process is ended.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

ATTACKERS = 4
PAUSE_SECONDS = 0.1
HEAD = b"POST /v1/evaluations/roll-up HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 30_000 + b"]" * 30_000
WIDE = json.dumps({f"member-{number}": [] for number in range(3_000)}).encode()
Address = tuple[str, int]
Attack = Callable[[Address], None]


def speak(address: Address, *words: bytes) -> None:
    """Say all of it, and read until the server hangs up."""
    with suppress(OSError), socket.create_connection(address, timeout=60) as client:
        for word in words:
            client.sendall(word)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65_536):
            pass


def body(content: bytes) -> tuple[bytes, bytes]:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(content), content


ATTACKS: dict[str, Attack] = {
    "many headers": lambda at: speak(at, HEAD, b"X-Many: 1\r\n" * 200_000),
    "one header without end": lambda at: speak(at, HEAD, b"X-Long: ", b"a" * (4 << 20)),
    "many ranges": lambda at: speak(
        at, b"GET /style.css HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b"0-0," * 10_000 + b"\r\n\r\n"
    ),
    "a body that says it is small": lambda at: speak(
        at,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"a" * 65_536,
    ),
    "a body that says it is large": lambda at: speak(
        at, HEAD + b"Content-Length: 99999999999\r\n\r\n", b"a" * (1 << 20)
    ),
    "deep": lambda at: speak(at, *body(DEEP)),
    "wide": lambda at: speak(at, *body(WIDE)),
    "a bomb": lambda at: speak(
        at, HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"\x1f\x8b" * 10
    ),
    "a batch without a token": lambda at: speak(
        at,
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        b"Content-Length: 16000000\r\n\r\n",
        b"{}\n" * 500_000,
    ),
    "requests in a pipeline": lambda at: speak(at, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 500),
}


def attack(kind: str, address: Address) -> None:
    while True:
        ATTACKS[kind](address)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    target = "127.0.0.1", int(sys.argv[2])
    for _ in range(ATTACKERS):
        threading.Thread(target=attack, args=(sys.argv[1], target)).start()
