"""The registers of a school as handed in to its township: the September and November copies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.filing import Filed, NotTheReporter, check_state
from domain.organisation import Organisation, OrganisationKind
from domain.roll_up.rules import RegisterEdition, RollUpRules
from domain.sealed import Fact, Sealed
from domain.vocabulary import Division, Version, Year


class RegisterReport(BaseAggregate[UUID]):
    """One copy of a school's registers; a later one of the same edition replaces it."""

    TOPIC = "register-report"
    Event = Fact

    def __init__(self, institution: UUID, division: str, school_year: int) -> None:
        self.institution = institution
        self.division = division
        self.school_year = school_year

    @classmethod
    def submit(
        cls,
        stream: UUID,
        *,
        institution_facts: Organisation,
        rules: RollUpRules,
        published: int,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Hand the registers in (S-14).

        Args:
            stream: id of the new stream.
            institution_facts: the organisation named as `institution`.
            rules: deadlines in force.
            published: newest position that a signed checkpoint covers.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `register-report.submitted.v1`.

        Raises:
            DomainError: NotTheReporter or StateUnknown.
        """
        school = institution_facts
        if (school.kind, school.division) != (OrganisationKind.SCHOOL, fields["division"]):
            raise NotTheReporter(kind=school.kind.value, division=school.division)
        today = civil_day(recorded_at)
        check_state(fields["position"], fields["effective_on"], published=published, today=today)
        due = rules.register_due(fields["edition"], fields["school_year"])
        return cls._create(
            event_class=cls.Submitted,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Filed.at(recorded_at, due),
            **fields,
        )

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
