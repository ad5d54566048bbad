"""Who a record is about (建档): registration, and amendments of identity, which is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.calendar import civil_day, effective_next_day
from domain.effect import Effective
from domain.errors import DomainError
from domain.guardianship import MAX_GUARDIANS, Guardian, GuardianOfAdult, PersonNamedTwice
from domain.merging import check_open
from domain.organisation import Organisation
from domain.roll import NotBornHere, Roll, RollState, check_managed_by
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import Code, Division, FieldName, PersonKind, Year

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord


class NotARegistrationRoll(DomainError):
    """A record is opened as active or temporary, or in a maternity ward."""

    code = "not-a-registration-roll"
    zh = "建档时在册状态只能为在册、临时或产科。"


class BirthYearDiffers(DomainError):
    """The year of birth is not the one of the birth date."""

    code = "birth-year-differs"
    zh = "出生年份与出生日期不一致。"


class BornInFuture(DomainError):
    """The birth date lies in the future."""

    code = "born-in-future"
    zh = "出生日期晚于今天。"


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
    check_managed_by(managed_by, fields["division"])
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


def amend_identity(
    record: VaccinationRecord,
    *,
    birth_date: date | None = None,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Amend particulars of the recipient or a guardian, effective next day (C-21, C-23).

    `birth_date`: the recipient's birth date afterwards, if it changes.

    Raises:
        DomainError: RecordMerged, UnknownPerson, BirthYearDiffers or BornInFuture.
    """
    check_open(record)
    check_amendment(
        fields,
        people=record.people,
        recipient=record.recipient,
        birth_date=birth_date,
        today=civil_day(recorded_at),
    )
    record.trigger_event(
        IdentityAmended,
        timestamp=recorded_at,
        sealed=sealed,
        derived=Effective(effective_next_day(recorded_at)),
        **fields,
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
