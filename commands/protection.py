"""Decisions of CDCs about whether a record may be processed (PIPL article 47)."""

from collections.abc import Mapping
from datetime import date
from functools import partial

from commands.errors import Erased
from commands.papers import nothing_came_in, papers_of
from commands.permissions import Scope
from commands.records import id_number
from commands.states import RESTRICTED, SHREDDED
from commands.writing import ID_NUMBER, Decision, Handler, Writing
from domain.protection import ProtectionEvent, State
from domain.shredding import EARLY_GROUNDS
from domain.topics import RECIPIENT, check_private
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim


def _decide(decision: type[ProtectionEvent], writing: Writing) -> Decision:
    """Take a decision; what it holds or gives back changes in the same transaction."""
    record = writing.target_in_any_state(VaccinationRecord)
    if record.protection.state is State.SHREDDED:
        raise Erased
    writing.permit(Scope(record.division, acting=writing.fields["organisation"]))
    before, asked = record.protection.state, record.protection.request
    papers = papers_of(writing, record)
    record.protect(decision, recorded_at=writing.recorded_at, papers=papers, **writing.fields)
    sealing, _ = writing.seal({})
    claims = _claims(record, before)
    if decision is VaccinationRecord.Shredded:
        claims = (*claims, *_released_number(writing, record))
        if asked is not None and asked.ground not in EARLY_GROUNDS:
            claims = (*claims, *nothing_came_in(writing, record))
    return Decision(record, sealing, claims=claims)


def _claims(record: VaccinationRecord, before: State) -> tuple[Claim, ...]:
    """What makes every reader see the new state at its next look."""
    after = record.protection.state
    if before is after:
        return ()
    claims = []
    if before is State.RESTRICTED:
        claims.append(Claim(RESTRICTED, record.id.bytes, record.id, release=True))
    if after is not State.NORMAL:
        kind = RESTRICTED if after is State.RESTRICTED else SHREDDED
        claims.append(Claim(kind, record.id.bytes, record.id))
    return tuple(claims)


def _released_number(writing: Writing, record: VaccinationRecord) -> tuple[Claim, ...]:
    """The recipient's own number, given back: its keyed digest does not outlive the record."""
    try:
        history = writing.history(record.id)
        # Amendments claim their number at once, before the day on which they show.
        values = writing.services.vault.person(history, record.recipient, date.max, writing.ring)
    except Erased:
        return ()  # a key that was lost; the digest stays without a person
    number = id_number(check_private(VaccinationRecord.Registered.TOPIC, RECIPIENT, values))
    if number is None:
        return ()
    return (Claim(ID_NUMBER, writing.blind(ID_NUMBER, number), record.id, release=True),)


HANDLERS: Mapping[str, Handler] = {
    event.TOPIC: partial(_decide, event)
    for event in (
        VaccinationRecord.Restricted,
        VaccinationRecord.RestrictionLifted,
        VaccinationRecord.ShredRequested,
        VaccinationRecord.ShredWithdrawn,
        VaccinationRecord.Shredded,
    )
}
