"""Writes about one person's vaccination record."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from commands.permissions import Scope
from commands.writing import ID_NUMBER, PACKAGE_CODE, PERSON, Decision, Handler, Writing
from domain.dose_policy import CurrentStateDiffers, DoseFacts
from domain.identity import IdNumber
from domain.organisation import Organisation
from domain.private import IdType, check_identity
from domain.protection import State
from domain.quality import Check, remarks
from domain.topics import GUARDIAN, RECIPIENT, check_people, check_private, people
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim, Guard


def register(writing: Writing) -> Decision:
    """Open a record (C-23, C-24): its persons are new, and its own number belongs to no other."""
    writing.check_new()
    fields, statement = writing.fields, writing.statement
    managed_by = writing.services.directory.organisation(fields["managing_organisation"])
    writing.permit(Scope(managed_by.division, acting=managed_by.id, managing=managed_by.id))
    roles = people(statement.topic, fields)
    check_people(statement.topic, roles, writing.private)
    known = {
        handle: None if role == RECIPIENT else _known_from(writing, handle)
        for handle, role in roles.items()
    }
    newcomers = {handle for handle, source in known.items() if source is None}
    sealing, typed = writing.seal(roles, newcomers=newcomers)
    record = VaccinationRecord.register(
        statement.stream,
        managed_by=managed_by,
        birth_date=typed[fields["recipient"]]["birth_date"],
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    claims = [Claim(PERSON, handle.bytes, record.id) for handle in newcomers]
    indexes = []
    for handle, values in typed.items():
        number = id_number(values)
        if number is None:
            continue
        indexes.append((ID_NUMBER, number, handle))
        if roles[handle] == RECIPIENT:
            claims.append(Claim(ID_NUMBER, writing.blind(ID_NUMBER, number), record.id))
    # A guardian's key goes with the last record that holds it, so a sibling's record rests on the
    # one it knows the guardian from: were that shredded meanwhile, this is decided anew.
    guards = tuple(Guard(source.id, source.version) for source in known.values() if source)
    return Decision(record, sealing, guards=guards, claims=tuple(claims), indexes=tuple(indexes))


def administer_dose(writing: Writing) -> Decision:
    """Record a dose that the clinic gave (E-3); a smallest package is given once."""
    record = _permitted_record(writing)
    sealing, typed = writing.seal(_roles(writing, record))
    values = typed[record.recipient]
    facts = replace(dose_facts(writing, record), occurred_at=values["occurred_at"])
    record.administer_dose(
        facts=facts,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    package = writing.blind(PACKAGE_CODE, values["package_code"])
    claims = (Claim(PACKAGE_CODE, package, record.id),)
    return Decision(record, sealing, claims=claims, remarks=_remarks(writing, record, facts))


def transcribe_dose(writing: Writing) -> Decision:
    """Record a dose from its evidence (C-26)."""
    record = _permitted_record(writing)
    sealing, _ = writing.seal(_roles(writing, record))
    facts = dose_facts(writing, record)
    record.transcribe_dose(
        facts=facts,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(record, sealing, remarks=_remarks(writing, record, facts))


def record_contraindication(writing: Writing) -> Decision:
    """Record a contraindication; its kind is sealed."""
    record = _permitted_record(writing)
    sealing, _ = writing.seal(_roles(writing, record))
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
    sealing, _ = writing.seal(_roles(writing, record))
    record.lift_contraindication(
        recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields
    )
    return Decision(record, sealing)


def amend_identity(writing: Writing) -> Decision:
    """Amend a person's particulars, effective next day (C-21); a new own number is claimed."""
    record = writing.target(VaccinationRecord)
    _permit_managing(writing, record)
    sealing, typed = writing.seal(_roles(writing, record))
    who = writing.fields["person"]
    after = typed.get(who, {}).get("after", {})
    record.amend_identity(
        birth_date=after.get("birth_date"),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    current = writing.person(record, who)
    check_before(current, typed[who]["before"])
    check_identity(current | after)
    number = id_number(current | after)
    if "id_number" not in after or number is None:
        return Decision(record, sealing)
    claims = [Claim(ID_NUMBER, writing.blind(ID_NUMBER, number), record.id)]
    earlier = id_number(current)
    if earlier is not None:
        held = writing.blind(ID_NUMBER, earlier)
        claims.insert(0, Claim(ID_NUMBER, held, record.id, release=True))
    return Decision(
        record,
        sealing,
        claims=tuple(claims) if who == record.recipient else (),
        indexes=((ID_NUMBER, number, who),),
    )


def add_guardian(writing: Writing) -> Decision:
    """Enter a guardian, new or known from a sibling's record (C-10, C-24)."""
    record = writing.target(VaccinationRecord)
    _permit_managing(writing, record)
    who: UUID = writing.fields["person"]
    roles = _roles(writing, record)
    check_people(writing.statement.topic, roles, writing.private)
    source = _known_from(writing, who)
    sealing, typed = writing.seal(roles, newcomers=() if source else (who,))
    record.add_guardian(recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields)
    number = id_number(typed[who])
    return Decision(
        record,
        sealing,
        guards=(Guard(source.id, source.version),) if source else (),
        claims=() if source else (Claim(PERSON, who.bytes, record.id),),
        indexes=((ID_NUMBER, number, who),) if number else (),
    )


def change_roll(writing: Writing) -> Decision:
    """Move the record on or off the roll, or to another clinic, which may take it over itself."""
    record = writing.target(VaccinationRecord)
    manager = writing.fields.get("managing_organisation")
    _permit_managing(writing, record, receiving=manager)
    sealing, _ = writing.seal(_roles(writing, record))
    record.change_roll(
        managed_by=writing.services.directory.organisation(manager) if manager else None,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(record, sealing)


def dose_facts(writing: Writing, record: VaccinationRecord) -> DoseFacts:
    """What the policies of a dose must know; the birth date is opened for this decision."""
    return DoseFacts(
        catalogue=writing.services.rules.catalogue,
        birth_date=writing.person(record, record.recipient)["birth_date"],
        clinic_kind=_clinic(writing).kind,
    )


def _remarks(writing: Writing, record: VaccinationRecord, facts: DoseFacts) -> tuple[Check, ...]:
    """What deserves a second look in the dose that the record has just taken."""
    dose = record.dose(writing.fields["dose"])
    assert dose is not None, "the dose was recorded a moment ago"
    schedule = writing.services.rules.schedule_on(dose.occurred_on)
    return tuple(remarks(dose, facts.birth_date, facts.catalogue, schedule))


def check_before(current: Mapping[str, object], before: Mapping[str, object]) -> None:
    """Check that an amendment starts from the values that stand; no fact repeats one.

    Raises:
        CurrentStateDiffers: names the field.
    """
    for name, value in before.items():
        if current.get(name) != value:
            raise CurrentStateDiffers(field=name)


def id_number(values: Mapping[str, object]) -> str | None:
    """The normalised number of a person's document, prefixed by its type; None without one."""
    number = values.get("id_number")
    if number is None:
        return None
    if isinstance(number, IdNumber):
        return f"{IdType.ID_CARD}:{number.value}"
    return f"{values.get('id_type', IdType.ID_CARD)}:{number}"


def _known_from(writing: Writing, handle: UUID) -> VaccinationRecord | None:
    """The record that a guardian is known from: siblings share their guardians.

    Who names a handle must also know the number that belongs to it; nobody can attach a stranger.
    """
    if "id_number" not in writing.private[handle].values:
        return None
    values = check_private(writing.statement.topic, GUARDIAN, writing.private[handle].values)
    number = id_number(values)
    for person, stream in writing.services.vault.keys.find(ID_NUMBER, number or ""):
        # An index may be left over from a write that failed; only the sealed value decides.
        if person != handle or not writing.exists(stream):
            continue
        record = writing.stored(VaccinationRecord, stream)
        if record.protection.state is State.SHREDDED or handle not in record.handles:
            continue
        if id_number(writing.person(record, handle)) == number:
            return record
    return None


def _permitted_record(writing: Writing) -> VaccinationRecord:
    record = writing.target(VaccinationRecord)
    acting: UUID = writing.fields["clinic"]
    writing.permit(Scope(record.division, acting=acting, managing=record.managing_organisation))
    return record


def _permit_managing(
    writing: Writing, record: VaccinationRecord, receiving: UUID | None = None
) -> None:
    """These statements name no acting organisation: the author acts in the own name."""
    writing.permit(
        Scope(
            record.division,
            acting=writing.principal.organisation,
            managing=record.managing_organisation,
            receiving=receiving,
        )
    )


def _roles(writing: Writing, record: VaccinationRecord) -> dict[UUID, str]:
    return people(
        writing.statement.topic,
        writing.fields,
        recipient=record.recipient,
        guardians=[guardian.person for guardian in record.guardians],
    )


def _clinic(writing: Writing) -> Organisation:
    return writing.services.directory.organisation(writing.fields["clinic"])


HANDLERS: Mapping[str, Handler] = {
    "vaccination-record.registered.v1": register,
    "vaccination-record.dose-administered.v1": administer_dose,
    "vaccination-record.dose-transcribed.v1": transcribe_dose,
    "vaccination-record.contraindication-recorded.v1": record_contraindication,
    "vaccination-record.contraindication-lifted.v1": lift_contraindication,
    "vaccination-record.identity-amended.v1": amend_identity,
    "vaccination-record.guardian-added.v1": add_guardian,
    "vaccination-record.roll-changed.v1": change_roll,
}
