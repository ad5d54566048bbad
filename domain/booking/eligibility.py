"""Who may book, where and through which channel (A-1, A-3, A-8 to A-10)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from domain.booking.objection import Objection
from domain.calendar import birthday
from domain.schedules.edition import Wording
from domain.schedules.finding import Fact


@dataclass(frozen=True, slots=True)
class Domicile:
    """A registered household or a residence.

    Attributes:
        county: Code or name of the county, as the sites' counties are given.
        is_in_area: Whether it lies in the area of the rules.
    """

    county: str
    is_in_area: bool


def judge_channel(channel: str, channels_here: Collection[str]) -> Iterator[Objection]:
    """Send groups to the office or the site (A-1)."""
    if channel not in channels_here:
        yield Objection("group_books_with_office_or_site")


def judge_real_name(*, is_verified: bool) -> Iterator[Objection]:
    """Ask for real-name registration; the face is preferred, no more (A-3)."""
    if not is_verified:
        yield Objection("not_real_name")


def judge_age(birth_date: date, on: date, minimum_years: int) -> Iterator[Objection]:
    """Ask for an age, which is reached on the birthday itself (A-8, X-2)."""
    reached_on = birthday(birth_date, minimum_years)
    if on < reached_on:
        facts: dict[str, Fact] = {"age": minimum_years, "date": reached_on.isoformat()}
        yield Objection("under_18", facts, ends_on=reached_on)


def judge_place(
    household: Domicile, residence: Domicile, site_county: str, area: Wording
) -> Iterator[Objection]:
    """Ask for a domicile in the area, and for a site in the county of one (A-9, A-10, X-9)."""
    own = [domicile.county for domicile in (household, residence) if domicile.is_in_area]
    if not own:
        yield Objection("not_yongzhou", {"area": area})
    elif site_county not in own:
        yield Objection("site_outside_own_counties", {"counties": "、".join(dict.fromkeys(own))})
