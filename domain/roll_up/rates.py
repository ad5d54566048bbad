"""The rates of a row and whether they meet their targets (S-43 to S-52, X-13, X-14).

A rate of a region is made from the sums of its rows, never from their rates (S-52).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from domain.roll_up.ratio import Ratio
from domain.roll_up.row import RollUpRow
from domain.schedules.edition import Wording

REPORT_COMPLETENESS = "report_completeness"
"""The one rate that is made from reports, not from a row (S-47, S-48)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of the rule file.

    Attributes:
        name: Such as ``child_check``.
        rule: Its number.
        title: What people call it.
        target: The least value that meets the target, included (S-50); None where none is set.
        judged_by_county: Whether the target is set for each county: the figure of a larger region
            is no test of it.
    """

    name: str
    rule: str
    title: Wording
    target: Fraction | None
    judged_by_county: bool


def row_ratios(row: RollUpRow, left_out: Collection[str]) -> dict[str, Ratio]:
    """Return the rates of a row by name.

    Args:
        row: Of an institution, or the total of a region.
        left_out: Vaccine groups that the make-up rate leaves out: BCG (X-13).
    """
    return {name: ratio(row, left_out) for name, ratio in ROW_RATES.items()}


def _makeup_doses(row: RollUpRow, left_out: Collection[str]) -> Ratio:
    counted = [count for group, count in row.doses.items() if group not in left_out]
    return Ratio(sum(count.done for count in counted), sum(count.due for count in counted))


ROW_RATES: Mapping[str, Callable[[RollUpRow, Collection[str]], Ratio]] = {
    "institution_check": lambda row, _: Ratio(row.institutions_checked, row.institutions_due),
    "child_check": lambda row, _: Ratio(row.checked, row.enrolled),
    "reissue": lambda row, _: Ratio(row.certificates_reissued, row.without_certificate()),
    "makeup_doses_excl_bcg": _makeup_doses,
    "makeup_children": lambda row, _: Ratio(row.makeup_completed, row.not_fully_vaccinated()),
    "full_course": lambda row, _: Ratio(row.fully_vaccinated + row.makeup_completed, row.checked),
}

RATES = frozenset({*ROW_RATES, REPORT_COMPLETENESS})
"""Every rate that a rule file must name."""
