"""The result of a school-entry check, with everything that its papers and tables are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from domain.schedules.dose_allocation import Dose, PlacedDose
from domain.schedules.finding import Finding

CellState = Literal["given", "missing", "exempt", "blank"]
Outcome = Literal["full", "to-make-up", "not-to-make-up", "not-judgeable"]
Template = Literal[1, 2, "2+contraindication_note"]


class Gap(NamedTuple):
    """Doses of a group that are lacking, by number."""

    vaccine_group: str
    dose_numbers: tuple[int, ...]


class DueDose(NamedTuple):
    """One dose to be made up, and what is to be said about it.

    Attributes:
        vaccine_group: Its group.
        dose_number: Its number.
        since: The birthday from which the table has asked for it (X-19).
        is_newly_required: Whether that was the last birthday, so that the gap is fresh.
        is_postponed: Whether a passing contraindication postpones it (X-5).
        is_no_longer_given: Whether clinics no longer give it at this age (X-22): never book it.
    """

    vaccine_group: str
    dose_number: int
    since: date
    is_newly_required: bool
    is_postponed: bool
    is_no_longer_given: bool


class Cell(NamedTuple):
    """One dose cell of the register (annex 3).

    Attributes:
        vaccine_group: Its group.
        column: Its number within the group, from 1.
        state: ``given``, ``missing`` (printed ``/``), ``exempt``, or ``blank`` (not asked for).
        doses: The doses that fill it, or that have begun the substitute course for it.
        dose_numbers: The numbers that the verdict gives what is lacking, which differ from the
            column inside a substitute course; empty for cells that lack nothing.
    """

    vaccine_group: str
    column: int
    state: CellState
    doses: tuple[Dose, ...]
    dose_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check.

    Attributes:
        requirements_id: Id of the rule file.
        requirements_version: Its version.
        switches: Readings used, by name.
        age_years: Completed years on the day of the check.
        annex1_row: The row that judged, or None below the table.
        complete: Whether everything asked for was given; None where no row judges (X-3).
        outcome: The three results of an audit (S-10), or not judgeable.
        missing: Doses to be made up, in the register's order of groups.
        exempt: Doses lacking only for a lasting contraindication; not among `missing`.
        due: Every dose of `missing`, one by one.
        annex2_template: Which check statement follows; None where none can.
        reissue_certificate: Whether the certificate is to be issued again (S-10).
        cells: The dose cells of the register.
        doses: Every dose and what became of it, by date.
        findings: The conclusions under the numbers of their rules.
    """

    requirements_id: str
    requirements_version: int
    switches: Mapping[str, str]
    age_years: int
    annex1_row: int | None
    complete: bool | None
    outcome: Outcome
    missing: tuple[Gap, ...]
    exempt: tuple[Gap, ...]
    due: tuple[DueDose, ...]
    annex2_template: Template | None
    reissue_certificate: bool
    cells: tuple[Cell, ...]
    doses: tuple[PlacedDose, ...]
    findings: tuple[Finding, ...]
