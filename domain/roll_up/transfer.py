"""A child that changes schools within the year is counted once, at the school it came to (X-17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.calendar import deadline_after_days


class Move(StrEnum):
    """What happened to a child at a school."""

    JOINED = "joined"
    CHECKED = "checked"
    LEFT = "left"


@dataclass(frozen=True)
class Movement:
    """One happening.

    Attributes:
        day: Civil day.
        move: What happened.
        school: Where.
        township: Township of the school; None where all schools are of one.
        child: Who; one name a child.
    """

    day: date
    move: Move
    school: str
    township: str | None = None
    child: str = ""


def counted_in(movements: Sequence[Movement]) -> Movement | None:
    """Return the movement that made a school count a child: where it joined or was checked last.

    A school that the child left still counts it until another has received it.

    Args:
        movements: Of one child, in any order; of those on one day, a later one in the list is
            later.
    """
    return _last(movements, Move.JOINED, Move.CHECKED)


def check_due_by(movements: Sequence[Movement], days: int) -> date | None:
    """Return the last day on which a child's check is in time: so many days after it joined (S-5).

    The day after joining is the first; the last one is included (X-1).
    """
    joined = _last(movements, Move.JOINED)
    return deadline_after_days(joined.day, days) if joined else None


def children_checked(movements: Sequence[Movement], township: str | None = None) -> int:
    """Count the children of a township that were checked: children, not checks (X-17).

    A child belongs to the township of the school that counts it, and counts as checked once a
    school of that township has checked it.

    Args:
        movements: Of any children.
        township: Whose; all when absent.
    """
    return sum(
        _is_checked_at_home(
            [movement for movement in movements if movement.child == child], township
        )
        for child in {movement.child for movement in movements}
    )


def _is_checked_at_home(movements: Sequence[Movement], township: str | None) -> bool:
    home = counted_in(movements)
    if home is None or (township is not None and home.township not in (township, None)):
        return False
    return any(
        movement.move is Move.CHECKED and movement.township == home.township
        for movement in movements
    )


def _last(movements: Sequence[Movement], *moves: Move) -> Movement | None:
    found: Movement | None = None
    for movement in movements:
        if movement.move in moves and (found is None or movement.day >= found.day):
            found = movement
    return found
