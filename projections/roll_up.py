"""The roll-up of a division as known at a position: sums of child-level facts (S-38 to S-41)."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from domain.roll_up.row import DoseCount
from projections.annex4 import RollUpRow, total
from projections.connection import Pool
from projections.queries import named_queries

_SQL = named_queries("school_checks.sql")

_AFTER_DIGITS = ":"
"""Sorts after every digit: the end of all divisions that begin with a prefix."""


class Level(Enum):
    """What a row stands for (S-39): digits of the division, and whose name it bears."""

    INSTITUTION = (0, ())
    TOWNSHIP = (9, ("township",))
    COUNTY = (6, ("county-cdc",))
    CITY = (4, ("city-cdc",))
    PROVINCE = (2, ("province-cdc",))


@dataclass(frozen=True)
class RollUp:
    """Annex 4 of one division and entry type.

    Attributes:
        position: What was known up to there.
        rows: One a unit, in the order of units.
        total: Their sum, the row 合计.
    """

    division_prefix: str
    entry_type: str
    school_year: int
    level: Level
    position: int
    rows: tuple[RollUpRow, ...]
    total: RollUpRow


class RollUps:
    """Roll-ups.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def roll_up(
        self,
        division_prefix: str,
        entry_type: str,
        *,
        school_year: int,
        level: Level = Level.INSTITUTION,
        at_position: int | None = None,
    ) -> RollUp:
        """Return annex 4.

        Due are the institutions of that type on the roll (S-1, S-21), with or without children, and
        those of the other type that have such children.

        Args:
            division_prefix: First digits of the division.
            entry_type: `kindergarten` or `primary`: separate forms, never added (S-38).
            school_year: Year in which the school year starts.
            level: What a row stands for.
            at_position: What was known then; now when absent.
        """
        digits, kinds = level.value
        with self._pool.connection() as connection:
            at = at_position
            if at is None:
                newest = connection.execute(_SQL["position"]).fetchone()
                at = newest[0] if newest else 0
            asked: dict[str, Any] = {
                "prefix": division_prefix,
                "prefix_end": division_prefix + _AFTER_DIGITS,
                "entry_type": entry_type,
                "school_year": school_year,
                "digits": digits,
                "kinds": list(kinds),
                "at": at,
            }
            # Planned for these values each time: the plan for any costs half as much again.
            sums = connection.execute(_SQL["roll_up"], asked, prepare=False).fetchall()
            asked["units"] = [row[0] for row in sums] if level is Level.INSTITUTION else []
            named = "institution_names" if level is Level.INSTITUTION else "unit_names"
            names: dict[str, str] = dict(connection.execute(_SQL[named], asked).fetchall())
        rows = [_row(names.get(unit), unit, *counts) for unit, *counts in sums]
        return RollUp(division_prefix, entry_type, school_year, level, at, tuple(rows), total(rows))


def _row(name: str | None, unit: str, *sums: Any) -> RollUpRow:
    *counts, doses = sums
    pairs = {group: DoseCount(*pair) for group, pair in doses.items()}
    return RollUpRow(unit, name, *counts, doses=pairs)
