"""A contraindication: which vaccine groups, and for how long; its kind and cause are sealed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from domain.errors import DomainError, UnknownVaccineGroup
from domain.merging import check_open
from domain.organisation import NotAClinic, OrganisationKind
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import VaccineCode

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord


class Kind(StrEnum):
    """What kind of contraindication it is; sealed (A-11)."""

    ALLERGY = "allergy"
    SEVERE_REACTION = "severe-reaction"
    NEUROLOGICAL = "neurological"
    ACUTE_ILLNESS = "acute-illness"
    PREGNANCY = "pregnancy"
    IMMUNODEFICIENCY = "immunodeficiency"
    OTHER = "other"


class DuplicateContraindication(DomainError):
    """The record has a contraindication of this id already."""

    code = "duplicate-contraindication"
    zh = "该禁忌记录编号已存在。"


class UnknownContraindication(DomainError):
    """The record has no such contraindication."""

    code = "unknown-contraindication"
    zh = "档案中没有该禁忌记录。"


class ContraindicationEnded(DomainError):
    """The contraindication has been lifted already."""

    code = "contraindication-ended"
    zh = "该禁忌已解除。"


class ValidityReversed(DomainError):
    """The contraindication ends before it starts."""

    code = "validity-reversed"
    zh = "禁忌结束日期早于开始日期。"


class LastingWithEnd(DomainError):
    """A lasting contraindication has no end."""

    code = "lasting-with-end"
    zh = "长期禁忌不填结束日期。"


class VaccineGroupNamedTwice(DomainError):
    """A vaccine group is named twice."""

    code = "vaccine-group-named-twice"
    zh = "疫苗种类重复填写。"


def check_contraindication(
    fields: Mapping[str, Any], *, existing: Collection[UUID], known_groups: Collection[str]
) -> None:
    """Check a new contraindication.

    Raises:
        DomainError: DuplicateContraindication, UnknownVaccineGroup, VaccineGroupNamedTwice,
            ValidityReversed or LastingWithEnd.
    """
    if fields["contraindication"] in existing:
        raise DuplicateContraindication(contraindication=str(fields["contraindication"]))
    groups: tuple[str, ...] = fields["vaccine_groups"]
    for group in groups:
        if group not in known_groups:
            raise UnknownVaccineGroup(vaccine_group=group)
    if len(groups) != len(set(groups)):
        raise VaccineGroupNamedTwice
    valid_from: date = fields["valid_from"]
    valid_to: date | None = fields.get("valid_to")
    if fields["lasting"] and valid_to is not None:
        raise LastingWithEnd
    if valid_to is not None and valid_to < valid_from:
        raise ValidityReversed(valid_from=valid_from.isoformat(), valid_to=valid_to.isoformat())


def check_lifting(state: ContraindicationState | None, on: date) -> None:
    """Check that a contraindication can be lifted on a day.

    Raises:
        DomainError: UnknownContraindication, ContraindicationEnded or ValidityReversed.
    """
    if state is None:
        raise UnknownContraindication
    if state.lifted_on is not None:
        raise ContraindicationEnded(lifted_on=state.lifted_on.isoformat())
    if on < state.valid_from:
        raise ValidityReversed(valid_from=state.valid_from.isoformat(), on=on.isoformat())


def record_contraindication(
    record: VaccinationRecord,
    *,
    known_groups: frozenset[str],
    clinic_kind: OrganisationKind,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Record a contraindication against vaccine groups (A-11).

    `known_groups`: vaccine groups of the requirements in force. `clinic_kind`: what
    the organisation is that records it.

    Raises:
        DomainError: RecordMerged, NotAClinic or any of
            `check_contraindication`.
    """
    check_open(record)
    if clinic_kind is not OrganisationKind.CLINIC:
        raise NotAClinic(kind=clinic_kind.value)
    check_contraindication(fields, existing=record.contraindications, known_groups=known_groups)
    record.trigger_event(ContraindicationRecorded, timestamp=recorded_at, sealed=sealed, **fields)


def lift_contraindication(
    record: VaccinationRecord,
    *,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """End a contraindication.

    Raises:
        DomainError: UnknownContraindication, ContraindicationEnded or ValidityReversed.
    """
    check_lifting(record.contraindications.get(fields["contraindication"]), fields["on"])
    record.trigger_event(ContraindicationLifted, timestamp=recorded_at, sealed=sealed, **fields)


@dataclass(frozen=True)
class ContraindicationState:
    """A contraindication as it stands.

    Attributes:
        contraindication: its id.
        vaccine_groups: vaccine groups that must not be given.
        lasting: whether it exempts (X-5); a passing one postpones.
        valid_from: first day.
        valid_to: last day, or None.
        lifted_on: day from which it holds no longer, or None.
    """

    contraindication: UUID
    vaccine_groups: tuple[str, ...]
    lasting: bool
    valid_from: date
    valid_to: date | None
    lifted_on: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether it holds on that civil day."""
        return (
            self.valid_from <= day
            and (self.valid_to is None or day <= self.valid_to)
            and (self.lifted_on is None or day < self.lifted_on)
        )


class ContraindicationRecorded(Fact):
    """A clinic recorded a contraindication (A-11, S-10).

    Attributes:
        contraindication: its id, for ever.
        vaccine_groups: vaccine groups that must not be given.
        lasting: whether it exempts (X-5); a passing one postpones.
        valid_from: first civil day on which it holds.
        clinic: clinic that recorded it.
        valid_to: last civil day on which it holds.
    """

    TOPIC = "vaccination-record.contraindication-recorded.v1"

    contraindication: UUID
    vaccine_groups: Annotated[tuple[VaccineCode, ...], Size(1, 32)]
    lasting: bool
    valid_from: date
    clinic: UUID
    valid_to: date | None = None

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add it."""
        aggregate.contraindications[self.contraindication] = ContraindicationState(
            contraindication=self.contraindication,
            vaccine_groups=self.vaccine_groups,
            lasting=self.lasting,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class ContraindicationLifted(Fact):
    """A contraindication holds no longer.

    Attributes:
        contraindication: which one.
        on: first civil day on which it does not hold.
    """

    TOPIC = "vaccination-record.contraindication-lifted.v1"

    contraindication: UUID
    on: date

    def apply(self, aggregate: VaccinationRecord) -> None:
        """End it."""
        state = aggregate.contraindications[self.contraindication]
        aggregate.contraindications[self.contraindication] = replace(state, lifted_on=self.on)
