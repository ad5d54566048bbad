"""Many writes in one request: what is sent, what is repeated, what became of each line."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

import orjson

from client.errors import ProblemError, ReceiptError
from client.exchange import AGAIN, CREATED, Answer, Call, Patience, Pause, call
from client.signing import SignedWrite

PATH = "/v1/batches"
ANSWER_SECONDS = 300.0
"""Long: a server under load would only get more to do by being asked again meanwhile."""
MAX_LINES = 1_000
"""What a server takes in one request."""

_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one line.

    Attributes:
        position: Where it stands in the log, as the server says; 0 if it was refused.
        receipt: Address of the receipt, which alone proves it; empty if it was refused.
        is_published: Whether a signed checkpoint covered it already.
        is_replay: Whether it stood there before.
        problem: Why it was refused, or None.
    """

    position: int = 0
    receipt: str = ""
    is_published: bool = False
    is_replay: bool = False
    problem: ProblemError | None = None

    @classmethod
    def read(cls, line: Any) -> Self:
        """Read one line of the answer.

        Raises:
            ReceiptError: If it is no verdict.
        """
        try:
            status = int(line["status"])
            if status not in _OK:
                return cls(problem=ProblemError(status, dict(line["problem"])))
            receipt = str(line["receipt"])
            if not receipt.startswith("/"):
                raise ReceiptError("A line that was written names the address of its receipt.")
            return cls(
                int(line["position"]), receipt, status in CREATED, bool(line.get("replayed"))
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ReceiptError("The server's answer is no list of verdicts.") from error

    @property
    def is_passing(self) -> bool:
        """Whether the line was refused for a reason that may be gone at the next attempt."""
        return self.problem is not None and self.problem.status in AGAIN


def read_verdicts(answer: bytes) -> list[Verdict]:
    """Read the lines of an answer.

    Raises:
        ReceiptError: If one of them is no verdict.
    """
    try:
        lines = [orjson.loads(line) for line in answer.splitlines()]
    except ValueError as error:
        raise ReceiptError("The server's answer is not JSON.") from error
    return [Verdict.read(line) for line in lines]


def bulk_submission(
    writes: Sequence[SignedWrite], patience: Patience
) -> Generator[Call | Pause, Answer | None, list[Verdict]]:
    """Submit signed writes and return a verdict for each, in their order.

    Lines that the server could not take at the time are sent again, as often as patience allows.

    Raises:
        ProblemError: If the server refused the request as a whole.
        UnavailableError: If the outcome stayed unknown; submit the same writes again.
        ReceiptError: If the answer is not a verdict for each line.
    """
    verdicts: dict[int, Verdict] = {}
    waiting = list(range(len(writes)))
    for attempt in count() if patience.waits_out else range(patience.attempts):
        if attempt:
            yield Pause(min(attempt * _PAUSE, _LONGEST_PAUSE))
        found = yield from _attempt([writes[number] for number in waiting], patience)
        verdicts.update(zip(waiting, found, strict=True))
        waiting = [number for number in waiting if verdicts[number].is_passing]
        if not waiting:
            break
    return [verdicts[number] for number in range(len(writes))]


def _attempt(
    writes: Sequence[SignedWrite], patience: Patience
) -> Generator[Call | Pause, Answer | None, list[Verdict]]:
    content = b"".join(write.body() + b"\n" for write in writes)
    headers = {"Content-Type": "application/x-ndjson"}
    answer = yield from call(Call("POST", PATH, headers, content, ANSWER_SECONDS), patience)
    verdicts = read_verdicts(answer.content)
    if len(verdicts) != len(writes):
        raise ReceiptError("The answer has another number of lines.", lines=len(verdicts))
    return verdicts
