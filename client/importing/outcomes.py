"""What became of each row of an import: a file that grows with it, and survives its end."""

import os
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import orjson

from client.errors import ProblemError
from domain.errors import DomainError
from domain.quality import CHECKS


class ReviewedOtherwise(DomainError):
    """What is to become of this row has changed since it was reviewed; review again."""

    code = "reviewed-otherwise"
    zh = "审核之后该行的结论已变化，请重新审核。"


class RowWrittenBefore(DomainError):
    """The log has this row under its id already, with other content, and our memory does not."""

    code = "row-written-before"
    zh = "账本中已有该编号的记录且内容不同，而本地状态文件中没有，请人工核对。"


class RecordMoves(DomainError):
    """Others were writing to this record all the time; import the row again."""

    code = "record-moves"
    zh = "该档案正被他人连续写入，请稍后再次导入该行。"


class DoseStandsAlready(DomainError):
    """The person's record has this vaccine on this day already, entered by others."""

    code = "dose-stands-already"
    zh = "档案中已有同日同种疫苗的记录，内容一致。"


class DoseStandsOtherwise(DomainError):
    """The person's record has this vaccine on this day, entered by others and otherwise."""

    code = "dose-stands-otherwise"
    zh = "档案中已有同日同种疫苗的记录，内容不同，请人工核对。"


class NothingClearDiffers(DomainError):
    """The row differs from the log in sealed values only; correct them by hand."""

    code = "only-sealed-differs"
    zh = "仅密封字段不同，请人工更正。"


class Outcome(StrEnum):
    """What became of a row."""

    WRITTEN = "written"
    PROPOSED = "proposed"
    SAME = "same"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Become:
    """A row with its outcome.

    Attributes:
        number: Of the row.
        outcome: What became of it.
        position: Where it stands in the log, 0 for nowhere.
        reason: Why it was not written: ``code``, ``zh``, ``en`` and facts.
    """

    number: int
    outcome: Outcome
    position: int = 0
    reason: dict[str, Any] | None = None

    @classmethod
    def of(cls, number: int, outcome: Outcome, reason: DomainError | None) -> Self:
        """Return an outcome with a reason of ours."""
        return cls(number, outcome, 0, reason.describe() if reason else None)

    def line(self) -> dict[str, Any]:
        """Return the line of the file."""
        found: dict[str, Any] = {"row": self.number, "outcome": self.outcome.value}
        if self.position:
            found |= {"position": self.position, "receipt": f"/v1/receipts/{self.position}"}
        return found | ({"reason": self.reason} if self.reason else {})


def reason_of(problem: ProblemError) -> dict[str, Any]:
    """Return a problem of the server as a reason, in both languages where we know them."""
    code = slug_of(problem)
    known = CHECKS.get(code)
    title = str(problem.problem.get("title", ""))
    texts = {"zh": known.text.zh, "en": known.text.en} if known else {"zh": title, "en": code}
    facts = problem.problem.get("facts")
    return {"code": code, **texts, **(facts if isinstance(facts, dict) else {})}


def slug_of(problem: ProblemError) -> str:
    """Return which kind of problem it is."""
    return str(problem.problem.get("type", "")).rpartition("/")[2]


class OutcomeFile:
    """The file of outcomes; what was written behind the last kept length is forgotten.

    Args:
        path: The file.
        length: Its bytes that count.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, length: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        self._file.truncate(length)
        self._file.seek(length)
        self.length = length
        self.counts = Counter[Outcome]()

    def write(self, found: list[Become]) -> None:
        """Add outcomes; they are durable on return."""
        for one in sorted(found, key=lambda one: one.number):
            self.length += self._file.write(orjson.dumps(one.line()) + b"\n")
            self.counts[one.outcome] += 1
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
