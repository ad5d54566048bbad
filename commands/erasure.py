"""What a confirmed shred destroys: worked out from the log after the event, and always the same."""

from collections.abc import Collection
from uuid import UUID

from commands.errors import Erased, NotFound
from commands.reading import Reading
from commands.records import id_number
from commands.services import Services
from commands.states import SHREDDED
from domain.protection import State
from domain.topics import BOOKED_FOR, BOOKER
from domain.vaccination_record import VaccinationRecord
from ledger.store.shred_list import Shred


def decided(services: Services) -> list[tuple[UUID, int]]:
    """Records that were shredded, with the position that the log was given for it."""
    return services.reader.claims.claimed(SHREDDED)


def plan(services: Services, record: UUID, position: int, streams: Collection[UUID]) -> Shred:
    """What is destroyed with a record.

    Everyone whom the record's streams seal values for, but not a guardian whom another record
    still holds: of such a one only what these streams say goes, and the key stays. No record can
    come to rest on this one any more (its stream has moved on), so the answer cannot change.

    Args:
        services: The running parts.
        record: A record whose shredding the log has.
        position: Where the log has it.
        streams: The other streams about the record.
    """
    reading = Reading(services=services, recorded_at=services.clock())
    own = reading.stored(VaccinationRecord, record)
    about = [record, *sorted(set(streams) - {record})]
    parts = [
        (UUID(part.subject), part.sha256)
        for stream in about
        for change in reading.history(stream)
        for part in change.entry.sealed
    ]
    persons = {who for who, _ in parts} | own.handles | _booked(reading, own)
    kept = {who for who in persons - {own.recipient} if _is_held(reading, who, about)}
    return Shred(
        record=record,
        position=position,
        persons=tuple(sorted(persons - kept)),
        streams=tuple(about),
        blobs=tuple(sorted(digest for who, digest in parts if who in kept)),
    )


def _booked(reading: Reading, record: VaccinationRecord) -> set[UUID]:
    """Handles that the recipient was booked under before there was a record of theirs."""
    try:
        number = id_number(reading.person(record, record.recipient))
    except Erased:
        return set()
    if number is None:
        return set()
    found = reading.services.vault.keys.find_first((BOOKED_FOR, BOOKER), number)
    return {handle for _, handle, stream in found if reading.exists(stream)}


def _is_held(reading: Reading, who: UUID, about: Collection[UUID]) -> bool:
    """Whether another record, not shredded itself, holds a person."""
    for stream in reading.services.vault.keys.records_of(who):
        if stream in about:
            continue
        try:
            other = reading.stored(VaccinationRecord, stream)
        except NotFound:
            continue  # an index left over from a write that failed, or a certificate
        if who in other.handles and other.protection.state is not State.SHREDDED:
            return True
    return False
