"""Whose record a row of a class list means: found, ambiguous, not found, or elsewhere.

A number decides only together with name and birth date: a school learns nothing from a number
that it merely guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

COUNTY_DIGITS = 6


class Match(StrEnum):
    """What became of a row."""

    FOUND = "found"
    OTHER_DIVISION = "other-division"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not-found"


@dataclass(frozen=True, slots=True)
class Listed:
    """A child as a class list has it.

    Attributes:
        sex: `male` or `female`; None where the list does not say.
        id_number: As `IdNumber` writes it; None where the list does not say.
    """

    name: str
    birth_date: date
    sex: str | None = None
    id_number: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of a child who may be meant."""

    record: UUID
    division: str
    name: str | None
    birth_date: date | None
    sex: str | None
    id_number: str | None


def match(
    listed: Listed, candidates: Iterable[Candidate], division: str
) -> tuple[Match, Candidate | None]:
    """Return whose record is meant, and whether it is managed in the school's own county.

    Args:
        listed: The row.
        candidates: Records with its number, or with its name and birth date.
        division: Of the school.

    Returns:
        The verdict, and the record where there is exactly one.
    """
    same = [one for one in candidates if _is_same(listed, one)]
    numbered = [one for one in same if one.id_number and one.id_number == listed.id_number]
    meant = numbered or same
    if not meant:
        return Match.NOT_FOUND, None
    if len({one.record for one in meant}) > 1:
        return Match.AMBIGUOUS, None
    (found, *_) = meant
    is_near = found.division[:COUNTY_DIGITS] == division[:COUNTY_DIGITS]
    return (Match.FOUND if is_near else Match.OTHER_DIVISION), found


def _is_same(listed: Listed, one: Candidate) -> bool:
    """Whether nothing that both know contradicts; name and birth date must be known."""
    return (
        (one.name, one.birth_date) == (listed.name, listed.birth_date)
        and (listed.sex is None or one.sex in (None, listed.sex))
        and (listed.id_number is None or one.id_number in (None, listed.id_number))
    )
