"""A visit to a clinic: queue number, registration, vaccination and observation, one id (C-19).

A shown code opens it; the clinic signs each further step. Where somebody leaves before the end,
that is said too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.errors import DomainError
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import Code, Division

OBSERVATION = timedelta(minutes=30)
"""How long one stays after a dose (留观)."""

QueueNumber = Annotated[int, Size(1, 100_000)]


class Step(StrEnum):
    """How far a visit has come."""

    QUEUED = "queued"
    REGISTERED = "registered"
    VACCINATED = "vaccinated"
    OBSERVED = "observed"
    LEFT = "left"


class Presenter(StrEnum):
    """Who showed the code."""

    HOLDER = "holder"
    GRANTEE = "grantee"


class OutOfTurn(DomainError):
    """This step does not follow the one that the visit has come to."""

    code = "visit-out-of-turn"
    zh = "就诊步骤顺序不符：请按取号、登记、接种、留观依次办理。"


class ObservationTooShort(DomainError):
    """Thirty minutes of observation are not over; who leaves before is recorded so."""

    code = "observation-too-short"
    zh = "留观未满30分钟；如提前离开，请如实登记。"


class DoseNotOfVisit(DomainError):
    """The record has no such dose, given by this clinic on the day of the visit."""

    code = "dose-not-of-visit"
    zh = "档案中没有本单位当日接种的该剂次，请先登记接种记录。"


@dataclass(frozen=True)
class Queued:
    """What the platform gave the visit.

    Attributes:
        queue_number: place in the clinic's queue of that day, from 1.
        on_behalf_of: handle of the person who showed the code.
    """

    queue_number: QueueNumber
    on_behalf_of: UUID


class Visit(BaseAggregate[UUID]):
    """One visit; the id of its stream stands in everything that belongs to it.

    Attributes:
        record: whose doses.
        clinic: where.
        division: division of the clinic.
        on: civil day.
        step: how far it has come.
        moments: our clock at each step.
        queue_number: place in the clinic's queue of that day.
        appointment: the booking that is kept, if there is one.
        doses: what was given.
    """

    TOPIC = "visit"
    Event = Fact

    def __init__(self, record: UUID, clinic: UUID, division: str, on: date) -> None:
        self.record = record
        self.clinic = clinic
        self.division = division
        self.on = on
        self.step = Step.QUEUED
        self.moments: dict[Step, datetime] = {}
        self.queue_number = 0
        self.appointment: UUID | None = None
        self.doses: tuple[UUID, ...] = ()

    @property
    def observed_until(self) -> datetime | None:
        """When the observation is over at the earliest; None before the dose."""
        given = self.moments.get(Step.VACCINATED)
        return given + OBSERVATION if given else None

    @classmethod
    def open(cls, stream: UUID, *, derived: Queued, recorded_at: datetime, **fields: Any) -> Self:
        """Open a visit with a code that was shown (取号).

        Args:
            stream: id of the new stream: the visit's.
            derived: queue number and presenter.
            recorded_at: our clock.
            **fields: clear fields of `visit.opened.v1`.
        """
        return cls._create(
            event_class=cls.Opened, id=stream, timestamp=recorded_at, derived=derived, **fields
        )

    def register(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Register who is there (登记).

        Raises:
            OutOfTurn: the visit is further already.
        """
        self._check(Step.QUEUED)
        self.trigger_event(self.Registered, timestamp=recorded_at, sealed=sealed, **fields)

    def vaccinate(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Name the doses that were given (接种); the observation begins.

        Raises:
            OutOfTurn: nobody is registered, or the visit is further already.
        """
        self._check(Step.REGISTERED)
        self.trigger_event(self.Vaccinated, timestamp=recorded_at, sealed=sealed, **fields)

    def end_observation(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """End the observation (留观).

        Raises:
            OutOfTurn: nothing was given yet.
            ObservationTooShort: the time is not over, and nobody says that they left early.
        """
        self._check(Step.VACCINATED)
        until = self.observed_until
        assert until is not None, "something was given"
        if recorded_at < until and not fields["left_early"]:
            raise ObservationTooShort(until=until.isoformat(timespec="seconds"))
        self.trigger_event(self.Observed, timestamp=recorded_at, sealed=sealed, **fields)

    def leave(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """End a visit without a dose.

        Raises:
            OutOfTurn: a dose was given; its observation is ended instead.
        """
        self._check(Step.QUEUED, Step.REGISTERED)
        self.trigger_event(self.Left, timestamp=recorded_at, sealed=sealed, **fields)

    def advance(self, step: Step, at: datetime) -> None:
        """Take note of a step."""
        self.step = step
        self.moments[step] = at

    def _check(self, *steps: Step) -> None:
        if self.step not in steps:
            raise OutOfTurn(step=self.step.value)

    class Opened(Fact, AggregateCreated):
        """A shown code was scanned at a clinic; it holds no more (C-19).

        Attributes:
            record: stream of the vaccination record.
            certificate: whose code was shown.
            clinic: where.
            division: division of the clinic.
            on: civil day.
            presenter: whether its holder showed it or somebody with a grant.
            derived: queue number and presenter.
        """

        TOPIC = "visit.opened.v1"

        record: UUID
        certificate: UUID
        clinic: UUID
        division: Division
        on: date
        presenter: Presenter
        derived: Queued

        def apply(self, aggregate: Visit) -> None:
            """The first step."""
            aggregate.queue_number = self.derived.queue_number
            aggregate.advance(Step.QUEUED, self.timestamp)

    class Registered(Fact):
        """The clinic registered who is there.

        Attributes:
            appointment: the booking that is kept, if there is one; verified on arrival.
        """

        TOPIC = "visit.registered.v1"

        appointment: UUID | None = None

        def apply(self, aggregate: Visit) -> None:
            """The second step."""
            aggregate.appointment = self.appointment
            aggregate.advance(Step.REGISTERED, self.timestamp)

    class Vaccinated(Fact):
        """Doses were given; the observation begins.

        Attributes:
            doses: which doses of the record.
        """

        TOPIC = "visit.vaccinated.v1"

        doses: Annotated[tuple[UUID, ...], Size(1, 8)]

        def apply(self, aggregate: Visit) -> None:
            """The third step."""
            aggregate.doses = self.doses
            aggregate.advance(Step.VACCINATED, self.timestamp)

    class Observed(Fact):
        """The observation ended.

        Attributes:
            has_reaction: whether something was noticed, which is reported elsewhere.
            left_early: whether they left before thirty minutes were over.
        """

        TOPIC = "visit.observed.v1"

        has_reaction: bool
        left_early: bool

        def apply(self, aggregate: Visit) -> None:
            """The last step."""
            aggregate.advance(Step.OBSERVED, self.timestamp)

    class Left(Fact):
        """They left without a dose.

        Attributes:
            reason: why, as a code.
        """

        TOPIC = "visit.left.v1"

        reason: Code

        def apply(self, aggregate: Visit) -> None:
            """Nothing follows."""
            aggregate.advance(Step.LEFT, self.timestamp)
