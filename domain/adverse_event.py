"""A suspected adverse event following immunization (AEFI, 疑似预防接种异常反应), linked to a dose.

Whoever sees it reports it; a CDC has it classified. What happened is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.calendar import civil_day
from domain.dosing import current_dose
from domain.errors import DomainError
from domain.organisation import OrganisationKind
from domain.sealed import Fact, Sealed

if TYPE_CHECKING:
    from domain.dose import DoseState
    from domain.vaccination_record import VaccinationRecord


class Reaction(StrEnum):
    """What was seen; sealed."""

    LOCAL = "local"
    FEVER = "fever"
    RASH = "rash"
    ALLERGIC_SHOCK = "allergic-shock"
    CONVULSION = "convulsion"
    ABSCESS = "abscess"
    FAINTING = "fainting"
    OTHER = "other"


class Classification(StrEnum):
    """What it was found to be, by the national scheme of AEFI."""

    COMMON = "common"
    ABNORMAL = "abnormal"
    VACCINE_QUALITY = "vaccine-quality"
    PROGRAMME_ERROR = "programme-error"
    COINCIDENTAL = "coincidental"
    PSYCHOGENIC = "psychogenic"
    UNCLEAR = "unclear"


CLASSIFIERS = frozenset(
    {OrganisationKind.COUNTY_CDC, OrganisationKind.CITY_CDC, OrganisationKind.PROVINCE_CDC}
)
"""Who has an adverse event classified."""


class DuplicateAdverseEvent(DomainError):
    """The record has an adverse event of this id already."""

    code = "duplicate-adverse-event"
    zh = "该疑似异常反应编号已存在。"


class UnknownAdverseEvent(DomainError):
    """The record has no such adverse event."""

    code = "unknown-adverse-event"
    zh = "档案中没有该疑似异常反应。"


class OnsetBeforeDose(DomainError):
    """The adverse event began before the dose, or lies in the future."""

    code = "onset-before-dose"
    zh = "发生日期早于接种日期或晚于今天。"


class NotAClassifier(DomainError):
    """Only a CDC has an adverse event classified."""

    code = "not-a-classifier"
    zh = "疑似异常反应由疾控机构组织调查诊断后分类。"


@dataclass(frozen=True)
class AdverseEventState:
    """An adverse event as it stands.

    Attributes:
        dose: after which dose.
        onset_on: when it began.
        is_serious: whether it was reported as serious.
        classification: what it was found to be, None while nobody has.
    """

    dose: UUID
    onset_on: date
    is_serious: bool
    classification: Classification | None = None


def check_report(
    record: VaccinationRecord, dose: DoseState, fields: Mapping[str, Any], today: date
) -> None:
    """Check a report.

    Raises:
        DomainError: DuplicateAdverseEvent or OnsetBeforeDose.
    """
    if fields["adverse_event"] in record.adverse_events:
        raise DuplicateAdverseEvent(adverse_event=str(fields["adverse_event"]))
    onset: date = fields["onset_on"]
    if not dose.occurred_on <= onset <= today:
        raise OnsetBeforeDose(onset_on=onset.isoformat(), given_on=dose.occurred_on.isoformat())


def check_classification(
    record: VaccinationRecord, adverse_event: UUID, by: OrganisationKind
) -> None:
    """Check a classification; a later one replaces an earlier one.

    Raises:
        DomainError: UnknownAdverseEvent or NotAClassifier.
    """
    if adverse_event not in record.adverse_events:
        raise UnknownAdverseEvent(adverse_event=str(adverse_event))
    if by not in CLASSIFIERS:
        raise NotAClassifier(kind=by.value)


def report_adverse_event(
    record: VaccinationRecord,
    *,
    recorded_at: datetime,
    sealed: tuple[Sealed, ...] = (),
    **fields: Any,
) -> None:
    """Report a suspected adverse event after a dose, also of a record that was merged.

    Raises:
        DomainError: UnknownDose, DuplicateAdverseEvent or OnsetBeforeDose.
    """
    dose = current_dose(record, fields["dose"])
    check_report(record, dose, fields, civil_day(recorded_at))
    record.trigger_event(AdverseEventReported, timestamp=recorded_at, sealed=sealed, **fields)


def classify_adverse_event(
    record: VaccinationRecord, *, by: OrganisationKind, recorded_at: datetime, **fields: Any
) -> None:
    """Say what an adverse event was found to be.

    Raises:
        DomainError: UnknownAdverseEvent or NotAClassifier.
    """
    check_classification(record, fields["adverse_event"], by)
    record.trigger_event(AdverseEventClassified, timestamp=recorded_at, **fields)


class AdverseEventReported(Fact):
    """A suspected adverse event after a dose was reported; what was seen is sealed.

    Attributes:
        adverse_event: its id, for ever.
        dose: after which dose of this record.
        onset_on: civil day on which it began.
        is_serious: whether it is serious: death, disability, hospital or a danger to life.
        organisation: organisation that reports it.
    """

    TOPIC = "vaccination-record.adverse-event-reported.v1"

    adverse_event: UUID
    dose: UUID
    onset_on: date
    is_serious: bool
    organisation: UUID

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add it, not classified yet."""
        aggregate.adverse_events[self.adverse_event] = AdverseEventState(
            self.dose, self.onset_on, self.is_serious
        )


class AdverseEventClassified(Fact):
    """A CDC had an adverse event investigated and classified.

    Attributes:
        adverse_event: which one.
        classification: what it was found to be.
        organisation: organisation that had it classified.
    """

    TOPIC = "vaccination-record.adverse-event-classified.v1"

    adverse_event: UUID
    classification: Classification
    organisation: UUID

    def apply(self, aggregate: VaccinationRecord) -> None:
        """The newest classification stands."""
        state = aggregate.adverse_events[self.adverse_event]
        aggregate.adverse_events[self.adverse_event] = replace(
            state, classification=self.classification
        )
