"""A lean HTTP/1.1 caller: kept-alive connections over asyncio, little more than bytes.

The generator shares the machine with what it measures, so it must cost little. It reads answers
with a Content-Length only, which all of ours have.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

_LIMIT = 1 << 20
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Line:
    """One connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def call(self, request: bytes) -> Answer:
        """Send a request as it is and return its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(_LENGTH)
        if at < 0:
            raise RuntimeError("An answer without a length.")
        length = int(head[at + len(_LENGTH) : head.index(b"\r", at)])
        return Answer(int(head[9:12]), await self._reader.readexactly(length))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class Lines:
    """A pool of connections, for arrivals that do not wait for each other."""

    def __init__(self, lines: list[Line]) -> None:
        self._free: asyncio.Queue[Line] = asyncio.Queue()
        self.lines = lines
        for line in lines:
            self._free.put_nowait(line)

    async def call(self, request: bytes) -> Answer:
        """Send a request over the next free connection."""
        line = await self._free.get()
        try:
            return await line.call(request)
        finally:
            self._free.put_nowait(line)


@asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[Lines]:
    """Open so many connections to a port of loopback."""
    lines: list[Line] = []
    try:
        while len(lines) < count:
            lines += [Line(*await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT))]
        yield Lines(lines)
    finally:
        for line in lines:
            line.close()


def request(method: str, path: str, token: str = "", body: bytes = b"", **more: str) -> bytes:
    """Return the bytes of a request; keyword ``if_match`` is the header ``if-match``."""
    headers = {"host": "127.0.0.1"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if body:
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
