"""A correction of a dose: asked for, verified and applied by the clinic, effective next day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from domain import correction_events
from domain.correction_events import CorrectionKind, CorrectionState
from domain.dose import DoseState
from domain.dose_events import Change
from domain.dose_policy import check_changes
from domain.dosing import NotStruck, UnknownDose
from domain.effect import Effective, effective_day
from domain.errors import DomainError
from domain.organisation import OrganisationKind
from domain.sealed import Fact, Sealed
from domain.vocabulary import Urgency


class OnlyVaccinationUnitCorrects(DomainError):
    """Only a vaccination unit or a CDC corrects a record (C-22)."""

    code = "only_vaccination_unit_corrects"
    zh = "更正须由预防接种单位核实办理。"


class CorrectionClosed(DomainError):
    """The correction does not stand where this step starts."""

    code = "correction-closed"
    zh = "该更正申请当前状态不允许此操作。"


class ChangesOfStrickenDose(DomainError):
    """Striking a dose out, or reinstating it, changes no field."""

    code = "changes-of-stricken-dose"
    zh = "作废或恢复接种记录时不得填写字段更正。"


CORRECTORS = frozenset(
    {
        OrganisationKind.CLINIC,
        OrganisationKind.COUNTY_CDC,
        OrganisationKind.CITY_CDC,
        OrganisationKind.PROVINCE_CDC,
    }
)
"""Who may write corrections; a citizen has no way to (C-22)."""

OPEN = (CorrectionState.REQUESTED, CorrectionState.VERIFIED)


class Correction(BaseAggregate[UUID]):
    """One correction of one dose, from request to application, rejection or withdrawal."""

    TOPIC = "correction"
    Event = Fact

    Requested = correction_events.Requested
    Verified = correction_events.Verified
    Applied = correction_events.Applied
    Rejected = correction_events.Rejected
    Withdrawn = correction_events.Withdrawn

    def __init__(self, record: UUID, dose: UUID, division: str, kind: CorrectionKind) -> None:
        self.record = record
        self.dose = dose
        self.division = division
        self.kind = kind
        self.changes: tuple[Change, ...] = ()
        self.urgency = Urgency.NEXT_DAY
        self.reason = ""
        self.state = CorrectionState.REQUESTED
        self.effective_on: date | None = None
        self.request_sealed: tuple[Sealed, ...] = ()

    @classmethod
    def request(  # noqa: PLR0913  each is a fact that the decision rests on
        cls,
        stream: UUID,
        *,
        current: DoseState | None,
        is_struck: bool = False,
        changes_sealed: bool = False,
        by: OrganisationKind,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Ask for a correction.

        Args:
            stream: id of the new stream.
            current: the dose with all that is known, `VaccinationRecord.dose(...)`.
            is_struck: whether it was entered in error, `VaccinationRecord.is_struck(...)`.
            changes_sealed: whether sealed fields change as well (checked by the caller with
                `dose_policy.check_sealed_changes`).
            by: what the organisation is that writes.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `correction.requested.v1`.

        Raises:
            DomainError: OnlyVaccinationUnitCorrects, UnknownDose, NotStruck,
                ChangesOfStrickenDose or any of `dose_policy.check_changes`.
        """
        _check_corrector(by)
        dose = _correctable(fields["kind"], fields["dose"], current, is_struck=is_struck)
        if fields["kind"] is CorrectionKind.AMEND and dose is not None:
            check_changes(dose, fields["changes"], and_sealed=changes_sealed)
        elif fields["changes"] or changes_sealed:
            raise ChangesOfStrickenDose
        return cls._create(
            event_class=cls.Requested, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    def verify(
        self,
        *,
        by: OrganisationKind,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Find the correction right.

        Raises:
            DomainError: OnlyVaccinationUnitCorrects or CorrectionClosed.
        """
        self._check_step(by, CorrectionState.REQUESTED)
        self.trigger_event(self.Verified, timestamp=recorded_at, sealed=sealed, **fields)

    def apply(
        self,
        *,
        by: OrganisationKind,
        current: DoseState | None,
        is_struck: bool = False,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Apply the correction, from the next day on or at once (C-21).

        The caller guards the record's stream at the version of `current`: of two corrections of
        one dose exactly one is applied, the other meets the new state.

        Raises:
            DomainError: OnlyVaccinationUnitCorrects, CorrectionClosed, UnknownDose, NotStruck or
                any of `dose_policy.check_changes`.
        """
        self._check_step(by, CorrectionState.VERIFIED)
        dose = _correctable(self.kind, self.dose, current, is_struck=is_struck)
        if self.kind is CorrectionKind.AMEND and dose is not None:
            check_changes(dose, self.changes, and_sealed=bool(self.request_sealed))
        derived = Effective(effective_day(self.urgency, recorded_at))
        self.trigger_event(
            self.Applied, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def reject(
        self,
        *,
        by: OrganisationKind,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Refuse the correction, with a reason.

        Raises:
            DomainError: OnlyVaccinationUnitCorrects or CorrectionClosed.
        """
        self._check_step(by, *OPEN)
        self.trigger_event(self.Rejected, timestamp=recorded_at, sealed=sealed, **fields)

    def withdraw(
        self,
        *,
        by: OrganisationKind,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Take the correction back.

        Raises:
            DomainError: OnlyVaccinationUnitCorrects or CorrectionClosed.
        """
        self._check_step(by, *OPEN)
        self.trigger_event(self.Withdrawn, timestamp=recorded_at, sealed=sealed, **fields)

    def _check_step(self, by: OrganisationKind, *states: CorrectionState) -> None:
        _check_corrector(by)
        if self.state not in states:
            raise CorrectionClosed(state=self.state.value, starts_from=[s.value for s in states])


def _check_corrector(by: OrganisationKind) -> None:
    if by not in CORRECTORS:
        raise OnlyVaccinationUnitCorrects(kind=by.value)


def _correctable(
    kind: CorrectionKind, which: UUID, current: DoseState | None, *, is_struck: bool
) -> DoseState | None:
    """The dose that a correction starts from; None for one that is to be reinstated.

    Raises:
        UnknownDose: there is none, or it is struck out and not to be reinstated.
        NotStruck: it is to be reinstated, and is not struck out.
    """
    if kind is CorrectionKind.REINSTATE:
        if is_struck:
            return None
        raise NotStruck(dose=str(which)) if current else UnknownDose(dose=str(which))
    if current is None:
        raise UnknownDose(dose=str(which))
    return current
