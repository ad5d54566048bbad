"""Corrections as a citizen meets them: who makes them (C-22), and from when they show (C-21)."""

from datetime import date
from typing import Literal

from domain.calendar import effective_next_day, start_of_day
from domain.correction import CORRECTORS, OnlyVaccinationUnitCorrects
from domain.organisation import OrganisationKind

Reading = Literal["old", "new"]


def check_requester(by: OrganisationKind | None) -> None:
    """Check that a correction is written by an organisation that may; None is a citizen.

    Raises:
        OnlyVaccinationUnitCorrects: For everyone else.
    """
    if by not in CORRECTORS:
        raise OnlyVaccinationUnitCorrects(kind=by.value if by else None)


def reading_on(viewed_on: date, corrected_on: date) -> Reading:
    """Tell which reading of a corrected value shows on a day: the new one from the next day on."""
    return "new" if viewed_on >= effective_next_day(start_of_day(corrected_on)) else "old"
