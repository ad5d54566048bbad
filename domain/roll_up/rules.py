"""Deadlines and targets of registers and roll-ups, as a versioned rule file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache

from domain.roll_up.rates import RATES, Rate
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.json_document import Node, load_document
from domain.vocabulary import EntryType

NEWEST = "kaifeng-2018"

MONTHS = 12
LEAP_YEAR = 2020
_DAY_OF_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}")


class Level(StrEnum):
    """Who reports to the next level up (S-17)."""

    TOWNSHIP = "township"
    COUNTY = "county"
    CITY = "city"


class RegisterEdition(StrEnum):
    """Which of the two copies of its registers a school hands in (S-14)."""

    SEPTEMBER = "september"
    NOVEMBER = "november"


@dataclass(frozen=True, slots=True)
class RollUpRules:
    """An edition of the rules of registers and roll-ups.

    Attributes:
        edition: Which file, and when it is in force.
        requirements: What the check asks for; its groups are the columns of the forms.
        city: The city whose counties are rolled up.
        school_year_starts_in_month: First month of a school year.
        check_due_days: Days after joining within which a child is checked (S-5); the last of them
            may come after the September registers are due: each binds by itself (X-15).
        recheck_due_on: Month and day by which children with doses to make up are looked at again,
            the day included; None where the rules name none.
        preparation_due_on: Month and day by which forms, training and posters are due, before the
            school year starts (S-18).
        registers_due: Month and day by which a school hands in each edition of its registers, the
            day included (S-14, X-1).
        registers_kept_school_years: School years, that of the register included, after which its
            children have graduated at the latest (S-14, X-18).
        reports_due: Month and day by which each level reports, the day included (S-17, X-1).
        rates: The rates by name.
    """

    edition: Edition
    requirements: EntryRequirements
    city: Wording
    school_year_starts_in_month: int
    check_due_days: int
    recheck_due_on: tuple[int, int] | None
    preparation_due_on: tuple[int, int]
    registers_due: Mapping[RegisterEdition, tuple[int, int]]
    registers_kept_school_years: Mapping[EntryType, int]
    reports_due: Mapping[Level, tuple[int, int]]
    rates: Mapping[str, Rate]

    @classmethod
    def load(cls, name: str = NEWEST) -> "RollUpRules":
        """Return a shipped edition, validated whole; read once a process."""
        return _load(name)

    @classmethod
    def read(cls, document: Node) -> "RollUpRules":
        """Read an edition and check it.

        Raises:
            InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
        """
        found = document.members(
            (
                *(*Edition.MEMBERS, "requirements", "city", "school_year_starts_in_month"),
                *("check_due_days", "recheck_due", "preparation_due", "registers_due"),
                *("registers_kept_school_years", "reports_due", "rates"),
            )
        )
        month = found["school_year_starts_in_month"].integer(least=1)
        if month > MONTHS:
            raise InvalidRuleFile(reason="no such month").at(
                found["school_year_starts_in_month"].pointer
            )
        recheck = found["recheck_due"]
        editions = found["registers_due"].members(tuple(RegisterEdition))
        kept = found["registers_kept_school_years"].members(tuple(EntryType))
        due = found["reports_due"].members(tuple(Level))
        rates = found["rates"].members(RATES)
        return cls(
            edition=Edition.read(found),
            requirements=EntryRequirements.load(found["requirements"].choice(("kaifeng-2018",))),
            city=Wording.read(found["city"]),
            school_year_starts_in_month=month,
            check_due_days=found["check_due_days"].integer(least=1),
            recheck_due_on=None if recheck.value is None else _day_of_year(recheck),
            preparation_due_on=_day_of_year(found["preparation_due"]),
            registers_due={one: _day_of_year(editions[one]) for one in RegisterEdition},
            registers_kept_school_years={one: kept[one].integer(least=1) for one in EntryType},
            reports_due={level: _day_of_year(due[level]) for level in Level},
            rates={name: _rate(name, node) for name, node in rates.items()},
        )

    def school_year(self, day: date) -> int:
        """Return the calendar year in which the school year of a day began."""
        return day.year - (day.month < self.school_year_starts_in_month)

    def report_due(self, level: Level, school_year: int) -> date:
        """Return the last day on which the report of a level is in time."""
        return self._in_school_year(school_year, *self.reports_due[level])

    def register_due(self, edition: RegisterEdition, school_year: int) -> date:
        """Return the last day on which an edition of a school's registers is in time."""
        return self._in_school_year(school_year, *self.registers_due[edition])

    def register_kept_until(self, entry_type: EntryType, school_year: int) -> date:
        """Return the last day on which a register is kept: the next, all have graduated (X-18)."""
        graduated = school_year + self.registers_kept_school_years[entry_type]
        return date(graduated, self.school_year_starts_in_month, 1) - timedelta(days=1)

    def recheck_due(self, school_year: int) -> date | None:
        """Return the last day on which make-up is looked at in time; None where there is none."""
        if self.recheck_due_on is None:
            return None
        return self._in_school_year(school_year, *self.recheck_due_on)

    def preparation_due(self, school_year: int) -> date:
        """Return the last day on which preparation is in time: before the school year starts."""
        return date(school_year, *self.preparation_due_on)

    def _in_school_year(self, school_year: int, month: int, day: int) -> date:
        return date(school_year + (month < self.school_year_starts_in_month), month, day)


@cache
def _load(name: str) -> RollUpRules:
    return RollUpRules.read(load_document(f"{name}.roll-up.json"))


def _day_of_year(node: Node) -> tuple[int, int]:
    text = node.text()
    try:
        day = date.fromisoformat(f"{LEAP_YEAR}-{text}" if _DAY_OF_YEAR.fullmatch(text) else "")
    except ValueError:
        raise InvalidRuleFile(reason="no such day, MM-DD is required").at(node.pointer) from None
    if (day.month, day.day) == (2, 29):
        raise InvalidRuleFile(reason="a deadline that most years lack").at(node.pointer)
    return day.month, day.day


def _rate(name: str, node: Node) -> Rate:
    found = node.members(("rule", "zh", "en", "at_least_percent", "judged_by_county"))
    least = found["at_least_percent"]
    return Rate(
        name=name,
        rule=found["rule"].text(),
        title=Wording(found["zh"].text(), found["en"].text()),
        target=None if least.value is None else Fraction(least.integer(), 100),
        judged_by_county=found["judged_by_county"].boolean(),
    )
