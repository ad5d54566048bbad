"""Doses of one person that may be one dose, entered twice: flagged for a person to look at.

Nothing is dropped and nothing counts twice: evaluations count a vaccine group once a day by
themselves (DESIGN section 8).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Protocol
from uuid import UUID

from domain.quality import SAME_DAY_AGAIN, SOON_AGAIN, Check
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import SourceSystem

SHORTEST_INTERVAL = timedelta(days=7)
"""No schedule here gives a vaccine again sooner, but for that after a bite."""


class DoseLike(Protocol):
    """What is compared of a dose."""

    @property
    def dose(self) -> UUID:
        """Its id."""

    @property
    def vaccine(self) -> str:
        """What was given, by the catalogue."""

    @property
    def occurred_on(self) -> date:
        """When."""

    @property
    def source_system(self) -> str:
        """Which system it comes from."""


@dataclass(frozen=True, slots=True)
class Twice:
    """Two doses that may be one.

    Attributes:
        check: What is amiss.
    """

    one: UUID
    other: UUID
    check: Check


def entered_twice(doses: Iterable[DoseLike], catalogue: Catalogue) -> Iterator[Twice]:
    """Yield every two doses of one person that may be one."""
    for one, other in combinations(doses, 2):
        check = compare(one, other, catalogue)
        if check is not None:
            yield Twice(one.dose, other.dose, check)


def compare(one: DoseLike, other: DoseLike, catalogue: Catalogue) -> Check | None:
    """Return what is amiss with two doses of one person, None if nothing is."""
    apart = abs(one.occurred_on - other.occurred_on)
    if not apart and _share_component(one, other, catalogue):
        return SAME_DAY_AGAIN
    after_bite = SourceSystem.BITE_INJURY in (one.source_system, other.source_system)
    if one.vaccine == other.vaccine and apart < SHORTEST_INTERVAL and not after_bite:
        return SOON_AGAIN
    return None


def _share_component(one: DoseLike, other: DoseLike, catalogue: Catalogue) -> bool:
    if one.vaccine not in catalogue or other.vaccine not in catalogue:
        return one.vaccine == other.vaccine
    vaccines = catalogue.vaccines
    return not vaccines[one.vaccine].components.isdisjoint(vaccines[other.vaccine].components)
