"""One row of the roll-up (annex 4): 28 counts of a unit, and their sums (S-39, S-40)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.roll_up.register import Subtotals

TOTAL = "合计"
"""The last row of the form."""

COUNTS: tuple[str, ...] = (
    *("institutions_due", "institutions_checked", "enrolled", "checked", "with_certificate"),
    *("certificates_reissued", "fully_vaccinated", "makeup_completed"),
)
"""Columns 2 to 9 of the form, by the names of their fields."""


class DoseCount(NamedTuple):
    """Doses of a vaccine group to be made up, and made up of these."""

    due: int
    done: int

    def plus(self, due: int, done: int) -> "DoseCount":
        """Return these counts and others added up."""
        return DoseCount(self.due + due, self.done + done)


NO_DOSES = DoseCount(0, 0)


@dataclass(frozen=True)
class RollUpRow:
    """The counts of one unit.

    Attributes:
        unit: Institution or division, or `合计`.
        name: Name of the unit, where known.
        institutions_due: 应查验数.
        institutions_checked: 查验数: institutions that checked at least one child.
        enrolled: 入托入学人数.
        checked: 查验人数.
        with_certificate: 持接种证人数, at the check.
        certificates_reissued: 补接种证人数, of those found without.
        fully_vaccinated: 全程接种人数, at the check (S-41).
        makeup_completed: 完成补种人数.
        doses: Columns 10 to 29 by vaccine group; a group that is absent counts 0 and 0.
    """

    unit: str
    name: str | None = None
    institutions_due: int = 0
    institutions_checked: int = 0
    enrolled: int = 0
    checked: int = 0
    with_certificate: int = 0
    certificates_reissued: int = 0
    fully_vaccinated: int = 0
    makeup_completed: int = 0
    doses: Mapping[str, DoseCount] = field(default_factory=dict, kw_only=True)

    def counts(self) -> tuple[int, ...]:
        """Return columns 2 to 9."""
        return tuple(getattr(self, name) for name in COUNTS)

    def doses_due(self) -> int:
        """Return all doses to be made up."""
        return sum(count.due for count in self.doses.values())

    def without_certificate(self) -> int:
        """Return how many children needed a certificate: derived, no column (S-41)."""
        return self.checked - self.with_certificate

    def not_fully_vaccinated(self) -> int:
        """Return how many children lacked doses at the check: derived, no column (S-41)."""
        return self.checked - self.fully_vaccinated


def institution_row(unit: str, enrolled: int, classes: Sequence[Subtotals]) -> RollUpRow:
    """Make an institution's row from the subtotals of its registers.

    An institution without a check is due and not checked; its children stay enrolled. Dose columns
    are summed over dose numbers (S-40).
    """
    checked = sum(found.checked for found in classes)
    doses: dict[str, DoseCount] = {}
    for found in classes:
        for (group, _), count in found.missed.items():
            doses[group] = doses.get(group, NO_DOSES).plus(count, 0)
        for (group, _), count in found.made_up.items():
            doses[group] = doses.get(group, NO_DOSES).plus(0, count)
    return RollUpRow(
        unit,
        institutions_due=1,
        institutions_checked=int(checked > 0),
        enrolled=enrolled,
        checked=checked,
        with_certificate=sum(found.with_certificate for found in classes),
        certificates_reissued=sum(found.certificates_reissued for found in classes),
        fully_vaccinated=sum(found.fully_vaccinated for found in classes),
        makeup_completed=sum(found.makeup_completed for found in classes),
        doses=doses,
    )


def total(rows: Iterable[RollUpRow], unit: str = TOTAL) -> RollUpRow:
    """Add rows up (S-39, S-52); of no rows, zeros."""
    rows = list(rows)
    counts = [sum(column) for column in zip(*(row.counts() for row in rows), strict=True)]
    doses: dict[str, DoseCount] = {}
    for row in rows:
        for group, count in row.doses.items():
            doses[group] = doses.get(group, NO_DOSES).plus(*count)
    return RollUpRow(unit, unit, *counts, doses=doses)
