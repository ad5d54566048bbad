"""Writes about what a person was given: doses and contraindications."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from commands.permissions import Scope
from commands.writing import PACKAGE_CODE, Decision, Handler, Writing
from domain.dose import DoseState
from domain.dose_duplicates import compare
from domain.dose_policy import DoseFacts
from domain.identity import IdNumber
from domain.organisation import Organisation
from domain.private import IdType
from domain.quality import Check, remarks
from domain.topics import people
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim


def administer_dose(writing: Writing) -> Decision:
    """Record a dose that the clinic gave (E-3); a smallest package is given once."""
    record = _permitted_record(writing)
    sealing, typed = writing.seal(roles_of(writing, record))
    values = typed[record.recipient]
    facts = replace(
        dose_facts(writing, record),
        occurred_at=values["occurred_at"],
        rules=writing.services.rules.doses,
    )
    found = _remarks(writing, record, facts, given=True)
    record.administer_dose(
        facts=facts,
        remarks=tuple(check.id for check in found),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    package = writing.blind(PACKAGE_CODE, values["package_code"])
    claims = (Claim(PACKAGE_CODE, package, record.id),)
    return Decision(record, sealing, claims=claims, remarks=found)


def transcribe_dose(writing: Writing) -> Decision:
    """Record a dose from its evidence (C-26)."""
    record = _permitted_record(writing)
    sealing, _ = writing.seal(roles_of(writing, record))
    facts = dose_facts(writing, record)
    found = _remarks(writing, record, facts, given=False)
    record.transcribe_dose(
        facts=facts,
        remarks=tuple(check.id for check in found),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(record, sealing, remarks=found)


def record_contraindication(writing: Writing) -> Decision:
    """Record a contraindication; its kind is sealed."""
    record = _permitted_record(writing)
    sealing, _ = writing.seal(roles_of(writing, record))
    record.record_contraindication(
        known_groups=frozenset(writing.services.rules.requirements.groups),
        clinic_kind=_clinic(writing).kind,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(record, sealing)


def lift_contraindication(writing: Writing) -> Decision:
    """End a contraindication."""
    record = writing.target(VaccinationRecord)
    writing.permit(Scope(record.division, managing=record.managing_organisation))
    sealing, _ = writing.seal(roles_of(writing, record))
    record.lift_contraindication(
        recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields
    )
    return Decision(record, sealing)


def report_adverse_event(writing: Writing) -> Decision:
    """Report a suspected adverse event after a dose; what was seen is sealed."""
    record = _seen_by(writing)
    sealing, _ = writing.seal(roles_of(writing, record))
    record.report_adverse_event(
        recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields
    )
    return Decision(record, sealing)


def classify_adverse_event(writing: Writing) -> Decision:
    """Say what an adverse event was found to be."""
    record = _seen_by(writing)
    sealing, _ = writing.seal({})
    organisation = writing.services.directory.organisation(writing.fields["organisation"])
    record.classify_adverse_event(
        by=organisation.kind, recorded_at=writing.recorded_at, **writing.fields
    )
    return Decision(record, sealing)


def dose_facts(writing: Writing, record: VaccinationRecord) -> DoseFacts:
    """What the policies of a dose must know; the birth date is opened for this decision."""
    return DoseFacts(
        catalogue=writing.services.rules.catalogue,
        birth_date=writing.person(record, record.recipient)["birth_date"],
        clinic_kind=_clinic(writing).kind,
    )


def _remarks(
    writing: Writing, record: VaccinationRecord, facts: DoseFacts, *, given: bool
) -> tuple[Check, ...]:
    """What deserves a second look in a new dose, should nothing refuse it."""
    dose = DoseState.proposed(
        writing.fields, version=record.version + 1, day=writing.today, given=given
    )
    return remarks_on(writing, record, dose, facts)


def remarks_on(
    writing: Writing, record: VaccinationRecord, dose: DoseState, facts: DoseFacts
) -> tuple[Check, ...]:
    """What deserves a second look in a dose as it will read, beside the person's other doses."""
    schedule = writing.services.rules.schedule_on(dose.occurred_on)
    twice = {
        check.id: check
        for other in writing.doses_on(record, date.max)
        if other.dose != dose.dose and (check := compare(dose, other, facts.catalogue))
    }
    return (*twice.values(), *remarks(dose, facts.birth_date, facts.catalogue, schedule))


def id_number(values: Mapping[str, object]) -> str | None:
    """The normalised number of a person's document, prefixed by its type; None without one."""
    number = values.get("id_number")
    if number is None:
        return None
    if isinstance(number, IdNumber):
        return f"{IdType.ID_CARD}:{number.value}"
    return f"{values.get('id_type', IdType.ID_CARD)}:{number}"


def _permitted_record(writing: Writing) -> VaccinationRecord:
    record = writing.target(VaccinationRecord)
    acting: UUID = writing.fields["clinic"]
    writing.permit(Scope(record.division, acting=acting, managing=record.managing_organisation))
    return record


def _seen_by(writing: Writing) -> VaccinationRecord:
    record = writing.target(VaccinationRecord)
    acting: UUID = writing.fields["organisation"]
    writing.permit(Scope(record.division, acting=acting, managing=record.managing_organisation))
    return record


def roles_of(writing: Writing, record: VaccinationRecord) -> dict[UUID, str]:
    """For whom of a record the statement's topic may seal values, each with the role."""
    return people(
        writing.statement.topic,
        writing.fields,
        recipient=record.recipient,
        guardians=[guardian.person for guardian in record.guardians],
    )


def _clinic(writing: Writing) -> Organisation:
    return writing.services.directory.organisation(writing.fields["clinic"])


HANDLERS: Mapping[str, Handler] = {
    "vaccination-record.adverse-event-reported.v1": report_adverse_event,
    "vaccination-record.adverse-event-classified.v1": classify_adverse_event,
    "vaccination-record.dose-administered.v1": administer_dose,
    "vaccination-record.dose-transcribed.v1": transcribe_dose,
    "vaccination-record.contraindication-recorded.v1": record_contraindication,
    "vaccination-record.contraindication-lifted.v1": lift_contraindication,
}
