"""Who answers for a child: guardians of a record, entered later or removed.

Their identity is sealed under their own keys. Who was removed stays in the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.calendar import civil_day, effective_next_day
from domain.effect import Effective
from domain.errors import DomainError
from domain.merging import check_open
from domain.sealed import Fact, Sealed
from domain.vocabulary import Code, PersonKind, Relation

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord

MAX_GUARDIANS = 8


@dataclass(frozen=True)
class Guardian:
    """A guardian of the recipient; name and numbers are sealed under the guardian's own key.

    Attributes:
        person: handle of the guardian.
        relation: what the guardian is to the child.
    """

    person: UUID
    relation: Relation


class PersonNamedTwice(DomainError):
    """One person is named twice, as recipient or guardian."""

    code = "person-named-twice"
    zh = "受种者或监护人重复填写。"


class GuardianOfAdult(DomainError):
    """An adult's record names no guardians."""

    code = "guardian-of-adult"
    zh = "成人档案不登记监护人。"


class TooManyGuardians(DomainError):
    """A record names eight guardians at most."""

    code = "too-many-guardians"
    zh = "一份档案最多登记八名监护人。"


class NoSuchGuardian(DomainError):
    """This person is no guardian of the record."""

    code = "no-such-guardian"
    zh = "此人不是该档案的监护人。"


def check_guardian(record: VaccinationRecord, guardian: UUID) -> None:
    """Check a guardian who is entered later.

    Raises:
        DomainError: GuardianOfAdult, PersonNamedTwice or TooManyGuardians.
    """
    if record.kind is PersonKind.ADULT:
        raise GuardianOfAdult
    if guardian in record.people:
        raise PersonNamedTwice
    if len(record.guardians) == MAX_GUARDIANS:
        raise TooManyGuardians(most=MAX_GUARDIANS)


def check_removal(record: VaccinationRecord, guardian: UUID) -> None:
    """Check that a person is a guardian who can be removed.

    Raises:
        NoSuchGuardian: it is somebody else.
    """
    if guardian not in {one.person for one in record.guardians}:
        raise NoSuchGuardian


def add_guardian(
    record: VaccinationRecord,
    *,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Enter a guardian, whose identity counts from the next day on (C-23).

    Raises:
        DomainError: RecordMerged, GuardianOfAdult, PersonNamedTwice or TooManyGuardians.
    """
    check_open(record)
    check_guardian(record, fields["person"])
    record.trigger_event(
        GuardianAdded,
        timestamp=recorded_at,
        sealed=sealed,
        derived=Effective(effective_next_day(recorded_at)),
        **fields,
    )


def remove_guardian(
    record: VaccinationRecord,
    *,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Let a person be a guardian no more, at once.

    Raises:
        DomainError: RecordMerged or NoSuchGuardian.
    """
    check_open(record)
    check_removal(record, fields["person"])
    record.trigger_event(
        GuardianRemoved,
        timestamp=recorded_at,
        sealed=sealed,
        derived=Effective(civil_day(recorded_at)),
        **fields,
    )


class GuardianAdded(Fact):
    """A guardian was entered after the registration, such as a newborn's father (C-10, C-24).

    Attributes:
        person: handle of the guardian.
        relation: what the guardian is to the child.
        derived: from when the identity counts and views show it (C-23).
    """

    TOPIC = "vaccination-record.guardian-added.v1"

    person: UUID
    relation: Relation
    derived: Effective

    def apply(self, aggregate: VaccinationRecord) -> None:
        """The last guardian; the identity counts from its day on."""
        aggregate.guardians = (*aggregate.guardians, Guardian(self.person, self.relation))
        aggregate.former_guardians -= {self.person}
        aggregate.identity_effective_on[self.person] = self.derived.effective_on


class GuardianRemoved(Fact):
    """A person is no guardian of the child any more, or never was one.

    It holds at once: who has lost a child must not read its record until tomorrow.

    Attributes:
        person: handle of the former guardian.
        reason: why, as a code.
        derived: from when views show it.
    """

    TOPIC = "vaccination-record.guardian-removed.v1"

    person: UUID
    reason: Code
    derived: Effective

    def apply(self, aggregate: VaccinationRecord) -> None:
        """The record keeps what it held of them, and shows it to them no more."""
        aggregate.guardians = tuple(
            guardian for guardian in aggregate.guardians if guardian.person != self.person
        )
        aggregate.former_guardians |= {self.person}
        aggregate.identity_effective_on.pop(self.person, None)
