"""The HTTP client: submit signed writes and hold the proof, blocking or asynchronous."""

import asyncio
import ssl
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from client.bulk import Verdict, bulk_submission
from client.errors import ProblemError, ReceiptError, RefutedError
from client.exchange import Answer, Call, Patience, Pause, await_receipt, call, submission
from client.key_history import LOG_KEYS
from client.log_keys import follow_history
from client.personal import Personal, PersonalQuestion, asking
from client.receipt import Receipt
from client.signing import AuthorKey, Draft, SignedWrite
from client.trust import Trust
from ledger.errors import NoteError
from ledger.jcs import canonical

_Result = TypeVar("_Result")
_Work = Generator[Call | Pause, Answer | None, _Result]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0  # the server answers a write within about 2 s, later ones with 202
_MAX_CONNECTIONS = 64


@dataclass(slots=True)
class Caller:
    """Who calls which log.

    Attributes:
        base_url: Where the server is, without a path.
        token: Bearer token; empty for what is public.
        trust: The log that is meant; follows proven rotations of its keys.
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
        key = self._author()
        if isinstance(write, Draft):
            write = key.sign(self.trust.origin, write)
        answer = yield from submission(path, write, self.patience)
        receipt = yield from self._believe(answer)
        receipt.verify_write(write, key)
        return receipt

    def bulk_submission(self, writes: Sequence[Draft | SignedWrite]) -> _Work[list[Verdict]]:
        """Return the steps that submit many writes; the drafts are signed here, as one batch."""
        drafts = [write for write in writes if isinstance(write, Draft)]
        batch = iter(self._author().sign_batch(self.trust.origin, drafts) if drafts else ())
        signed = [next(batch) if isinstance(write, Draft) else write for write in writes]
        return (yield from bulk_submission(signed, self.patience))

    def receipt(self, address: str, write: SignedWrite | None) -> _Work[Receipt]:
        """Return the steps that ask for a receipt, and verify it, for this write if it is known."""
        answer = yield from await_receipt(address, self.patience)
        receipt = yield from self._believe(answer)
        if write is not None:
            receipt.verify_write(write, self._author())
        return receipt

    def _author(self) -> AuthorKey:
        if self.key is None:
            raise TypeError("A caller without an author key cannot write.")
        return self.key

    def _believe(self, answer: Answer) -> _Work[Receipt]:
        """Verify a receipt; where the log's keys were rotated, by those that succeeded ours."""
        try:
            return Receipt.verify(answer.json(), self.trust)
        except ReceiptError as refused:
            if not isinstance(refused.__cause__, NoteError):
                raise
            followed = yield from self._follow_keys()
            receipt = Receipt.verify(answer.json(), followed)
        self.trust = followed
        return receipt

    def _follow_keys(self) -> _Work[Trust]:
        try:
            answer = yield from call(Call("GET", f"/{LOG_KEYS}"), self.patience)
        except ProblemError:
            return self.trust
        try:
            return follow_history(self.trust, answer.content)
        except RefutedError as error:
            raise ReceiptError("The history of the log's keys does not hold.") from error

    def asking(self, question: PersonalQuestion) -> _Work[Personal]:
        """Return the steps that ask for personal values."""
        return asking(question, self.trust.origin, self.patience)

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

    def submit_batch(self, writes: Sequence[Draft | SignedWrite]) -> list[Verdict]:
        """Submit up to 1,000 writes in one request and return what became of each, in order.

        Args:
            writes: Drafts, which one signature here covers, or writes that were signed before. Of
                one stream they are taken in this order.

        Raises:
            ProblemError: If the server refused the request as a whole.
            UnavailableError: If the outcome stayed unknown; submit the same writes again.
            ReceiptError: If the answer is not a verdict for each of them.
        """
        return self._run(self.caller.bulk_submission(writes))

    def receipt(self, address: str, write: SignedWrite | None = None) -> Receipt:
        """Wait for the receipt at an address, verify it and return it.

        Args:
            address: Of the receipt, as a ``Verdict`` names it.
            write: What it must prove; None for any entry.

        Raises:
            ProblemError: If the server refused it.
            UnavailableError: If no checkpoint covered it in time.
            ReceiptError: If the receipt does not prove what it says.
        """
        return self._run(self.caller.receipt(address, write))

    def personal(self, question: PersonalQuestion) -> Personal:
        """Ask for personal values of entries; the journal notes who asked, and why.

        Raises:
            ProblemError: If the server refused.
            UnavailableError: If it did not answer usefully.
            PersonalError: If the answer does not open, or is in clear where it must not be.
        """
        return self._run(self.caller.asking(question))

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

    async def submit_batch(self, writes: Sequence[Draft | SignedWrite]) -> list[Verdict]:
        """Submit many writes; as ``Client.submit_batch``."""
        return await self._run(self.caller.bulk_submission(writes))

    async def receipt(self, address: str, write: SignedWrite | None = None) -> Receipt:
        """Wait for a receipt; as ``Client.receipt``."""
        return await self._run(self.caller.receipt(address, write))

    async def personal(self, question: PersonalQuestion) -> Personal:
        """Ask for personal values; as ``Client.personal``."""
        return await self._run(self.caller.asking(question))

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
