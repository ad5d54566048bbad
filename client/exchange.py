"""One write as steps without I/O: what is sent, what is repeated, what is believed.

A step is a ``Call`` to make or a ``Pause`` to wait; the driver answers each call with an
``Answer``, or with None when the connection failed. The blocking and the asynchronous client
differ only in how they drive these steps.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from client.errors import ProblemError, ReceiptError, UnavailableError
from client.signing import SignedWrite

CREATED = (200, 201)
ACCEPTED = 202
NOT_FOUND = 404
AGAIN = (429, 502, 503, 504)
_BUSY = (429, 503)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_LONGEST_OBEYED = 30.0
_RECEIPT_PAUSE = 0.2
_OK = range(200, 300)
ANSWER_SECONDS = 30.0
"""The server answers a write within about 2 s, later ones with 202."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make.

    Attributes:
        method: HTTP method.
        path: Path and query below the base URL.
        headers: Further headers.
        content: The body.
        seconds: How long to wait for the answer.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    seconds: float = ANSWER_SECONDS


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds to wait before the next step."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ReceiptError: If it is none.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise ReceiptError("The server's answer is not JSON.") from error


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one write is pursued.

    Attributes:
        attempts: Most requests with the same idempotency key.
        receipt_seconds: How long to wait for the receipt of an accepted write.
        waits_out: Whether a server that is there and takes nothing now (429, 503) is waited for
            however long that lasts. Only requests that it does not answer are counted then, from
            its last answer on.
    """

    attempts: int = 8
    receipt_seconds: float = 30.0
    waits_out: bool = False


OF_A_LONG_RUN = Patience(attempts=120, waits_out=True)
"""A server that is away altogether is waited for some ten minutes."""

Steps = Generator[Call | Pause, Answer | None, Answer]


def call(request: Call, patience: Patience) -> Steps:
    """Make a request that may be repeated, until it is answered or patience ends.

    Raises:
        ProblemError: If the server refused it.
        UnavailableError: If no attempt was answered usefully.
    """
    pause = _FIRST_PAUSE
    status = None
    failed = 0
    while failed < patience.attempts:
        answer = yield request
        status = answer and answer.status
        if answer is not None and answer.status not in AGAIN:
            if answer.status not in _OK:
                raise ProblemError(answer.status, _problem(answer))
            return answer
        is_waited_for = patience.waits_out and status in _BUSY
        failed = 0 if is_waited_for else failed + 1
        if failed < patience.attempts:
            longest = _LONGEST_OBEYED if is_waited_for else _LONGEST_PAUSE
            yield Pause(min(_retry_after(answer) or pause, longest))
            pause = min(2 * pause, _LONGEST_PAUSE)
    raise UnavailableError(path=request.path, attempts=patience.attempts, status=status)


def submission(path: str, write: SignedWrite, patience: Patience) -> Steps:
    """Submit a signed write and return the answer that holds its receipt.

    Every repetition carries the same idempotency key, so the write stands once however often it
    is sent: a lost answer cannot double it.

    Raises:
        ProblemError: If the server refused it.
        UnavailableError: If the outcome stayed unknown; submit the same write again.
        ReceiptError: If the answer does not say where the receipt is.
    """
    statement = write.statement
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": str(statement.idempotency_key),
    }
    if statement.expected_version:
        headers["If-Match"] = f'"{statement.expected_version}"'
    answer = yield from call(Call("POST", path, headers, write.body()), patience)
    if answer.status == ACCEPTED:
        location = answer.headers.get("location", "")
        if not location.startswith("/"):
            raise ReceiptError("An accepted write names the address of its receipt.")
        yield Pause(_RECEIPT_PAUSE)
        answer = yield from await_receipt(location, patience)
    return answer


def await_receipt(location: str, patience: Patience) -> Steps:
    """Ask for the receipt of a write until a checkpoint covers it.

    Raises:
        ProblemError: If the server refused it.
        UnavailableError: If none covered it in time.
    """
    waited = 0.0
    while waited < patience.receipt_seconds:
        waited += _RECEIPT_PAUSE
        try:
            answer = yield from call(Call("GET", location), patience)
        except ProblemError as problem:
            if problem.status != NOT_FOUND:  # not found until it is published
                raise
            yield Pause(_RECEIPT_PAUSE)
            continue
        if answer.status in CREATED:
            return answer
    raise UnavailableError("No checkpoint covered the write in time.", receipt=location)


def _retry_after(answer: Answer | None) -> float | None:
    text = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(text) if text.isascii() and text.isdigit() else None


def _problem(answer: Answer) -> dict[str, object]:
    try:
        document = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
