"""What every rule file begins with: which file it is, and from when to when it holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.errors import DomainError
from domain.schedules.json_document import Node

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class InvalidRuleFile(DomainError):
    """The rule file contradicts itself."""

    code = "invalid-rule-file"
    zh = "规则文件自相矛盾。"


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in both languages, Chinese first."""

    zh: str
    en: str

    @classmethod
    def read(cls, node: Node) -> "Wording":
        """Read ``{"zh", "en"}``."""
        found = node.members(("zh", "en"))
        return cls(found["zh"].text(), found["en"].text())


@dataclass(frozen=True, slots=True)
class Edition:
    """Identity of a rule file. A later edition never changes what an earlier one decided.

    Attributes:
        id: Slug, never used twice for different rules.
        version: Counts corrections of the transcription, from 1.
        title: What people call it.
        source: The document it was taken from, by named facts.
        effective_from: First day on which it holds.
        effective_to: Last day on which it holds, or None.
    """

    id: str
    version: int
    title: Wording
    source: Mapping[str, str]
    effective_from: date
    effective_to: date | None

    MEMBERS = ("id", "version", "title", "source", "effective_from", "effective_to")

    @classmethod
    def read(cls, found: Mapping[str, Node]) -> "Edition":
        """Read the head from a file's members."""
        if not _ID.fullmatch(found["id"].text()):
            raise InvalidRuleFile(reason="the id is no slug").at(found["id"].pointer)
        end = found["effective_to"]
        edition = cls(
            id=found["id"].text(),
            version=found["version"].integer(least=1),
            title=Wording.read(found["title"]),
            source={name: node.text() for name, node in found["source"].entries().items()},
            effective_from=found["effective_from"].day(),
            effective_to=None if end.value is None else end.day(),
        )
        if edition.effective_to and edition.effective_to < edition.effective_from:
            raise InvalidRuleFile(reason="it ends before it begins").at(end.pointer)
        return edition

    def is_in_force(self, on: date) -> bool:
        """Tell whether it holds on a day; the first and the last day are included (X-1)."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)
