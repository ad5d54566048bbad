"""The HTTP client: submit signed writes and hold the proof, blocking or asynchronous."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Self

import httpx

from client.bulk import Verdict
from client.caller import CONNECT_SECONDS, MAX_CONNECTIONS, Caller, Result, Work
from client.exchange import Answer, Call, Pause
from client.personal import Personal, PersonalQuestion
from client.receipt import Receipt
from client.signing import Draft, SignedWrite

__all__ = ["AsyncClient", "Caller", "Client"]

UNAUTHORIZED = 401


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

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, work: Work[Result]) -> Result:
        answer: Answer | None = None
        while True:
            try:
                step = work.send(answer)
            except StopIteration as done:
                result: Result = done.value
                return result
            answer = None
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                continue
            token = self.caller.token
            try:
                response = self._http.request(**_arguments(step, token))
            except httpx.TransportError:
                continue  # the steps decide whether to try again
            if response.status_code == UNAUTHORIZED and self.caller.renew_token(token):
                continue
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
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)

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

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self, work: Work[Result]) -> Result:
        answer: Answer | None = None
        while True:
            try:
                step = work.send(answer)
            except StopIteration as done:
                result: Result = done.value
                return result
            answer = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            token = self.caller.token
            try:
                response = await self._request(step, token)
            except httpx.TransportError:
                continue  # the steps decide whether to try again
            if response.status_code == UNAUTHORIZED and self.caller.renew_token(token):
                continue
            answer = _answer(response)

    async def _request(self, step: Call, token: str) -> httpx.Response:
        async with self._turns:
            http = self._idle.pop() if self._idle else httpx.AsyncClient(**self.caller.options())
            try:
                return await http.request(**_arguments(step, token))
            finally:
                self._idle.append(http)


def _arguments(step: Call, token: str) -> dict[str, Any]:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return {
        "method": step.method,
        "url": step.path,
        "headers": {**authorization, **step.headers},
        "content": step.content,
        "timeout": httpx.Timeout(step.seconds, connect=CONNECT_SECONDS),
    }


def _answer(response: httpx.Response) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content)


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    """Return keyword arguments as header names: ``idempotency_key`` is ``idempotency-key``."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
