"""Reports of units to the next level: one unit, one report; late ones count and are flagged.

A report that is handed in again replaces the earlier one and is never added to it (S-53). A unit is
late when its first report came after the deadline: correcting a report that was in time makes
nobody late. A unit without a report is missing, which completeness shows (S-47, S-48, X-24).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from domain.roll_up.ratio import Ratio
from domain.roll_up.row import RollUpRow


@dataclass(frozen=True)
class Report:
    """A row as handed in.

    Attributes:
        version: Counts what the unit handed in, from 1.
        received_on: Civil day of its arrival.
        row: What it reports; `row.unit` is the unit.
    """

    version: int
    received_on: date
    row: RollUpRow


def newest(reports: Iterable[Report]) -> dict[str, Report]:
    """Return the report that counts of each unit: the highest version, of equals the last."""
    counting: dict[str, Report] = {}
    for report in reports:
        other = counting.get(report.row.unit)
        if other is None or _order(report) >= _order(other):
            counting[report.row.unit] = report
    return counting


def late_units(reports: Iterable[Report], due: date) -> list[str]:
    """Return the units whose first report came after the last day, in the order of reports."""
    first: dict[str, date] = {}
    for report in reports:
        unit = report.row.unit
        first[unit] = min(first.get(unit, report.received_on), report.received_on)
    return [unit for unit, day in first.items() if day > due]


def completeness(due: Sequence[str], reported: Collection[str]) -> Ratio:
    """Return reports received of those due (S-47, S-48), late ones included."""
    units = dict.fromkeys(due)
    return Ratio(sum(unit in reported for unit in units), len(units))


def _order(report: Report) -> tuple[int, date]:
    return report.version, report.received_on
