"""A length of time as schedules write it: ``28d``, ``6m``, ``3y``, ``13y6m``."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from domain.calendar import MONTHS_A_YEAR, add_months
from domain.schedules.edition import InvalidRuleFile, Wording
from domain.schedules.json_document import Node

_FORM = re.compile(r"(?:([0-9]{1,2})y)?(?:([0-9]{1,3})m)?(?:([0-9]{1,3})d)?")


@dataclass(frozen=True, slots=True)
class Span:
    """Months, then days; a day that a month lacks rolls forward to the next first (X-2, E-20).

    Attributes:
        months: Whole months; a year is twelve.
        days: Days after those.
    """

    months: int
    days: int = 0

    @classmethod
    def read(cls, node: Node) -> "Span":
        """Read a span.

        Raises:
            InvalidRuleFile: For every other form.
        """
        text = node.text()
        found = _FORM.fullmatch(text)
        if not text or found is None:
            raise InvalidRuleFile(reason="not a length of time such as 28d, 6m or 3y").at(
                node.pointer
            )
        years, months, days = (int(part or 0) for part in found.groups())
        return cls(years * MONTHS_A_YEAR + months, days)

    def after(self, day: date) -> date:
        """Return the day this long after another."""
        reached = add_months(day, self.months) if self.months else day
        return reached + timedelta(days=self.days) if self.days else reached

    @property
    def wording(self) -> Wording:
        """The span as an age in words."""
        years, months = divmod(self.months, MONTHS_A_YEAR)
        if self.days or not self.months:
            return Wording(f"{self}", f"{self}")
        if months:
            return Wording(f"{self.months}月龄", f"{self.months} months")
        return Wording(f"{years}周岁", f"{years} years")

    def __str__(self) -> str:
        years, months = divmod(self.months, MONTHS_A_YEAR)
        parts = ((years, "y"), (months, "m"), (self.days, "d"))
        return "".join(f"{count}{unit}" for count, unit in parts if count) or "0d"
