"""Whether a record may be processed: restricted, shredded, and who decided that (PIPL art. 47).

A restricted record is stored and protected, and nothing else. A shredded one has lost its keys:
its entries and their proofs stay. Both are decisions of a CDC with a reason; to shred takes two
organisations, and the term of retention must have ended unless the law allows it earlier.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.errors import DomainError
from domain.sealed import Fact
from domain.vocabulary import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.vaccination_record import VaccinationRecord


class State(StrEnum):
    """Whether a record may be processed."""

    NORMAL = "normal"
    RESTRICTED = "restricted"
    SHREDDED = "shredded"


class RestrictionReason(StrEnum):
    """Why a record is restricted (PIPL articles 44, 46 and 47)."""

    CONSENT_WITHDRAWN = "consent-withdrawn"
    ERASURE_REQUESTED = "erasure-requested"
    ACCURACY_DISPUTED = "accuracy-disputed"
    PERSONAL_SAFETY = "personal-safety"
    LEGAL_ORDER = "legal-order"


class LiftReason(StrEnum):
    """Why a restriction ends."""

    REQUEST_WITHDRAWN = "request-withdrawn"
    MATTER_SETTLED = "matter-settled"
    ORDER_ENDED = "order-ended"
    RESTRICTED_IN_ERROR = "restricted-in-error"


class ErasureGround(StrEnum):
    """Why a record is shredded (PIPL article 47)."""

    RETENTION_ENDED = "retention-ended"
    ERASURE_REQUESTED = "erasure-requested"
    LEGAL_ORDER = "legal-order"
    UNLAWFUL_PROCESSING = "unlawful-processing"


EARLY_GROUNDS = frozenset({ErasureGround.LEGAL_ORDER, ErasureGround.UNLAWFUL_PROCESSING})
"""Grounds on which the law lets a record go before its term of retention ends."""


class AlreadyRestricted(DomainError):
    """The record is restricted already."""

    code = "already-restricted"
    zh = "该档案已处于限制处理状态。"


class NotRestricted(DomainError):
    """The record is not restricted."""

    code = "not-restricted"
    zh = "该档案未被限制处理。"


class AlreadyShredded(DomainError):
    """The personal data of this record was shredded; nothing more happens to it."""

    code = "already-shredded"
    zh = "该档案的个人信息已销毁，不再接受任何操作。"


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
class ShredRequest:
    """A request that waits for a second organisation.

    Attributes:
        organisation: who asked.
        ground: why.
        version: version of the record at which it was asked.
    """

    organisation: UUID
    ground: ErasureGround
    version: int


@dataclass
class Protection:
    """Where a record stands.

    Attributes:
        state: whether it may be processed.
        changed_on_version: version of the record at which it came to that; 0 for from its first.
        request: a request to shred it that waits.
    """

    state: State = State.NORMAL
    changed_on_version: int = 0
    request: ShredRequest | None = field(default=None)

    def turn(self, state: State, version: int) -> None:
        """Come to a state."""
        self.state = state
        self.changed_on_version = version


@dataclass(frozen=True)
class Retention:
    """What the law says of the record at that moment.

    Attributes:
        retention_until: last day on which it had to be kept; absent without doses.
    """

    retention_until: date | None = None


class ProtectionEvent(Fact):
    """A decision about whether a record may be processed."""

    @classmethod
    def check(
        cls, record: VaccinationRecord, fields: Mapping[str, Any], today: date
    ) -> dict[str, Any]:
        """Refuse what may not be decided; return what is derived."""
        raise NotImplementedError


class Restricted(ProtectionEvent):
    """The record was restricted: stored and protected, hidden from everyone (PIPL art. 47).

    Attributes:
        organisation: the CDC that decided.
        reason: why.
    """

    TOPIC = "vaccination-record.restricted.v1"

    organisation: UUID
    reason: RestrictionReason

    @classmethod
    def check(
        cls,
        record: VaccinationRecord,
        fields: Mapping[str, Any],  # noqa: ARG003  one signature for all
        today: date,  # noqa: ARG003  likewise
    ) -> dict[str, Any]:
        """Refuse what is restricted already."""
        if record.protection.state is State.RESTRICTED:
            raise AlreadyRestricted
        return {}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Hide it."""
        aggregate.protection.turn(State.RESTRICTED, self.originator_version)


class RestrictionLifted(ProtectionEvent):
    """The record may be processed again.

    Attributes:
        organisation: the CDC that decided.
        reason: why.
    """

    TOPIC = "vaccination-record.restriction-lifted.v1"

    organisation: UUID
    reason: LiftReason

    @classmethod
    def check(
        cls,
        record: VaccinationRecord,
        fields: Mapping[str, Any],  # noqa: ARG003  one signature for all
        today: date,  # noqa: ARG003  likewise
    ) -> dict[str, Any]:
        """Refuse what is not restricted."""
        if record.protection.state is not State.RESTRICTED:
            raise NotRestricted
        return {}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Show it again."""
        aggregate.protection.turn(State.NORMAL, self.originator_version)


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
