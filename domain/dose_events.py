"""The four events of a dose: given, transcribed, corrected, struck out.

What a dose is after them, and what is refused, stands in `domain.dose`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from domain.effect import CausedEffect, Noted
from domain.sealed import Fact
from domain.shape import Size
from domain.vocabulary import (
    Code,
    DoseNumber,
    FieldName,
    Hex32,
    Lot,
    Name,
    NationalCode,
    Province,
    Quantity,
    RouteCode,
    SiteCode,
    SourceSystem,
    Urgency,
    VaccineCode,
)

if TYPE_CHECKING:
    from domain.vaccination_record import VaccinationRecord


class EvidenceKind(StrEnum):
    """What a transcribed dose was read from (C-26)."""

    CERTIFICATE = "certificate"
    CARD = "card"
    OTHER_SYSTEM = "other-system"


class Consent(StrEnum):
    """How the informed consent to a dose was given (law article 45)."""

    PAPER = "paper"
    ELECTRONIC = "electronic"


@dataclass(frozen=True)
class Preparation:
    """What was done before a dose (law article 45).

    Attributes:
        consent: how the recipient or guardian, informed, consented.
        health_asked: whether health and contraindications were asked about; answers are sealed.
        matched: whether person, certificate and vaccine were matched.
    """

    consent: Consent
    health_asked: bool
    matched: bool


@dataclass(frozen=True)
class Change:
    """One field of a dose before and after; values as they stand in `data`.

    Attributes:
        field: name of the clear field.
        before: value before, absent if the field was empty.
        after: value after, absent if the field becomes empty.
    """

    field: FieldName
    before: Name | None = None
    after: Name | None = None


class DoseAdministered(Fact):
    """A clinic gave a dose (E-3).

    Attributes:
        dose: id of the dose, for ever.
        vaccine: what was given, by the product catalogue.
        product: product name on the package.
        maker: marketing authorisation holder.
        lot: lot number on the package.
        expires_on: last day on which the package may be used.
        occurred_on: civil day on which it was given.
        site: where on the body, as the vaccine catalogue codes it.
        route: how, as the vaccine catalogue codes it.
        quantity: how much.
        clinic: clinic that gave it.
        source_system: system it comes from (C-20).
        derived: from when views show it, and what deserves a second look.
        national_code: four-digit national vaccine code.
        dose_number: number within the series, as the clinic counts.
        preparation: what was done before it.
    """

    TOPIC = "vaccination-record.dose-administered.v1"

    dose: UUID
    vaccine: VaccineCode
    product: Name
    maker: Name
    lot: Lot
    expires_on: date
    occurred_on: date
    site: SiteCode
    route: RouteCode
    quantity: Quantity
    clinic: UUID
    source_system: SourceSystem
    derived: Noted
    national_code: NationalCode | None = None
    dose_number: DoseNumber | None = None
    preparation: Preparation | None = None

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add the dose."""
        aggregate.add_dose(self)


class DoseTranscribed(Fact):
    """A clinic entered a dose given elsewhere, from paper or another system (C-26).

    Attributes:
        dose: id of the dose, for ever.
        vaccine: what was given, by the product catalogue.
        occurred_on: civil day on which it was given.
        source_system: system it comes from (C-20).
        evidence_kind: what it was read from.
        evidence: HMAC-SHA256 of the evidence under a sealed salt.
        clinic: clinic that entered it.
        derived: from when views show it, and what deserves a second look.
        national_code: four-digit national vaccine code.
        dose_number: number within the series.
        product: product name.
        maker: marketing authorisation holder.
        lot: lot number.
        expires_on: last day on which the package could be used.
        site: where on the body, as the vaccine catalogue codes it.
        route: how, as the vaccine catalogue codes it.
        quantity: how much.
        province: province where it was given.
    """

    TOPIC = "vaccination-record.dose-transcribed.v1"

    dose: UUID
    vaccine: VaccineCode
    occurred_on: date
    source_system: SourceSystem
    evidence_kind: EvidenceKind
    evidence: Hex32
    clinic: UUID
    derived: Noted
    national_code: NationalCode | None = None
    dose_number: DoseNumber | None = None
    product: Name | None = None
    maker: Name | None = None
    lot: Lot | None = None
    expires_on: date | None = None
    site: SiteCode | None = None
    route: RouteCode | None = None
    quantity: Quantity | None = None
    province: Province | None = None

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add the dose."""
        aggregate.add_dose(self)


class DoseCorrected(Fact):
    """A dose reads differently from a day on; written by the platform for an applied correction.

    Attributes:
        dose: which dose.
        changes: clear fields before and after; sealed ones stand sealed.
        correction: stream of the correction.
        urgency: next day (C-21) or at once.
        derived: from when views show it, and the event that applied the correction.
    """

    TOPIC = "vaccination-record.dose-corrected.v1"

    dose: UUID
    changes: Annotated[tuple[Change, ...], Size(0, 16)]
    correction: UUID
    urgency: Urgency
    derived: CausedEffect

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add the reading to the dose's history."""
        aggregate.restate_dose(self)


class DoseStanding(Fact):
    """Whether a dose stands, from a day on; written by the platform for an applied correction.

    Attributes:
        dose: which dose.
        correction: stream of the correction.
        reason: why, as a code.
        derived: from when views show it, and the event that applied the correction.
    """

    dose: UUID
    correction: UUID
    reason: Code
    derived: CausedEffect

    def apply(self, aggregate: VaccinationRecord) -> None:
        """Add the reading to the dose's history."""
        aggregate.restate_dose(self)


class DoseEnteredInError(DoseStanding):
    """A dose was never given as entered; it stays in the history, struck out from a day on."""

    TOPIC = "vaccination-record.dose-entered-in-error.v1"


class DoseReinstated(DoseStanding):
    """A dose that was struck out was given after all; it reads again as before, from a day on."""

    TOPIC = "vaccination-record.dose-reinstated.v1"
