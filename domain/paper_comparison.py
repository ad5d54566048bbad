"""The paper certificate beside the record: where they differ, and how that was settled (S-9)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.check_statement import AuditInFuture, NotServing
from domain.errors import DomainError
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import Division


class Difference(StrEnum):
    """What differs."""

    DOSE_NOT_ON_PAPER = "dose-not-on-paper"
    DOSE_NOT_IN_SYSTEM = "dose-not-in-system"
    DATE = "date"
    PRODUCT = "product"
    IDENTITY = "identity"


class Settlement(StrEnum):
    """Which of the two was put right."""

    SYSTEM_CORRECTED = "system-corrected"
    PAPER_CORRECTED = "paper-corrected"
    BOTH_CORRECTED = "both-corrected"


class AlreadySettled(DomainError):
    """The difference is settled already."""

    code = "already-settled"
    zh = "该差异已核对处理完毕。"


class PaperComparison(BaseAggregate[UUID]):
    """A difference that a clinic found; until it is settled, no statement is issued."""

    TOPIC = "paper-comparison"
    Event = Fact

    def __init__(self, record: UUID, division: str) -> None:
        self.record = record
        self.division = division
        self.is_settled = False

    @classmethod
    def differ(
        cls,
        stream: UUID,
        *,
        serving: Collection[UUID],
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Note that paper and record differ.

        Args:
            stream: id of the new stream.
            serving: clinics that may audit, `VaccinationRecord.serving_clinics()` (S-8).
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `paper-comparison.differed.v1`.

        Raises:
            DomainError: NotServing or AuditInFuture.
        """
        if fields["clinic"] not in serving:
            raise NotServing(clinic=str(fields["clinic"]))
        _check_not_future(fields["compared_on"], recorded_at)
        return cls._create(
            event_class=cls.Differed, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    def settle(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Note that both say the same again.

        Raises:
            DomainError: AlreadySettled or AuditInFuture.
        """
        if self.is_settled:
            raise AlreadySettled
        _check_not_future(fields["settled_on"], recorded_at)
        self.trigger_event(self.Settled, timestamp=recorded_at, sealed=sealed, **fields)

    class Differed(Fact, AggregateCreated):
        """A clinic found that the paper certificate and the record differ (S-9).

        Attributes:
            record: stream of the vaccination record.
            division: division of the organisation that manages the record.
            clinic: clinic that compared.
            compared_on: civil day.
            differences: what differs.
        """

        TOPIC = "paper-comparison.differed.v1"

        record: UUID
        division: Division
        clinic: UUID
        compared_on: date
        differences: Annotated[tuple[Difference, ...], Size(1, 5)]

        def apply(self, aggregate: PaperComparison) -> None:
            """Open, until it is settled."""

    class Settled(Fact):
        """Paper and record say the same again.

        Attributes:
            clinic: clinic that settled it.
            settled_on: civil day.
            settlement: which of the two was put right.
        """

        TOPIC = "paper-comparison.settled.v1"

        clinic: UUID
        settled_on: date
        settlement: Settlement

        def apply(self, aggregate: PaperComparison) -> None:
            """Statements may be issued again."""
            aggregate.is_settled = True


def _check_not_future(day: date, recorded_at: datetime) -> None:
    if day > civil_day(recorded_at):
        raise AuditInFuture(checked_on=day.isoformat())
