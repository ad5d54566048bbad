"""What is found of each row: a file that a person reviews, and the digest that names it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from client.errors import ClientError
from domain.errors import DomainError

_CHUNK = 1 << 20


class ReviewError(ClientError):
    """This is not the review that was named, or not of this file."""


class Verdict(StrEnum):
    """What is to become of a row."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    CONFLICT = "conflict"
    REFUSED = "refused"


TEXTS: Mapping[Verdict, str] = {
    Verdict.NEW: "新增 new",
    Verdict.SAME: "相同 same",
    Verdict.CHANGED: "有变化 changed",
    Verdict.CONFLICT: "冲突 conflict",
    Verdict.REFUSED: "拒绝 refused",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A row with its verdict.

    Attributes:
        number: Of the row.
        verdict: What is to become of it.
        reason: Why, where that is not plain.
    """

    number: int
    verdict: Verdict
    reason: DomainError | None = None

    def line(self) -> dict[str, Any]:
        """Return the line of the review."""
        found: dict[str, Any] = {"row": self.number, "verdict": self.verdict.value}
        return found | ({"reason": self.reason.describe()} if self.reason else {})


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits; raises OSError."""
    found = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def write_review(
    path: Path, about: Mapping[str, Any], judged: Iterable[Judged]
) -> tuple[str, Counter[Verdict]]:
    """Write a review, and return its digest with the number of each verdict.

    Args:
        path: The file; one that is there is replaced.
        about: What was reviewed, and how.
        judged: The rows in their order.

    Raises:
        OSError: It cannot be written.
    """
    digest, counts = sha256(), Counter[Verdict]()
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        _write(file, digest.update, about)
        for one in judged:
            counts[one.verdict] += 1
            _write(file, digest.update, one.line())
    draft.replace(path)
    return digest.hexdigest(), counts


def read_review(path: Path, reviewed: str, about: Mapping[str, Any]) -> Iterator[Verdict]:
    """Yield the verdicts of a review, once it is certain that it is the one that was named.

    Raises:
        ReviewError: It is another, or of another file, or made in another way.
        OSError: It cannot be read.
    """
    if file_digest(path) != reviewed.lower():
        raise ReviewError("This is not the review of that digest.")
    with path.open("rb") as file:
        if json.loads(file.readline()) != dict(about):
            raise ReviewError("The review is of another file, or made with other options.")
        for line in file:
            yield Verdict(json.loads(line)["verdict"])


def rows_of_review(path: Path) -> int:
    """Return how many rows a review judges; raises OSError."""
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1


def _write(file: BinaryIO, note: Any, value: Mapping[str, Any]) -> None:
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    note(line)
    file.write(line)
