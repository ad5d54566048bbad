"""The five events of a correction: asked for, found right, applied, refused, taken back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.dose_events import Change
from domain.effect import Effective
from domain.sealed import Fact
from domain.shape import Size
from domain.vocabulary import Code, Division, Hex32, Urgency

if TYPE_CHECKING:
    from domain.correction import Correction


class CorrectionKind(StrEnum):
    """What is asked for."""

    AMEND = "amend"
    ENTERED_IN_ERROR = "entered-in-error"
    REINSTATE = "reinstate"


class RequestedBy(StrEnum):
    """Whose finding it is; a clinic writes either way (C-22)."""

    CLINIC = "clinic"
    GUARDIAN = "guardian"


class CorrectionState(StrEnum):
    """Where a correction stands; the last three are final."""

    REQUESTED = "requested"
    VERIFIED = "verified"
    APPLIED = "applied"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Requested(Fact, AggregateCreated):
    """A correction of a dose was asked for at a clinic (C-22).

    Attributes:
        record: stream of the vaccination record.
        dose: which dose.
        division: division of the organisation that manages the record.
        kind: amend fields, strike the dose out, or reinstate one that was struck out.
        changes: clear fields before and after; sealed ones stand sealed.
        urgency: next day (C-21) or at once.
        reason: why, as a code.
        requested_by: whose finding it is.
        clinic: clinic that wrote the request.
        evidence: HMAC-SHA256 of the evidence under a sealed salt.
        list: digest of the list of a mass correction that it belongs to.
    """

    TOPIC = "correction.requested.v1"

    record: UUID
    dose: UUID
    division: Division
    kind: CorrectionKind
    changes: Annotated[tuple[Change, ...], Size(0, 16)]
    urgency: Urgency
    reason: Code
    requested_by: RequestedBy
    clinic: UUID
    evidence: Hex32 | None = None
    list: Hex32 | None = None

    def apply(self, aggregate: Correction) -> None:
        """Open the correction."""
        aggregate.changes = self.changes
        aggregate.urgency = self.urgency
        aggregate.reason = self.reason
        aggregate.request_sealed = self.sealed


class Verified(Fact):
    """A clinic found the correction right.

    Attributes:
        clinic: clinic that verified it.
    """

    TOPIC = "correction.verified.v1"

    clinic: UUID

    def apply(self, aggregate: Correction) -> None:
        """It may now be applied."""
        aggregate.state = CorrectionState.VERIFIED


class Applied(Fact):
    """A clinic applied the correction; the record's own event follows from the platform.

    Attributes:
        clinic: clinic that applied it.
        derived: from when views show it.
    """

    TOPIC = "correction.applied.v1"

    clinic: UUID
    derived: Effective

    def apply(self, aggregate: Correction) -> None:
        """Final."""
        aggregate.state = CorrectionState.APPLIED
        aggregate.effective_on = self.derived.effective_on


class Rejected(Fact):
    """A clinic refused the correction; the reason is the answer.

    Attributes:
        clinic: clinic that refused it.
        reason: why, as a code.
    """

    TOPIC = "correction.rejected.v1"

    clinic: UUID
    reason: Code

    def apply(self, aggregate: Correction) -> None:
        """Final."""
        aggregate.state = CorrectionState.REJECTED


class Withdrawn(Fact):
    """Who asked for the correction took it back.

    Attributes:
        clinic: clinic that wrote the withdrawal.
        reason: why, as a code.
    """

    TOPIC = "correction.withdrawn.v1"

    clinic: UUID
    reason: Code

    def apply(self, aggregate: Correction) -> None:
        """Final."""
        aggregate.state = CorrectionState.WITHDRAWN
