"""What is done before enrolment begins: posters at schools, forms and training by the county."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.errors import DomainError
from domain.filing import Filed, NotTheReporter, StateUnknown
from domain.organisation import Organisation, OrganisationKind
from domain.roll_up.rules import RollUpRules
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import Division, Year

POSTERS = 2
"""How many a school puts up at least (S-6)."""


class Task(StrEnum):
    """What is to be done (S-6, S-18)."""

    POSTERS = "posters"
    FORMS_DISTRIBUTED = "forms-distributed"
    TRAINING_HELD = "training-held"


DOERS: Mapping[Task, OrganisationKind] = MappingProxyType(
    {
        Task.POSTERS: OrganisationKind.SCHOOL,
        Task.FORMS_DISTRIBUTED: OrganisationKind.COUNTY_CDC,
        Task.TRAINING_HELD: OrganisationKind.COUNTY_CDC,
    }
)
"""Whose task it is."""


class TooFewPosters(DomainError):
    """A school puts up two posters or more."""

    code = "too-few-posters"
    zh = "宣传单须张贴两张以上。"


class Preparation(BaseAggregate[UUID]):
    """A task that was done."""

    TOPIC = "preparation"
    Event = Fact

    def __init__(self, organisation: UUID, division: str, school_year: int) -> None:
        self.organisation = organisation
        self.division = division
        self.school_year = school_year

    @classmethod
    def record(
        cls,
        stream: UUID,
        *,
        doer: Organisation,
        rules: RollUpRules,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Note that a task was done.

        Args:
            stream: id of the new stream.
            doer: the organisation named as `organisation`.
            rules: deadlines in force.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `preparation.recorded.v1`.

        Raises:
            DomainError: NotTheReporter, StateUnknown or TooFewPosters.
        """
        task: Task = fields["task"]
        if (doer.kind, doer.division) != (DOERS[task], fields["division"]):
            raise NotTheReporter(kind=doer.kind.value, division=doer.division)
        if fields["done_on"] > civil_day(recorded_at):
            raise StateUnknown(day=fields["done_on"].isoformat())
        if task is Task.POSTERS and (fields.get("count") or 0) < POSTERS:
            raise TooFewPosters(least=POSTERS)
        due = rules.preparation_due(fields["school_year"])
        return cls._create(
            event_class=cls.Recorded,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=Filed(due, fields["done_on"] > due),
            **fields,
        )

    class Recorded(Fact, AggregateCreated):
        """A school or county did what comes before enrolment (S-6, S-18).

        Attributes:
            organisation: who did it.
            division: of that organisation.
            school_year: calendar year in which the school year starts.
            task: what was done.
            done_on: civil day.
            derived: until when it was due, and whether it was done later.
            count: how many posters, forms or people.
        """

        TOPIC = "preparation.recorded.v1"

        organisation: UUID
        division: Division
        school_year: Year
        task: Task
        done_on: date
        derived: Filed
        count: Annotated[int, Size(1, 1_000_000)] | None = None

        def apply(self, aggregate: Preparation) -> None:
            """It decides nothing later."""
