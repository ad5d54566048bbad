"""Who a record is about, who manages it, and whether it is on the roll (在册).

Events of the vaccination record's archive (建档): registration, moves on and off the roll and
amendments of identity. The identity itself is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.effect import Effective
from domain.errors import DomainError
from domain.guardianship import MAX_GUARDIANS, Guardian, GuardianOfAdult, PersonNamedTwice
from domain.organisation import NotAClinic, Organisation, OrganisationKind
from domain.sealed import Fact
from domain.shape import Size
from domain.vocabulary import Code, Division, FieldName, PersonKind, Year

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


class NotARegistrationRoll(DomainError):
    """A record is opened as active or temporary, or in a maternity ward."""

    code = "not-a-registration-roll"
    zh = "建档时在册状态只能为在册、临时或产科。"


class NotBornHere(DomainError):
    """Only a child's record is opened in a maternity ward, and none goes back there."""

    code = "not-born-here"
    zh = "只有新生儿档案由产科建立，档案不能转回产科。"


class ParentsMissing(DomainError):
    """A record leaves the maternity ward when a parent or guardian was entered (C-24)."""

    code = "parents-missing"
    zh = "转入儿童预防接种门诊前须录入新生儿父母身份信息。"


class BirthYearDiffers(DomainError):
    """The year of birth is not the one of the birth date."""

    code = "birth-year-differs"
    zh = "出生年份与出生日期不一致。"


class BornInFuture(DomainError):
    """The birth date lies in the future."""

    code = "born-in-future"
    zh = "出生日期晚于今天。"


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


class UnknownPerson(DomainError):
    """The record holds no identity of this person."""

    code = "unknown-person"
    zh = "档案中没有此人。"


def check_registration(
    fields: Mapping[str, Any], *, managed_by: Organisation, birth_date: date, today: date
) -> None:
    """Check a registration.

    Raises:
        DomainError: NotAClinic, DivisionDiffers, PersonNamedTwice, GuardianOfAdult,
            NotARegistrationRoll, NotBornHere, BirthYearDiffers or BornInFuture.
    """
    _check_managed_by(managed_by, fields["division"])
    guardians: tuple[Guardian, ...] = fields["guardians"]
    people = [fields["recipient"], *(guardian.person for guardian in guardians)]
    if len(people) != len(set(people)):
        raise PersonNamedTwice
    if guardians and fields["kind"] is PersonKind.ADULT:
        raise GuardianOfAdult
    if fields["roll"] not in (Roll.ACTIVE, Roll.TEMPORARY, Roll.MATERNITY):
        raise NotARegistrationRoll(roll=fields["roll"].value)
    if fields["roll"] is Roll.MATERNITY and fields["kind"] is PersonKind.ADULT:
        raise NotBornHere
    _check_birth(birth_date, fields["birth_year"], today)


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
        _check_managed_by(managed_by, fields.get("division"))
    elif fields.get("division") is not None:
        raise DivisionDiffers(division=fields["division"])
    manager = managed_by.id if managed_by is not None else current.managing_organisation
    if (status, manager) == (current.status, current.managing_organisation):
        raise RollUnchanged(status=current.status.value)


def check_amendment(
    fields: Mapping[str, Any],
    *,
    people: frozenset[UUID],
    recipient: UUID,
    birth_date: date | None,
    today: date,
) -> None:
    """Check an amendment of identity.

    Raises:
        DomainError: UnknownPerson, BirthYearDiffers or BornInFuture.
    """
    if fields["person"] not in people:
        raise UnknownPerson(person=str(fields["person"]))
    birth_year = fields.get("birth_year")
    if fields["person"] != recipient and birth_year is not None:
        raise BirthYearDiffers(reason="a guardian has none")
    if birth_date is not None and birth_year is not None:
        _check_birth(birth_date, birth_year, today)
    elif (birth_date is None) is not (birth_year is None):
        raise BirthYearDiffers(reason="both change or neither")


def _check_managed_by(organisation: Organisation, division: str | None) -> None:
    if organisation.kind is not OrganisationKind.CLINIC:
        raise NotAClinic(kind=organisation.kind.value)
    if division != organisation.division:
        raise DivisionDiffers(division=division, managing=organisation.division)


def _check_birth(birth_date: date, birth_year: int, today: date) -> None:
    if birth_date.year != birth_year:
        raise BirthYearDiffers
    if birth_date > today:
        raise BornInFuture


class Registered(Fact, AggregateCreated):
    """A vaccination record was opened (建档).

    Attributes:
        kind: child or adult.
        recipient: handle of the person whose record it is.
        guardians: guardians of a child.
        birth_year: year of birth of the recipient.
        managing_organisation: clinic that manages the record.
        division: division of that clinic.
        roll: active or temporary, or in the maternity ward where the child was born (C-24).
        derived: from when views show it.
    """

    TOPIC = "vaccination-record.registered.v1"

    kind: PersonKind
    recipient: UUID
    guardians: Annotated[tuple[Guardian, ...], Size(0, MAX_GUARDIANS)]
    birth_year: Year
    managing_organisation: UUID
    division: Division
    roll: Roll
    derived: Effective

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Put the record on the roll; identities count for claims from the next day on (C-23)."""
        aggregate.let_identities_count(self.derived.effective_on + timedelta(days=1))
        aggregate.move(
            RollState(
                status=self.roll,
                on=self.derived.effective_on,
                effective_on=self.derived.effective_on,
                managing_organisation=self.managing_organisation,
                division=self.division,
            )
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


class IdentityAmended(Fact):
    """Particulars of the recipient or a guardian were amended; values are sealed.

    Attributes:
        person: handle of the recipient or guardian.
        fields: names of the fields that changed.
        reason: why, as a code.
        birth_year: the recipient's year of birth, if it changed.
        derived: from when views show it (C-21, C-23).
    """

    TOPIC = "vaccination-record.identity-amended.v1"

    person: UUID
    fields: Annotated[tuple[FieldName, ...], Size(1, 16)]
    reason: Code
    derived: Effective
    birth_year: Year | None = None

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Only the year of birth is clear."""
        aggregate.identity_effective_on[self.person] = self.derived.effective_on
        if self.birth_year is not None:
            aggregate.birth_year = self.birth_year
