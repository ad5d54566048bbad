"""The registers of a school as handed in to its township: the September and November copies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.filing import Filed, Form
from domain.organisation import OrganisationKind
from domain.roll_up.rules import RegisterEdition, RollUpRules
from domain.sealed import Fact
from domain.vocabulary import Division, Version, Year


class RegisterReport(Form):
    """One copy of a school's registers; a later one of the same edition replaces it."""

    TOPIC = "register-report"
    Event = Fact

    def __init__(self, institution: UUID, division: str, school_year: int) -> None:
        self.institution = institution
        self.division = division
        self.school_year = school_year

    @staticmethod
    def reported_by(fields: Mapping[str, Any]) -> OrganisationKind:  # noqa: ARG004  as of any form
        """A school, of its own classes."""
        return OrganisationKind.SCHOOL

    @staticmethod
    def due(rules: RollUpRules, fields: Mapping[str, Any]) -> date:
        """The last day of its edition (S-14)."""
        return rules.register_due(fields["edition"], fields["school_year"])

    class Submitted(Fact, AggregateCreated):
        """A school handed in the registers of its classes (S-14).

        Attributes:
            institution: the school.
            division: division of the school.
            school_year: calendar year in which the school year starts.
            edition: the September or the November copy.
            position: state of the log that the registers show.
            effective_on: civil day as of which they read.
            derived: when they were due.
        """

        TOPIC = "register-report.submitted.v1"

        institution: UUID
        division: Division
        school_year: Year
        edition: RegisterEdition
        position: Version
        effective_on: date
        derived: Filed

        def apply(self, aggregate: RegisterReport) -> None:
            """The document, for ever."""
