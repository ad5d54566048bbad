"""Writes about who a record is about and where it stands: registration, identity, roll."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from commands.duplicates import Keys, keys_of
from commands.permissions import Scope
from commands.records import id_number, roles_of
from commands.releasing import release
from commands.writing import ID_NUMBER, PERSON, Decision, Handler, Writing
from domain.dose_policy import CurrentStateDiffers
from domain.effect import Cause
from domain.private import check_identity
from domain.protection import State
from domain.topics import GUARDIAN, RECIPIENT, check_people, check_private, people
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim, Guard

NO_GUARDIAN = "guardianship-ended"
"""Why a certificate ends when its holder is no guardian any more."""
COMPARED = frozenset(
    {"name", "sex", "birth_date", "birth_certificate_number", "certificate_number", "id_number"}
)
"""Personal values by which records are found alike (`domain.duplicates`)."""


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
    guardians = [values for who, values in typed.items() if roles[who] == GUARDIAN]
    alike = keys_of(typed[fields["recipient"]], guardians)
    # A guardian's key goes with the last record that holds it, so a sibling's record rests on the
    # one it knows the guardian from: were that shredded meanwhile, this is decided anew.
    guards = tuple(Guard(source.id, source.version) for source in known.values() if source)
    return Decision(
        record,
        sealing,
        guards=guards,
        claims=tuple(claims),
        indexes=(*indexes, *_indexes(record, alike)),
        alike=alike,
    )


def amend_identity(writing: Writing) -> Decision:
    """Amend a person's particulars, effective next day (C-21); a new own number is claimed."""
    record = writing.target(VaccinationRecord)
    _permit_managing(writing, record)
    sealing, typed = writing.seal(roles_of(writing, record))
    who = writing.fields["person"]
    after = typed.get(who, {}).get("after", {})
    record.amend_identity(
        birth_date=after.get("birth_date"),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    check_before(writing.person(record, who), typed[who]["before"])
    # What counts from tomorrow on: another amendment of today is part of it, and holds its number.
    coming = writing.person_to_be(record, who)
    check_identity(coming | after)
    alike = _keys_with(writing, record, {who: coming | after}) if after.keys() & COMPARED else ()
    number = id_number(coming | after)
    if "id_number" not in after or number is None:
        return Decision(
            record,
            sealing,
            indexes=_indexes(record, alike),
            alike=alike,
        )
    claims = _number_claims(writing, record, id_number(coming), number)
    return Decision(
        record,
        sealing,
        claims=claims if who == record.recipient else (),
        indexes=((ID_NUMBER, number, who), *_indexes(record, alike)),
        alike=alike,
    )


def add_guardian(writing: Writing) -> Decision:
    """Enter a guardian, new or known from a sibling's record (C-10, C-24)."""
    record = writing.target(VaccinationRecord)
    _permit_managing(writing, record)
    who: UUID = writing.fields["person"]
    roles = roles_of(writing, record)
    check_people(writing.statement.topic, roles, writing.private)
    source = _known_from(writing, who)
    sealing, typed = writing.seal(roles, newcomers=() if source else (who,))
    record.add_guardian(recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields)
    number = id_number(typed[who])
    alike = _keys_with(writing, record, typed) if number else ()
    return Decision(
        record,
        sealing,
        guards=(Guard(source.id, source.version),) if source and source.id != record.id else (),
        claims=() if source else (Claim(PERSON, who.bytes, record.id),),
        indexes=((ID_NUMBER, number, who), *_indexes(record, alike)) if number else (),
        alike=alike,
    )


def remove_guardian(writing: Writing) -> Decision:
    """Let a person be a guardian no more; a certificate in their hands ends with it."""
    record = writing.target(VaccinationRecord)
    _permit_managing(writing, record)
    sealing, _ = writing.seal({})
    record.remove_guardian(recorded_at=writing.recorded_at, **writing.fields)
    cause = Cause(record.id, record.version)
    who = writing.fields["person"]
    effects, claims = release(
        writing, record.id, cause, NO_GUARDIAN, only=lambda held: held.holder == who
    )
    return Decision(record, sealing, claims=tuple(claims), effects=tuple(effects))


def change_roll(writing: Writing) -> Decision:
    """Move the record on or off the roll, or to another clinic, which may take it over itself."""
    record = writing.target(VaccinationRecord)
    manager = writing.fields.get("managing_organisation")
    _permit_managing(writing, record, receiving=manager)
    sealing, _ = writing.seal(roles_of(writing, record))
    record.change_roll(
        managed_by=writing.services.directory.organisation(manager) if manager else None,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(record, sealing)


def check_before(current: Mapping[str, object], before: Mapping[str, object]) -> None:
    """Check that an amendment starts from the values that stand; no fact repeats one.

    Raises:
        CurrentStateDiffers: names the field.
    """
    for name, value in before.items():
        if current.get(name) != value:
            raise CurrentStateDiffers(field=name)


def _number_claims(
    writing: Writing, record: VaccinationRecord, earlier: str | None, number: str
) -> tuple[Claim, ...]:
    """What a new own number gives back and takes; a merged record's goes over to the survivor."""
    if earlier == number:
        return ()
    claims = []
    if earlier is not None:
        held = writing.blind(ID_NUMBER, earlier)
        if record.id in holders(writing, held):
            claims.append(Claim(ID_NUMBER, held, record.id, release=True))
    wanted = writing.blind(ID_NUMBER, number)
    claims += [
        Claim(ID_NUMBER, wanted, owner, release=True)
        for owner in record.merged & holders(writing, wanted)
    ]
    return (*claims, Claim(ID_NUMBER, wanted, record.id))


def holders(writing: Writing, number: bytes) -> frozenset[UUID]:
    """The record that holds an identity number, if one does."""
    return frozenset(
        stream for _, stream in writing.services.reader.claims.holders([ID_NUMBER], [number])
    )


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


def _keys_with(
    writing: Writing, record: VaccinationRecord, changed: Mapping[UUID, Mapping[str, Any]]
) -> Keys:
    """What a record is compared by, once some of its persons read differently."""
    values = {
        who: changed[who] if who in changed else writing.person(record, who)
        for who in (record.recipient, *(guardian.person for guardian in record.guardians))
    }
    recipient = values.pop(record.recipient)
    return keys_of(recipient, list(values.values()))


def _indexes(record: VaccinationRecord, alike: Keys) -> tuple[tuple[str, str, UUID], ...]:
    return tuple((kind, text, record.recipient) for kind, text in alike)


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


HANDLERS: Mapping[str, Handler] = {
    "vaccination-record.registered.v1": register,
    "vaccination-record.identity-amended.v1": amend_identity,
    "vaccination-record.guardian-added.v1": add_guardian,
    "vaccination-record.guardian-removed.v1": remove_guardian,
    "vaccination-record.roll-changed.v1": change_roll,
}
