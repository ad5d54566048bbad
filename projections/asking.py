"""Questions about many things at once, each with clocks of its own."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from projections.pieces import OPEN_POSITION


class Asked(NamedTuple):
    """A question about a record, a certificate or a person.

    Attributes:
        which: By its id or handle.
        effective_on: Civil day.
        at_position: What was known then; now when absent.
    """

    which: UUID
    effective_on: date
    at_position: int | None = None


def columns_of(asked: Sequence[Asked]) -> dict[str, list[Any]]:
    """Return the questions as arrays, in their order: which, days and positions."""
    return {
        "which": [one.which for one in asked],
        "days": [one.effective_on for one in asked],
        "positions": [
            OPEN_POSITION - 1 if one.at_position is None else one.at_position for one in asked
        ],
    }
