"""How the schools of a division stand with their duties today (S-19, S-20)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import class_row

from domain.roll_up.rules import RegisterEdition, RollUpRules
from domain.roll_up.supervision import Duties
from projections.connection import Pool
from projections.queries import named_queries

_SQL = named_queries("supervision.sql")
_AFTER_DIGITS = ":"


@dataclass(frozen=True, kw_only=True)
class SchoolDuties(Duties):
    """A school, and how it stands."""

    institution: UUID
    name: str
    division: str
    entry_type: str


class Supervision:
    """Questions about duties.

    Args:
        pool: Connections to the log database that read.
        rules: Deadlines in force.
    """

    def __init__(self, pool: Pool, rules: RollUpRules) -> None:
        self._pool = pool
        self._rules = rules

    def duties(
        self,
        division_prefix: str,
        school_year: int,
        today: date,
        institution: UUID | None = None,
    ) -> list[SchoolDuties]:
        """Return every school of a division, or one, in the order of divisions."""
        due = self._rules.register_due
        asked = {
            "prefix": division_prefix,
            "prefix_end": division_prefix + _AFTER_DIGITS,
            "school_year": school_year,
            "institution": institution,
            "days": self._rules.check_due_days,
            "today": today,
            "september": due(RegisterEdition.SEPTEMBER, school_year),
            "november": due(RegisterEdition.NOVEMBER, school_year),
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(SchoolDuties))
            return cursor.execute(_SQL["duties"], asked).fetchall()
