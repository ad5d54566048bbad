"""Records of children whom a class list names, found by birth date and name."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.class_list import Candidate, Listed
from projections.connection import Pool
from projections.queries import named_queries

_SQL = named_queries("listed.sql")


@dataclass(frozen=True)
class Found:
    """Candidates for the children of a list.

    Attributes:
        candidates: By name and birth date.
        enrolled: Records that the school has enrolled for the year already.
    """

    candidates: dict[tuple[str, date], list[Candidate]]
    enrolled: frozenset[UUID]


class ListedChildren:
    """Questions of class lists.

    Args:
        pool: Connections to the log database that read.
        people_pool: Connections to the key database that read.
    """

    def __init__(self, pool: Pool, people_pool: Pool) -> None:
        self._pool = pool
        self._people_pool = people_pool

    def find(
        self, listed: Collection[Listed], day: date, *, institution: UUID, school_year: int
    ) -> Found:
        """Return the records of children with these names and birth dates.

        Args:
            listed: The rows of the list.
            day: Civil day as of which names read.
            institution: The school.
            school_year: Of the list.
        """
        asked = {
            "day": day,
            "birth_dates": [one.birth_date for one in listed],
            "names": [one.name for one in listed],
        }
        with self._people_pool.connection() as connection:
            people = connection.execute(_SQL["people_listed"], asked).fetchall()
        about = {
            "recipients": [row[0] for row in people],
            "school_year": school_year,
            "institution": institution,
        }
        with self._pool.connection() as connection:
            records = connection.execute(_SQL["records_listed"], about).fetchall()
        known = {row[0]: row[1:] for row in people}
        candidates: dict[tuple[str, date], list[Candidate]] = {}
        for recipient, record, division, _ in records:
            name, born, sex, number = known[recipient]
            candidate = Candidate(record, division, name, born, sex, number)
            candidates.setdefault((name, born), []).append(candidate)
        enrolled = frozenset(record for _, record, _, is_enrolled in records if is_enrolled)
        return Found(candidates, enrolled)
