"""Where a record stands on the roll (在册), and who manages it; moves on and off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.calendar import civil_day
from domain.effect import Effective
from domain.errors import DomainError
from domain.merging import check_open
from domain.organisation import NotAClinic, Organisation, OrganisationKind
from domain.sealed import Fact, Sealed
from domain.vocabulary import Division

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord


class Roll(StrEnum):
    """Whether a record is on the active roll of its clinic (在册).

    A record of the maternity ward where the child was born waits for its move to a child clinic
    (C-24): the first doses are given, and nobody can claim its certificate yet.
    """

    MATERNITY = "maternity"
    ACTIVE = "active"
    TEMPORARY = "temporary"
    MOVED_OUT = "moved-out"
    DECEASED = "deceased"


@dataclass(frozen=True)
class RollState:
    """Where a record stands on the roll from one day on.

    Attributes:
        status: whether it is on the active roll.
        on: day of the move, as reported.
        effective_on: first day on which views show it.
        managing_organisation: who manages the record from then on.
        division: division of that organisation.
    """

    status: Roll
    on: date
    effective_on: date
    managing_organisation: UUID
    division: str


class DivisionDiffers(DomainError):
    """The division is not the one of the organisation that manages the record."""

    code = "division-differs"
    zh = "行政区划与管理单位不一致。"


class NotBornHere(DomainError):
    """Only a child's record is opened in a maternity ward, and none goes back there."""

    code = "not-born-here"
    zh = "只有新生儿档案由产科建立，档案不能转回产科。"


class ParentsMissing(DomainError):
    """A record leaves the maternity ward when a parent or guardian was entered (C-24)."""

    code = "parents-missing"
    zh = "转入儿童预防接种门诊前须录入新生儿父母身份信息。"


class RecordClosed(DomainError):
    """The recipient has died; the roll changes no more."""

    code = "record-closed"
    zh = "受种者已死亡，在册状态不再变更。"


class RecordNotOnRoll(DomainError):
    """The record is not on the roll; it moved out."""

    code = "record-not-on-roll"
    zh = "档案已迁出，不在册。"


class RollUnchanged(DomainError):
    """The record stands so on the roll already."""

    code = "roll-unchanged"
    zh = "在册状态没有变化。"


class MoveInFuture(DomainError):
    """The move lies in the future."""

    code = "move-in-future"
    zh = "变更日期晚于今天。"


def check_managed_by(organisation: Organisation, division: str | None) -> None:
    """Check who is to manage a record.

    Raises:
        DomainError: NotAClinic or DivisionDiffers.
    """
    if organisation.kind is not OrganisationKind.CLINIC:
        raise NotAClinic(kind=organisation.kind.value)
    if division != organisation.division:
        raise DivisionDiffers(division=division, managing=organisation.division)


def check_move(
    record: VaccinationRecord,
    fields: Mapping[str, Any],
    *,
    managed_by: Organisation | None,
    today: date,
) -> None:
    """Check a move of the roll.

    Raises:
        DomainError: RecordClosed, NotBornHere, ParentsMissing, RollUnchanged, MoveInFuture,
            NotAClinic or DivisionDiffers.
    """
    current, status = record.roll_history[-1], fields["status"]
    if current.status is Roll.DECEASED:
        raise RecordClosed
    if status is Roll.MATERNITY:
        raise NotBornHere
    leaves_ward = current.status is Roll.MATERNITY and status in (Roll.ACTIVE, Roll.TEMPORARY)
    if leaves_ward and not record.guardians:
        raise ParentsMissing
    if fields["on"] > today:
        raise MoveInFuture(on=fields["on"].isoformat(), today=today.isoformat())
    if managed_by is not None:
        check_managed_by(managed_by, fields.get("division"))
    elif fields.get("division") is not None:
        raise DivisionDiffers(division=fields["division"])
    manager = managed_by.id if managed_by is not None else current.managing_organisation
    if (status, manager) == (current.status, current.managing_organisation):
        raise RollUnchanged(status=current.status.value)


def change_roll(
    record: VaccinationRecord,
    *,
    managed_by: Organisation | None = None,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Move the record on or off the roll, or to another clinic.

    `managed_by`: the organisation named as `managing_organisation`, if one is.

    Raises:
        DomainError: RecordMerged or any of `check_move`.
    """
    check_open(record)
    check_move(record, fields, managed_by=managed_by, today=civil_day(recorded_at))
    record.trigger_event(
        RollChanged,
        timestamp=recorded_at,
        sealed=sealed,
        derived=Effective(civil_day(recorded_at)),
        **fields,
    )


class RollChanged(Fact):
    """The record moved on or off the roll, or to another clinic.

    Attributes:
        status: where it stands now.
        on: day of the move, as reported; for a death its day.
        managing_organisation: clinic that manages it from now on, if another.
        division: division of that clinic, if another.
        derived: from when views show it.
    """

    TOPIC = "vaccination-record.roll-changed.v1"

    status: Roll
    on: date
    derived: Effective
    managing_organisation: UUID | None = None
    division: Division | None = None

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add a state to the roll's history; out of the maternity ward, identities count (C-24)."""
        if aggregate.roll_history[-1].status is Roll.MATERNITY:
            aggregate.let_identities_count(self.derived.effective_on + timedelta(days=1))
        aggregate.move(
            RollState(
                status=self.status,
                on=self.on,
                effective_on=self.derived.effective_on,
                managing_organisation=self.managing_organisation or aggregate.managing_organisation,
                division=self.division or aggregate.division,
            )
        )
