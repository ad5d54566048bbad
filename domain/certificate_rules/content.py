"""What a certificate shows: every dose of the record but those of systems not linked (C-1, C-20).

The source system decides, never the vaccine or its date: a rabies dose that stands in the system
for adults and children is shown.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from domain.vocabulary import SourceSystem


class HasSource(Protocol):
    """Anything that knows which system it comes from."""

    @property
    def source_system(self) -> str:
        """Which system it comes from, a `SourceSystem` or its value."""


_Dose = TypeVar("_Dose", bound=HasSource)


@dataclass(frozen=True)
class ShownDose:
    """A dose as the line of a certificate.

    Attributes:
        vaccine: Its name or code.
        occurred_on: Civil day.
        source_system: Which system it comes from.
    """

    vaccine: str
    occurred_on: date
    source_system: SourceSystem

    def line(self) -> str:
        """Return vaccine and day, such as ``HepB 2020-04-15``."""
        return f"{self.vaccine} {self.occurred_on.isoformat()}"


def shown_doses(doses: Iterable[_Dose], hidden: Collection[SourceSystem]) -> tuple[_Dose, ...]:
    """Return the doses that a certificate shows, in the order given.

    Args:
        doses: All doses of the record as effective that day.
        hidden: Source systems that are not shown, `CertificateRules.sources_not_shown`.
    """
    return tuple(dose for dose in doses if dose.source_system not in hidden)
