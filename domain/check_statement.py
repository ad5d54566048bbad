"""The check statement of a clinic (附件2): an issued document that is never rewritten (S-34)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.errors import DomainError
from domain.sealed import Fact, Sealed
from domain.verdict import Finding
from domain.vocabulary import Division, EntryType


class Template(StrEnum):
    """Which form of annex 2 (S-10, S-33)."""

    COMPLETE = "1"
    TO_MAKE_UP = "2"
    TO_MAKE_UP_EXCEPT_CONTRAINDICATED = "2+contraindication_note"


@dataclass(frozen=True)
class Audit(Finding):
    """What the clinic's audit found, and which form says so.

    Attributes:
        template: form of annex 2.
        reissue_certificate: whether the certificate is reissued with it (S-10).
    """

    template: Template = field(kw_only=True)
    reissue_certificate: bool = field(kw_only=True)


class PaperDiffers(DomainError):
    """Paper and system differ: settle that first, then issue."""

    code = "paper-differs"
    zh = "系统记录与预防接种证不一致，核对无误前不得出具查验证明。"


class NotServing(DomainError):
    """This clinic neither manages the record nor gave its newest dose."""

    code = "not-serving"
    zh = "只有管理该儿童或近期为其接种的单位可以出具查验证明。"


class NotJudgeable(DomainError):
    """The requirements have no row for this age; no statement can be issued."""

    code = "not-judgeable"
    zh = "该年龄无对应查验要求，不能出具查验证明。"


class AuditInFuture(DomainError):
    """The audit lies in the future."""

    code = "audit-in-future"
    zh = "审核日期晚于今天。"


def template_for(finding: Finding) -> Template:
    """The form of annex 2 that says what was found (S-10, X-5).

    Raises:
        NotJudgeable: no row of the requirements fits the age (X-3).
    """
    if finding.complete is None:
        raise NotJudgeable(age_years=finding.age_years)
    if finding.missing:
        return Template.TO_MAKE_UP
    return Template.TO_MAKE_UP_EXCEPT_CONTRAINDICATED if finding.exempt else Template.COMPLETE


class CheckStatement(BaseAggregate[UUID]):
    """A statement that a clinic issued for a child's entry."""

    TOPIC = "check-statement"
    Event = Fact

    def __init__(self, record: UUID, division: str, clinic: UUID, checked_on: date) -> None:
        self.record = record
        self.division = division
        self.clinic = clinic
        self.checked_on = checked_on
        self.audit: Audit | None = None

    @classmethod
    def issue(
        cls,
        stream: UUID,
        *,
        finding: Finding,
        serving: Collection[UUID],
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Issue a statement.

        Args:
            stream: id of the new stream.
            finding: what the requirements in force say of the record on `checked_on`.
            serving: clinics that may audit, `VaccinationRecord.serving_clinics()` (S-8).
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `check-statement.issued.v1`.

        Raises:
            DomainError: PaperDiffers, NotServing, AuditInFuture or NotJudgeable.
        """
        if not fields["paper_agrees"]:
            raise PaperDiffers
        if fields["clinic"] not in serving:
            raise NotServing(clinic=str(fields["clinic"]))
        today = civil_day(recorded_at)
        if fields["checked_on"] > today:
            raise AuditInFuture(checked_on=fields["checked_on"].isoformat())
        derived = Audit(
            **vars(finding),
            template=template_for(finding),
            reissue_certificate=not fields["has_certificate"],
        )
        return cls._create(
            event_class=cls.Issued,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=derived,
            **fields,
        )

    class Issued(Fact, AggregateCreated):
        """A clinic issued a check statement (S-10).

        Attributes:
            record: stream of the vaccination record.
            division: division of the organisation that manages the record.
            clinic: clinic that audited.
            checked_on: civil day of the audit.
            entry_type: 入托 or 入学.
            has_certificate: whether the child has a paper certificate.
            paper_agrees: whether paper and system agree; only then is a statement issued (S-9).
            derived: what the audit found.
        """

        TOPIC = "check-statement.issued.v1"

        record: UUID
        division: Division
        clinic: UUID
        checked_on: date
        entry_type: EntryType
        has_certificate: bool
        paper_agrees: bool
        derived: Audit

        def apply(self, aggregate: CheckStatement) -> None:
            """The document, for ever."""
            aggregate.audit = self.derived
