"""What the schools of a division have still to do today (S-5, S-10, S-12)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import class_row

from projections.connection import Pool
from projections.queries import named_queries

_SQL = named_queries("tasks.sql")
_AFTER_DIGITS = ":"


@dataclass(frozen=True)
class TaskCounts:
    """Children by what is to be done for them.

    Attributes:
        unchecked: To be checked.
        overdue: Of these, past their last day (S-5).
        next_due: Earliest last day of those; None where everyone is checked.
        to_reissue: To get a certificate again.
        to_make_up: With doses to make up.
    """

    unchecked: int
    overdue: int
    next_due: date | None
    to_reissue: int
    to_make_up: int


class Tasks:
    """Questions about what is to be done.

    Args:
        pool: Connections to the log database that read.
        check_days: Days after joining within which a child is checked.
    """

    def __init__(self, pool: Pool, check_days: int) -> None:
        self._pool = pool
        self._check_days = check_days

    def counts(
        self,
        division_prefix: str,
        school_year: int,
        today: date,
        institution: UUID | None = None,
    ) -> TaskCounts:
        """Return the counts of a division, or of one school."""
        asked = {
            "prefix": division_prefix,
            "prefix_end": division_prefix + _AFTER_DIGITS,
            "school_year": school_year,
            "institution": institution,
            "days": self._check_days,
            "today": today,
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(TaskCounts))
            found = cursor.execute(_SQL["tasks"], asked).fetchone()
        assert found is not None, "counts are one row"
        return found
