"""Shredding a record: asked for by one organisation, confirmed by another (PIPL art. 47).

The term of retention must have ended, unless the law allows an earlier end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.errors import DomainError
from domain.protection import ErasureGround, ProtectionEvent, ShredRequest, State
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


@dataclass(frozen=True)
class Retention:
    """What the law says of the record at that moment.

    Attributes:
        retention_until: last day on which it had to be kept; absent without doses.
    """

    retention_until: date | None = None


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
        cls, record: VaccinationRecord, fields: Mapping[str, Any], today: date
    ) -> dict[str, Any]:
        """Refuse a second request, and one within the term of retention."""
        if record.protection.request is not None:
            raise ShredRequestPending
        return {"derived": _retention(record, fields["ground"], today)}

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
        cls, record: VaccinationRecord, fields: Mapping[str, Any], today: date
    ) -> dict[str, Any]:
        """Refuse the same organisation, and whatever the law still keeps."""
        asked = _asked(record, fields["request"])
        if asked.organisation == fields["organisation"]:
            raise SecondOrganisationRequired
        return {"derived": _retention(record, asked.ground, today)}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """For ever."""
        aggregate.protection.request = None
        aggregate.protection.turn(State.SHREDDED, self.originator_version)


def _asked(record: VaccinationRecord, version: int) -> ShredRequest:
    request = record.protection.request
    if request is None or request.version != version:
        raise NoSuchShredRequest(request=version)
    return request


def _retention(record: VaccinationRecord, ground: ErasureGround, today: date) -> Retention:
    until = record.retention_until
    if until is not None and today <= until and ground not in EARLY_GROUNDS:
        raise RetentionRuns(retention_until=until.isoformat(), today=today.isoformat())
    return Retention(until)
