"""The HTTP client: submit signed writes and hold the proof, blocking or asynchronous."""

import asyncio
import ssl
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from client.exchange import Answer, Call, Patience, Pause, call, submission
from client.receipt import Receipt
from client.signing import AuthorKey, Draft, SignedWrite
from client.trust import Trust
from ledger.jcs import canonical

_Result = TypeVar("_Result")
_Work = Generator[Call | Pause, Answer | None, _Result]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0  # the server answers a write within about 2 s, later ones with 202
_MAX_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls which log.

    Attributes:
        base_url: Where the server is, without a path.
        token: Bearer token; empty for what is public.
        trust: The log that is meant.
        key: The author's key; None for one who only reads.
        patience: How long a call is pursued.
    """

    base_url: str
    token: str
    trust: Trust
    key: AuthorKey | None = None
    patience: Patience = field(default_factory=Patience)

    def options(self) -> dict[str, Any]:
        """Return the options of the HTTP library's client."""
        return {
            "base_url": self.base_url,
            "headers": {"Authorization": f"Bearer {self.token}"} if self.token else {},
            "timeout": httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            "limits": httpx.Limits(
                max_connections=_MAX_CONNECTIONS, max_keepalive_connections=_MAX_CONNECTIONS
            ),
            "trust_env": False,
            "verify": _tls(),
        }

    def submission(self, path: str, write: Draft | SignedWrite) -> _Work[Receipt]:
        """Return the steps that submit a write, which is signed here if it is a draft."""
        if self.key is None:
            raise TypeError("A caller without an author key cannot write.")
        if isinstance(write, Draft):
            write = self.key.sign(self.trust.origin, write)
        return submission(path, write, self.key, self.trust, self.patience)

    def request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> _Work[Answer]:
        """Return the steps of any other request; ``body`` is JSON, or None for none."""
        content = None
        if body is not None:
            content = canonical(body)
            headers = {"Content-Type": "application/json"} | headers
        return call(Call(method, path, headers, content), self.patience)


class Client:
    """A blocking client over pooled connections; safe to share between threads.

    Args:
        caller: Who calls which log.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._http = httpx.Client(**caller.options())

    def submit(self, path: str, write: Draft | SignedWrite) -> Receipt:
        """Submit a write, wait for its receipt, verify it and return it.

        Args:
            path: Such as ``/v1/records/<id>/doses``.
            write: A draft, or a write that was signed before and may have been sent already.

        Raises:
            ProblemError: If the server refused it.
            UnavailableError: If the outcome stayed unknown; submit the same write again.
            ReceiptError: If the receipt does not prove what was signed.
        """
        return self._run(self.caller.submission(path, write))

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Make another request; repeated as writes are, so a POST needs an idempotency key.

        Raises:
            ProblemError: If the server refused it.
            UnavailableError: If it was not answered usefully.
        """
        return self._run(self.caller.request(method, path, body, _header_names(headers)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, work: _Work[_Result]) -> _Result:
        answer: Answer | None = None
        while True:
            try:
                step = work.send(answer)
            except StopIteration as done:
                result: _Result = done.value
                return result
            answer = None
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                continue
            try:
                response = self._http.request(**_arguments(step))
            except httpx.TransportError:
                continue  # the steps decide whether to try again
            answer = _answer(response)


class AsyncClient:
    """The same for asyncio, for many writes at a time.

    Args:
        caller: Who calls which log.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        # One pool for each request under way: a pool looks at all its connections for every
        # request, which for 32 of them costs more than the request itself.
        self._idle: list[httpx.AsyncClient] = []
        self._turns = asyncio.Semaphore(_MAX_CONNECTIONS)

    async def submit(self, path: str, write: Draft | SignedWrite) -> Receipt:
        """Submit a write; as ``Client.submit``."""
        return await self._run(self.caller.submission(path, write))

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Make another request; as ``Client.request``."""
        return await self._run(self.caller.request(method, path, body, _header_names(headers)))

    async def close(self) -> None:
        """Close the connections."""
        while self._idle:
            await self._idle.pop().aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, work: _Work[_Result]) -> _Result:
        answer: Answer | None = None
        while True:
            try:
                step = work.send(answer)
            except StopIteration as done:
                result: _Result = done.value
                return result
            answer = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            try:
                response = await self._request(step)
            except httpx.TransportError:
                continue  # the steps decide whether to try again
            answer = _answer(response)

    async def _request(self, step: Call) -> httpx.Response:
        async with self._turns:
            http = self._idle.pop() if self._idle else httpx.AsyncClient(**self.caller.options())
            try:
                return await http.request(**_arguments(step))
            finally:
                self._idle.append(http)


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificate authorities once: that takes as long as many requests."""
    return httpx.create_ssl_context(trust_env=False)


def _arguments(step: Call) -> dict[str, Any]:
    return {
        "method": step.method,
        "url": step.path,
        "headers": dict(step.headers),
        "content": step.content,
    }


def _answer(response: httpx.Response) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content)


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    """Return keyword arguments as header names: ``idempotency_key`` is ``idempotency-key``."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
