"""Merging two records about one person, separating them again, and telling two persons apart."""

from collections.abc import Mapping
from uuid import UUID

from commands.permissions import Scope
from commands.records import id_number
from commands.registration import holders
from commands.releasing import release
from commands.writing import HOLDER, ID_NUMBER, Decision, Effect, Handler, Writing
from domain.effect import Cause
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim, Guard
from ledger.store.errors import VersionConflict

RELEASED = "record-merged"
"""Why a certificate of a duplicate ends: its holder claims the one of the survivor."""


def merge(writing: Writing) -> Decision:
    """Let a record read as another too; the other stands where the author saw it.

    One person has one certificate (C-14): that of the duplicate is released, and nobody can claim
    another as long as the two are merged.
    """
    record, duplicate = _permitted(writing, writing.fields["duplicate"])
    seen = writing.fields["duplicate_version"]
    if duplicate.version != seen:
        raise VersionConflict(duplicate.id, seen, duplicate.version)
    sealing, _ = writing.seal({})
    stated = {name: value for name, value in writing.fields.items() if name != "duplicate"}
    record.merge(duplicate, recorded_at=writing.recorded_at, **stated)
    cause = Cause(record.id, record.version)
    effects, claims = release(writing, duplicate.id, cause, RELEASED)
    effects.insert(0, Effect(duplicate))
    claims.append(Claim(HOLDER, duplicate.id.bytes, duplicate.id))
    return Decision(record, sealing, claims=tuple(claims), effects=tuple(effects))


def separate(writing: Writing) -> Decision:
    """Let a record read without one that was merged into it; that one stands by itself again."""
    record, duplicate = _permitted(writing, writing.fields["duplicate"])
    sealing, _ = writing.seal({})
    stated = {name: value for name, value in writing.fields.items() if name != "duplicate"}
    record.separate(duplicate, recorded_at=writing.recorded_at, **stated)
    free = Claim(HOLDER, duplicate.id.bytes, duplicate.id, release=True)
    claims = (free, *_number_back(writing, record, duplicate))
    return Decision(record, sealing, claims=claims, effects=(Effect(duplicate),))


def tell_apart(writing: Writing) -> Decision:
    """Note that a record, however alike, is about another person."""
    record, other = _permitted(writing, writing.fields["other"])
    sealing, _ = writing.seal({})
    stated = {name: value for name, value in writing.fields.items() if name != "other"}
    record.tell_apart(other, recorded_at=writing.recorded_at, **stated)
    return Decision(record, sealing, guards=(Guard(other.id, other.version),))


def _number_back(
    writing: Writing, record: VaccinationRecord, duplicate: VaccinationRecord
) -> tuple[Claim, ...]:
    """An identity number that went over to the survivor is the duplicate's again."""
    number = id_number(writing.person(duplicate, duplicate.recipient))
    if number is None:
        return ()
    digest = writing.blind(ID_NUMBER, number)
    if record.id not in holders(writing, digest):
        return ()
    return (
        Claim(ID_NUMBER, digest, record.id, release=True),
        Claim(ID_NUMBER, digest, duplicate.id),
    )


def _permitted(writing: Writing, which: UUID) -> tuple[VaccinationRecord, VaccinationRecord]:
    """The record and the other one; the author may act on both."""
    record = writing.target(VaccinationRecord)
    other = writing.known(VaccinationRecord, which)
    acting: UUID = writing.fields["organisation"]
    for one in (record, other):
        writing.permit(Scope(one.division, acting=acting, managing=one.managing_organisation))
    return record, other


HANDLERS: Mapping[str, Handler] = {
    "vaccination-record.merged.v1": merge,
    "vaccination-record.separated.v1": separate,
    "vaccination-record.told-apart.v1": tell_apart,
}
