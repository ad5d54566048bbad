"""How the schools of a division stand with their duties on a day (S-19, S-20)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import class_row

from domain.roll_up.rules import RegisterEdition, RollUpRules
from domain.roll_up.supervision import Duties
from projections.connection import Pool
from projections.pieces import OPEN_POSITION
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
        at_position: int | None = None,
    ) -> list[SchoolDuties]:
        """Return every school of a division, or one, in the order of divisions.

        Args:
            division_prefix: First digits of the division.
            school_year: Year in which the school year starts.
            today: Civil day as of which they stand.
            institution: Only this one.
            at_position: What was known then; now when absent.
        """
        due = self._rules.register_due
        asked = {
            "prefix": division_prefix,
            "prefix_end": division_prefix + _AFTER_DIGITS,
            "school_year": school_year,
            "institution": institution,
            "days": self._rules.check_due_days,
            "today": today,
            "at": OPEN_POSITION - 1 if at_position is None else at_position,
            "september": due(RegisterEdition.SEPTEMBER, school_year),
            "november": due(RegisterEdition.NOVEMBER, school_year),
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(SchoolDuties))
            return cursor.execute(_SQL["duties"], asked, prepare=False).fetchall()
