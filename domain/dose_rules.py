"""What must be done before a dose, and from which day on, as a versioned rule file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from domain.schedules.edition import Edition, InvalidRuleFile
from domain.schedules.json_document import Node, load_document
from domain.vocabulary import SourceSystem

NEWEST = "cn-2019"


@dataclass(frozen=True, slots=True)
class DoseRules:
    """An edition of the rules of giving a dose.

    Attributes:
        edition: Which file, and when it is in force.
        prepared_from: By source system the first day of a dose on which it must be recorded that
            people were informed and asked, and that everything matched (E-2).
    """

    edition: Edition
    prepared_from: Mapping[SourceSystem, date]

    @classmethod
    def load(cls, name: str = NEWEST) -> "DoseRules":
        """Return a shipped edition, validated whole; read once a process."""
        return _load(name)

    @classmethod
    def read(cls, document: Node) -> "DoseRules":
        """Read an edition.

        Raises:
            InvalidRuleFile: When it names no source system; other `DomainError`s for its form.
        """
        found = document.members((*Edition.MEMBERS, "prepared_from"))
        prepared_from = {}
        for name, day in found["prepared_from"].entries().items():
            if name not in list(SourceSystem):
                raise InvalidRuleFile(reason="no such source system").at(day.pointer)
            prepared_from[SourceSystem(name)] = day.day()
        return cls(Edition.read(found), prepared_from)

    def must_be_prepared(self, source: SourceSystem, day: date) -> bool:
        """Return whether a dose of a day must say how it was prepared."""
        first = self.prepared_from.get(source)
        return first is not None and day >= first


@cache
def _load(name: str) -> DoseRules:
    return DoseRules.read(load_document(f"{name}.dose.json"))
