"""How doses come into a record, and how they are restated: the commands about them.

They are methods of the vaccination record, which says how their arguments read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.calendar import civil_day
from domain.dose import DoseState
from domain.dose_events import (
    DoseAdministered,
    DoseCorrected,
    DoseEnteredInError,
    DoseReinstated,
    DoseTranscribed,
)
from domain.dose_policy import DoseFacts, check_changes, check_dose, check_preparation
from domain.effect import Cause, CausedEffect, Noted, effective_day
from domain.errors import DomainError
from domain.merging import check_open
from domain.roll import RecordNotOnRoll, Roll
from domain.sealed import Sealed
from domain.vocabulary import Urgency

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord


class DuplicateDose(DomainError):
    """The record has a dose of this id already."""

    code = "duplicate-dose"
    zh = "该接种记录编号已存在。"


class UnknownDose(DomainError):
    """The record has no such dose, or it was entered in error."""

    code = "unknown-dose"
    zh = "档案中没有该接种记录，或该记录已作废。"


class NotStruck(DomainError):
    """Only a dose that was entered in error is reinstated."""

    code = "not-struck"
    zh = "只有已作废的接种记录才能恢复。"


def administer_dose(
    record: VaccinationRecord,
    *,
    facts: DoseFacts,
    remarks: tuple[str, ...] = (),
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Record a dose that a clinic gave.

    `facts`: what the policies must know; `died_on` is the record's own. `remarks`: ids of
    what deserves a second look in it.

    Raises:
        DomainError: RecordMerged, RecordNotOnRoll, DuplicateDose or any of
            `dose_policy.check_dose` and `check_preparation`.
    """
    check_preparation(fields, facts)
    _check_new_dose(record, fields, facts, recorded_at, given=True)
    derived = Noted(civil_day(recorded_at), remarks or None)
    record.trigger_event(
        DoseAdministered, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
    )


def transcribe_dose(
    record: VaccinationRecord,
    *,
    facts: DoseFacts,
    remarks: tuple[str, ...] = (),
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Record a dose given elsewhere, from its evidence (C-26); arguments as above.

    Raises:
        DomainError: RecordMerged, RecordNotOnRoll, DuplicateDose or any of
            `dose_policy.check_dose`.
    """
    _check_new_dose(record, fields, facts, recorded_at, given=False)
    derived = Noted(civil_day(recorded_at), remarks or None)
    record.trigger_event(
        DoseTranscribed, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
    )


def _check_new_dose(
    record: VaccinationRecord,
    fields: Mapping[str, Any],
    facts: DoseFacts,
    recorded_at: datetime,
    *,
    given: bool,
) -> None:
    check_open(record)
    today = civil_day(recorded_at)
    if record.roll_history[-1].status is Roll.MOVED_OUT:
        raise RecordNotOnRoll(status=Roll.MOVED_OUT.value)
    if fields["dose"] in record.dose_histories:
        raise DuplicateDose(dose=str(fields["dose"]))
    state = DoseState.proposed(fields, version=record.version + 1, day=today, given=given)
    check_dose(state, facts, record.died_on, today)


def correct_dose(
    record: VaccinationRecord,
    *,
    facts: DoseFacts,
    cause: Cause,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Let a dose read differently from the correction's effective day on.

    `facts`: what the policies must know of the dose as it will read. `cause`: the
    event that applied the correction.

    Raises:
        DomainError: UnknownDose, any of `dose_policy.check_changes` or `check_dose`.
    """
    current = current_dose(record, fields["dose"])
    check_changes(current, fields["changes"], and_sealed=bool(sealed))
    check_dose(current.changed(fields["changes"]), facts, record.died_on, civil_day(recorded_at))
    derived = CausedEffect(effective_day(fields["urgency"], recorded_at), cause)
    record.trigger_event(
        DoseCorrected, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
    )


def enter_dose_in_error(
    record: VaccinationRecord,
    *,
    urgency: Urgency,
    cause: Cause,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Strike a dose out from the correction's effective day on; it is never deleted.

    `urgency`: the correction's. `cause`: the event that applied the correction.

    Raises:
        UnknownDose: there is none, or it is struck out already.
    """
    current_dose(record, fields["dose"])
    derived = CausedEffect(effective_day(urgency, recorded_at), cause)
    record.trigger_event(
        DoseEnteredInError, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
    )


def reinstate_dose(
    record: VaccinationRecord,
    *,
    urgency: Urgency,
    cause: Cause,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Let a dose that was struck out read again, from the correction's effective day on.

    `urgency`: the correction's. `cause`: the event that applied the correction.

    Raises:
        NotStruck: it is not struck out.
    """
    if not record.is_struck(fields["dose"]):
        raise NotStruck(dose=str(fields["dose"]))
    derived = CausedEffect(effective_day(urgency, recorded_at), cause)
    record.trigger_event(
        DoseReinstated, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
    )


def current_dose(record: VaccinationRecord, dose: UUID) -> DoseState:
    """Return a dose as it stands.

    Raises:
        UnknownDose: there is none, or it was entered in error.
    """
    state = record.dose(dose)
    if state is None:
        raise UnknownDose(dose=str(dose))
    return state
