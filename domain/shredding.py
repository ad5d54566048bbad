"""Shredding a record: asked for by one organisation, confirmed by another (PIPL art. 47).

The term of retention must have ended, and schools must have nothing of the child to keep any more,
unless the law allows an earlier end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from domain.errors import DomainError
from domain.protection import ErasureGround, ProtectionEvent, ShredRequest, State
from domain.retention import Papers
from domain.vocabulary import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.vaccination_record import VaccinationRecord

EARLY_GROUNDS = frozenset({ErasureGround.LEGAL_ORDER, ErasureGround.UNLAWFUL_PROCESSING})
"""Grounds on which the law lets a record go before its term of retention ends."""


class ShredRequestPending(DomainError):
    """Shredding this record was asked for already."""

    code = "shred-request-pending"
    zh = "该档案已有待确认的销毁申请。"


class NoSuchShredRequest(DomainError):
    """No such request to shred this record is waiting."""

    code = "no-such-shred-request"
    zh = "该档案没有此待确认的销毁申请。"


class SecondOrganisationRequired(DomainError):
    """Whoever asked for the shredding cannot confirm it: that takes another organisation."""

    code = "second-organisation-required"
    zh = "销毁须由申请单位以外的另一单位确认。"


class RetentionRuns(DomainError):
    """The record must still be kept by law, and the ground does not allow an earlier end."""

    code = "retention-runs"
    zh = "档案仍在法定保存期内，所述理由不允许提前销毁。"


class StatementKept(DomainError):
    """A check statement was issued, which is kept for good; the ground does not allow an end."""

    code = "statement-kept"
    zh = "已出具查验证明，须长期保存，所述理由不允许销毁。"


class RegisterKept(DomainError):
    """A register with the child is kept till graduation; the ground allows no earlier end."""

    code = "register-kept"
    zh = "查验登记表须保存至儿童毕业，所述理由不允许提前销毁。"


@dataclass(frozen=True)
class Retention:
    """What the law says of the record at that moment.

    Attributes:
        retention_until: last day on which it had to be kept; absent without doses.
        register_until: last day on which a register with the child had to be kept (X-18);
            absent without one.
        has_statement: true where there was a check statement, which is kept for good (S-13).
    """

    retention_until: date | None = None
    register_until: date | None = None
    has_statement: bool | None = None

    @classmethod
    def of(cls, record: VaccinationRecord, papers: Papers) -> Self:
        """Return it of a record and of what schools keep beside it."""
        return cls(record.retention_until, papers.register_until, papers.has_statement or None)

    def check_ended(self, today: date) -> None:
        """Refuse to let the record go on ordinary grounds; named is what is kept the longest.

        Raises:
            DomainError: StatementKept, RegisterKept or RetentionRuns, with `kept_until`.
        """
        if self.has_statement:
            raise StatementKept(kept_until=None, today=today.isoformat())
        terms = ((self.register_until, RegisterKept), (self.retention_until, RetentionRuns))
        running = [(until, error) for until, error in terms if until and today <= until]
        if running:
            until, error = max(running, key=itemgetter(0))
            raise error(kept_until=until.isoformat(), today=today.isoformat())


class ShredRequested(ProtectionEvent):
    """A CDC asked for the personal data of the record to be destroyed.

    Attributes:
        organisation: who asks.
        ground: why the law allows it.
        derived: how long the record has to be kept.
    """

    TOPIC = "vaccination-record.shred-requested.v1"

    organisation: UUID
    ground: ErasureGround
    derived: Retention

    @classmethod
    def check(
        cls, record: VaccinationRecord, fields: Mapping[str, Any], today: date, papers: Papers
    ) -> dict[str, Any]:
        """Refuse a second request, and one within the term of retention."""
        if record.protection.request is not None:
            raise ShredRequestPending
        return {"derived": _retention(record, fields["ground"], today, papers)}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Wait for another organisation."""
        aggregate.protection.request = ShredRequest(
            self.organisation, self.ground, self.originator_version
        )


class ShredWithdrawn(ProtectionEvent):
    """The request to destroy the personal data was withdrawn, or another organisation refused it.

    Attributes:
        organisation: who says so.
        request: version of the record at which it was asked.
    """

    TOPIC = "vaccination-record.shred-withdrawn.v1"

    organisation: UUID
    request: Version

    @classmethod
    def check(
        cls,
        record: VaccinationRecord,
        fields: Mapping[str, Any],
        today: date,  # noqa: ARG003  one signature for all
        papers: Papers,  # noqa: ARG003  likewise
    ) -> dict[str, Any]:
        """Refuse where no such request waits."""
        _asked(record, fields["request"])
        return {}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Nothing waits any more."""
        aggregate.protection.request = None


class Shredded(ProtectionEvent):
    """A second organisation confirmed: keys and all copies of the personal data are destroyed.

    Attributes:
        organisation: who confirms; another than asked.
        request: version of the record at which it was asked.
        derived: how long the record had to be kept.
    """

    TOPIC = "vaccination-record.shredded.v1"

    organisation: UUID
    request: Version
    derived: Retention

    @classmethod
    def check(
        cls, record: VaccinationRecord, fields: Mapping[str, Any], today: date, papers: Papers
    ) -> dict[str, Any]:
        """Refuse the same organisation, and whatever the law still keeps."""
        asked = _asked(record, fields["request"])
        if asked.organisation == fields["organisation"]:
            raise SecondOrganisationRequired
        return {"derived": _retention(record, asked.ground, today, papers)}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """For ever."""
        aggregate.protection.request = None
        aggregate.protection.turn(State.SHREDDED, self.originator_version)


def _asked(record: VaccinationRecord, version: int) -> ShredRequest:
    request = record.protection.request
    if request is None or request.version != version:
        raise NoSuchShredRequest(request=version)
    return request


def _retention(
    record: VaccinationRecord, ground: ErasureGround, today: date, papers: Papers
) -> Retention:
    found = Retention.of(record, papers)
    if ground not in EARLY_GROUNDS:
        found.check_ended(today)
    return found
