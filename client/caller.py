"""Who calls which log: what a call of either client does, step by step, without doing it."""

import ssl
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import httpx

from client.bulk import Verdict, bulk_submission
from client.errors import ProblemError, ReceiptError, RefutedError
from client.exchange import (
    ANSWER_SECONDS,
    Answer,
    Call,
    Patience,
    Pause,
    await_receipt,
    call,
    submission,
)
from client.key_history import LOG_KEYS
from client.log_keys import follow_history
from client.personal import Personal, PersonalQuestion, asking
from client.receipt import Receipt
from client.signing import AuthorKey, Draft, SignedWrite
from client.trust import Trust
from ledger.errors import NoteError
from ledger.jcs import canonical

Result = TypeVar("Result")
Work = Generator[Call | Pause, Answer | None, Result]
"""Steps that a client takes one after the other; each gets what the one before brought."""

CONNECT_SECONDS = 5.0
MAX_CONNECTIONS = 64


@dataclass(slots=True)
class Caller:
    """Who calls which log.

    Attributes:
        base_url: Where the server is, without a path.
        token: Bearer token; empty for what is public.
        trust: The log that is meant; follows proven rotations of its keys.
        key: The author's key; None for one who only reads.
        patience: How long a call is pursued.
        fresh_token: Reads the token anew when it is refused; one that has expired may have been
            replaced meanwhile.
    """

    base_url: str
    token: str
    trust: Trust
    key: AuthorKey | None = None
    patience: Patience = field(default_factory=Patience)
    fresh_token: Callable[[], str] | None = None

    def renew_token(self, refused: str) -> bool:
        """Take another token than the one that was refused, and tell whether there is one."""
        if self.fresh_token is not None:
            self.token = self.fresh_token()
        return self.token != refused

    def options(self) -> dict[str, Any]:
        """Return the options of the HTTP library's client."""
        return {
            "base_url": self.base_url,
            "timeout": httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            "limits": httpx.Limits(
                max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS
            ),
            "trust_env": False,
            "verify": _tls(),
        }

    def submission(self, path: str, write: Draft | SignedWrite) -> Work[Receipt]:
        """Return the steps that submit a write, which is signed here if it is a draft."""
        key = self._author()
        if isinstance(write, Draft):
            write = key.sign(self.trust.origin, write)
        answer = yield from submission(path, write, self.patience)
        receipt = yield from self._believe(answer)
        receipt.verify_write(write, key)
        return receipt

    def bulk_submission(self, writes: Sequence[Draft | SignedWrite]) -> Work[list[Verdict]]:
        """Return the steps that submit many writes; the drafts are signed here, as one batch."""
        drafts = [write for write in writes if isinstance(write, Draft)]
        batch = iter(self._author().sign_batch(self.trust.origin, drafts) if drafts else ())
        signed = [next(batch) if isinstance(write, Draft) else write for write in writes]
        return (yield from bulk_submission(signed, self.patience))

    def receipt(self, address: str, write: SignedWrite | None) -> Work[Receipt]:
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

    def _believe(self, answer: Answer) -> Work[Receipt]:
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

    def _follow_keys(self) -> Work[Trust]:
        try:
            answer = yield from call(Call("GET", f"/{LOG_KEYS}"), self.patience)
        except ProblemError:
            return self.trust
        try:
            return follow_history(self.trust, answer.content)
        except RefutedError as error:
            raise ReceiptError("The history of the log's keys does not hold.") from error

    def asking(self, question: PersonalQuestion) -> Work[Personal]:
        """Return the steps that ask for personal values."""
        return asking(question, self.trust.origin, self.patience)

    def request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Work[Answer]:
        """Return the steps of any other request; ``body`` is JSON, or None for none."""
        content = None
        if body is not None:
            content = canonical(body)
            headers = {"Content-Type": "application/json"} | headers
        return call(Call(method, path, headers, content), self.patience)


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificate authorities once: that takes as long as many requests."""
    return httpx.create_ssl_context(trust_env=False)
