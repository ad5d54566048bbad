"""Whether a record may be processed: restricted, shredded, and who decided that (PIPL art. 47).

A restricted record is stored and protected, and nothing else. A shredded one has lost its keys:
its entries and their proofs stay (`domain.shredding`). Both are decisions of a CDC with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.errors import DomainError
from domain.retention import Papers
from domain.sealed import Fact

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


class ProtectionEvent(Fact):
    """A decision about whether a record may be processed."""

    @classmethod
    def check(
        cls, record: VaccinationRecord, fields: Mapping[str, Any], today: date, papers: Papers
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
        papers: Papers,  # noqa: ARG003  likewise
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
        papers: Papers,  # noqa: ARG003  likewise
    ) -> dict[str, Any]:
        """Refuse what is not restricted."""
        if record.protection.state is not State.RESTRICTED:
            raise NotRestricted
        return {}

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Show it again."""
        aggregate.protection.turn(State.NORMAL, self.originator_version)
