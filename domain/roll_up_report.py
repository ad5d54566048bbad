"""The roll-up of a township, county or city as handed in to the next level (annex 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.filing import Filed, Form
from domain.organisation import OrganisationKind
from domain.roll_up.guards import check_row
from domain.roll_up.row import COUNTS, DoseCount, RollUpRow
from domain.roll_up.rules import Level, RollUpRules
from domain.sealed import Fact
from domain.shape import Size
from domain.vocabulary import Division, EntryType, VaccineCode, Version, Year

Count = Annotated[int, Size(0, 2**53 - 1)]

REPORTERS: Mapping[Level, OrganisationKind] = MappingProxyType(
    {
        Level.TOWNSHIP: OrganisationKind.TOWNSHIP,
        Level.COUNTY: OrganisationKind.COUNTY_CDC,
        Level.CITY: OrganisationKind.CITY_CDC,
    }
)
"""Who hands in the roll-up of a level (S-17)."""


@dataclass(frozen=True)
class GroupCount:
    """Doses of a vaccine group (columns 10 to 29).

    Attributes:
        vaccine_group: the group.
        due: 应补种剂次.
        done: 补种剂次数.
    """

    vaccine_group: VaccineCode
    due: Count
    done: Count


@dataclass(frozen=True)
class Counts:
    """The row 合计 of the form, as its author states it.

    Attributes:
        institutions_due: 应查验数.
        institutions_checked: 查验数.
        enrolled: 入托入学人数.
        checked: 查验人数.
        with_certificate: 持接种证人数.
        certificates_reissued: 补接种证人数.
        fully_vaccinated: 全程接种人数.
        makeup_completed: 完成补种人数.
        doses: columns 10 to 29; groups of 0 and 0 may be left out.
    """

    institutions_due: Count
    institutions_checked: Count
    enrolled: Count
    checked: Count
    with_certificate: Count
    certificates_reissued: Count
    fully_vaccinated: Count
    makeup_completed: Count
    doses: tuple[GroupCount, ...]

    def row(self, unit: str) -> RollUpRow:
        """The counts as a row of the form."""
        doses = {one.vaccine_group: DoseCount(one.due, one.done) for one in self.doses}
        return RollUpRow(unit, None, *(getattr(self, name) for name in COUNTS), doses=doses)


class RollUpReport(Form):
    """One roll-up as handed in; a later one of the same unit and year replaces it (S-53)."""

    TOPIC = "roll-up-report"
    Event = Fact

    def __init__(self, organisation: UUID, division: str, level: Level, school_year: int) -> None:
        self.organisation = organisation
        self.division = division
        self.level = level
        self.school_year = school_year

    @staticmethod
    def reported_by(fields: Mapping[str, Any]) -> OrganisationKind:
        """Whose roll-up that of its level is."""
        return REPORTERS[fields["level"]]

    @staticmethod
    def due(rules: RollUpRules, fields: Mapping[str, Any]) -> date:
        """The last day of its level (S-17)."""
        return rules.report_due(fields["level"], fields["school_year"])

    @staticmethod
    def check(fields: Mapping[str, Any]) -> None:
        """Refuse a total that no rows add up to.

        Raises:
            ImpossibleCounts: S-42.
        """
        check_row(fields["total"].row(fields["division"]))

    class Submitted(Fact, AggregateCreated):
        """A township, county or city handed in its roll-up (S-17).

        Attributes:
            organisation: who reports.
            division: for which division.
            level: whose form it is: its rows stand one level below.
            school_year: calendar year in which the school year starts.
            entry_type: 入托 or 入学: separate forms (S-38).
            position: state of the log that it shows.
            effective_on: civil day as of which it reads.
            total: the row 合计.
            derived: when it was due.
        """

        TOPIC = "roll-up-report.submitted.v1"

        organisation: UUID
        division: Division
        level: Level
        school_year: Year
        entry_type: EntryType
        position: Version
        effective_on: date
        total: Counts
        derived: Filed

        def apply(self, aggregate: RollUpReport) -> None:
            """The document, for ever."""
