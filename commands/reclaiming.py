"""What a recovered log knows of claims and idempotency keys, from its entries alone.

The write side decides by them and the log does not state them: here each is told again, from clear
fields or from sealed values that still open.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from commands.appointments import (
    BOOKING_NUMBER,
    OPEN_BOOKING,
    PLACE,
    REDEEMED_DOSE,
    number_of,
)
from commands.errors import Erased
from commands.log_keys import ROTATION
from commands.papers import PAPER, register_key, statement_key
from commands.reading import Change
from commands.records import id_number
from commands.seats import SEAT, seat_claim
from commands.statements import PAPER_DIFFERS
from commands.states import RESTRICTED, SHREDDED
from commands.supplies import SUPPLY, supply_claim
from commands.vault import Vault
from commands.writing import HOLDER, ID_NUMBER, PACKAGE_CODE, PERSON
from domain.calendar import civil_day
from domain.codec import DERIVED
from domain.topics import BOOKER
from domain.vaccination_record import VaccinationRecord
from ledger.entry import Entry
from ledger.store.append import Claim
from ledger.store.lost import ANY_KEY, Claims
from ledger.store.reading import LogReader

TOLD = frozenset(
    (
        *(PERSON, ID_NUMBER, PACKAGE_CODE, HOLDER, RESTRICTED, SHREDDED, ROTATION),
        *(SUPPLY, SEAT, OPEN_BOOKING, PLACE, BOOKING_NUMBER, REDEEMED_DOSE, PAPER_DIFFERS, PAPER),
    )
)
"""The kinds of claims that entries tell."""


def request_of(entry: Entry, payload: bytes) -> bytes | None:
    """What an idempotency key stands for: SHA-256 of the signed payload.

    Args:
        entry: The first one of a write.
        payload: What its author signed.

    Returns:
        None for what the platform signed for a citizen: their request is not in the log.
    """
    derived = entry.data.get(DERIVED)
    if isinstance(derived, dict) and "on_behalf_of" in derived:
        return None
    return sha256(payload).digest()


class Reclaiming:
    """Tells the claims of entries.

    Args:
        vault: Opens what is sealed, and makes the digests of numbers.
        reader: The log, published or not.
    """

    def __init__(self, vault: Vault, reader: LogReader) -> None:
        self._vault = vault
        self._reader = reader
        self._tell: Mapping[str, Callable[[Change], Iterator[Claim]]] = {
            "vaccination-record.registered.v1": self._registered,
            "vaccination-record.identity-amended.v1": self._identity_amended,
            "vaccination-record.guardian-added.v1": self._guardian_added,
            "vaccination-record.dose-administered.v1": self._dose_administered,
            "vaccination-record.dose-corrected.v1": self._dose_corrected,
            "certificate.claimed.v1": self._claimed,
            "certificate.released.v1": self._released,
            "vaccination-record.merged.v1": self._merged,
            "vaccination-record.separated.v1": self._separated,
            "vaccination-record.restricted.v1": self._restricted,
            "vaccination-record.restriction-lifted.v1": self._lifted,
            "vaccination-record.shredded.v1": self._shredded,
            "log.key-introduced.v1": self._introduced,
            "log.key-retired.v1": self._retired,
            "paper-comparison.differed.v1": self._differed,
            "paper-comparison.settled.v1": self._settled,
            "check-statement.issued.v1": self._issued,
            "enrolment.enrolled.v1": self._enrolled,
            "slot-supply.opened.v1": self._supply_opened,
            "slot-supply.raised.v1": self._supply_raised,
            "slot-supply.lowered.v1": self._supply_lowered,
            "appointment.held.v1": self._held,
            "appointment.confirmed.v1": self._confirmed,
            "appointment.moved.v1": self._moved,
            "appointment.cancelled.v1": self._given_back,
            "appointment.called-off.v1": self._given_back,
            "appointment.expired.v1": self._given_back,
            "appointment.missed.v1": self._missed,
            "appointment.redeemed.v1": self._redeemed,
        }

    def claims_of(self, entries: Sequence[tuple[int, Entry]]) -> tuple[Claims, Sequence[int]]:
        """The claims that entries took and released, in their order.

        Returns:
            The claims, and the positions of entries whose sealed values do not open any more.
        """
        claims: list[tuple[int, Claim]] = []
        untold: list[int] = []
        for position, entry in entries:
            tell = self._tell.get(entry.topic)
            if tell is None:
                continue
            try:
                claims.extend((position, claim) for claim in tell(Change(position, entry)))
            except Erased:
                untold.append(position)
        return claims, untold

    def _registered(self, change: Change) -> Iterator[Claim]:
        entry = change.entry
        for seal in entry.sealed:  # a sibling's record has had the guardians' before
            yield Claim(PERSON, UUID(seal.subject).bytes, entry.stream)
        number = id_number(self._opened(change).get(UUID(entry.data["recipient"]), {}))
        if number is not None:
            yield self._number(ID_NUMBER, number, entry.stream)

    def _guardian_added(self, change: Change) -> Iterator[Claim]:
        person = UUID(change.entry.data["person"])  # a sibling's record may have had them before
        yield Claim(PERSON, person.bytes, change.entry.stream)

    def _identity_amended(self, change: Change) -> Iterator[Claim]:
        entry, who = change.entry, UUID(change.entry.data["person"])
        earlier = self._history(entry.stream, entry.version)
        after = self._opened(change)[who].get("after") or {}
        if "id_number" not in after or earlier[0].entry.data["recipient"] != str(who):
            return
        coming = self._vault.person(earlier, who, date.max)  # with other amendments of the day
        held, number = id_number(coming), id_number(coming | after)
        if held is not None:
            yield self._number(ID_NUMBER, held, entry.stream, release=True)
        if number is None:
            return
        for merged in _merged(earlier):  # a duplicate's number goes over to its survivor
            yield self._number(ID_NUMBER, number, merged, release=True)
        yield self._number(ID_NUMBER, number, entry.stream)

    def _dose_administered(self, change: Change) -> Iterator[Claim]:
        for values in self._opened(change).values():
            yield self._number(PACKAGE_CODE, values["package_code"], change.entry.stream)

    def _dose_corrected(self, change: Change) -> Iterator[Claim]:
        for values in self._opened(change).values():
            for side, release in (("before", True), ("after", False)):
                code = (values.get(side) or {}).get("package_code")
                if code is not None:
                    yield self._number(PACKAGE_CODE, code, change.entry.stream, release=release)

    def _claimed(self, change: Change) -> Iterator[Claim]:
        entry = change.entry
        yield Claim(HOLDER, UUID(entry.data["record"]).bytes, entry.stream)

    def _released(self, change: Change) -> Iterator[Claim]:
        stream = change.entry.stream
        record = self._history(stream, change.entry.version)[0].entry.data["record"]
        yield Claim(HOLDER, UUID(record).bytes, stream, release=True)

    def _merged(self, change: Change) -> Iterator[Claim]:
        duplicate = UUID(change.entry.data["duplicate"])
        yield Claim(HOLDER, duplicate.bytes, duplicate)

    def _separated(self, change: Change) -> Iterator[Claim]:
        survivor, duplicate = change.entry.stream, UUID(change.entry.data["duplicate"])
        yield Claim(HOLDER, duplicate.bytes, duplicate, release=True)
        number = self._own_number(duplicate, change, civil_day(change.entry.recorded_at))
        # The survivor's counts from tomorrow on, and was taken at once.
        if number is not None and number == self._own_number(survivor, change, date.max):
            yield self._number(ID_NUMBER, number, survivor, release=True)
            yield self._number(ID_NUMBER, number, duplicate)

    def _own_number(self, record: UUID, before: Change, day: date) -> str | None:
        """The identity number of a record's recipient on a day, as known before an entry."""
        history = [
            Change(position, Entry.decode(raw))
            for position, raw, _ in self._reader.stream(record)
            if position < before.position
        ]
        recipient = UUID(history[0].entry.data["recipient"])
        return id_number(self._vault.person(history, recipient, day))

    def _restricted(self, change: Change) -> Iterator[Claim]:
        stream = change.entry.stream
        yield Claim(RESTRICTED, stream.bytes, stream)

    def _lifted(self, change: Change) -> Iterator[Claim]:
        stream = change.entry.stream
        yield Claim(RESTRICTED, stream.bytes, stream, release=True)

    def _shredded(self, change: Change) -> Iterator[Claim]:
        stream = change.entry.stream
        yield Claim(RESTRICTED, stream.bytes, stream, release=True)
        yield Claim(SHREDDED, stream.bytes, stream)
        yield Claim(ID_NUMBER, ANY_KEY, stream, release=True)  # it can be told no more

    def _differed(self, change: Change) -> Iterator[Claim]:
        entry = change.entry
        yield Claim(PAPER_DIFFERS, UUID(entry.data["record"]).bytes, entry.stream)

    def _settled(self, change: Change) -> Iterator[Claim]:
        stream = change.entry.stream
        record = self._history(stream, change.entry.version)[0].entry.data["record"]
        yield Claim(PAPER_DIFFERS, UUID(record).bytes, stream, release=True)

    def _issued(self, change: Change) -> Iterator[Claim]:
        entry = change.entry  # an earlier statement of the record may have it
        yield Claim(PAPER, statement_key(UUID(entry.data["record"])), entry.stream)

    def _enrolled(self, change: Change) -> Iterator[Claim]:
        entry, data = change.entry, change.entry.data  # likewise
        key = register_key(UUID(data["record"]), data["entry_type"], data["school_year"])
        yield Claim(PAPER, key, entry.stream)

    def _introduced(self, change: Change) -> Iterator[Claim]:
        which = sha256(change.entry.origin.encode()).digest()
        yield Claim(ROTATION, which, change.entry.stream)

    def _retired(self, change: Change) -> Iterator[Claim]:
        which = sha256(change.entry.origin.encode()).digest()
        yield Claim(ROTATION, which, change.entry.stream, release=True)

    def _supply_opened(self, change: Change) -> Iterator[Claim]:
        entry, data = change.entry, change.entry.data
        on = date.fromisoformat(data["on"])
        yield supply_claim(UUID(data["site"]), on, data["product"], entry.stream)

    def _supply_raised(self, change: Change) -> Iterator[Claim]:
        yield from self._withdrawn(change, release=True)  # those that are new, nobody held

    def _supply_lowered(self, change: Change) -> Iterator[Claim]:
        yield from self._withdrawn(change, release=False)

    def _withdrawn(self, change: Change, *, release: bool) -> Iterator[Claim]:
        stream, data = change.entry.stream, change.entry.data
        for seat in data["derived"]["seats"]:
            yield seat_claim(stream, data["slot"], seat, stream, release=release)

    def _held(self, change: Change) -> Iterator[Claim]:
        data = change.entry.data
        number = number_of(self._opened(change)[UUID(data["person"])])
        course = f"{data['derived']['course']} {number}"
        yield self._number(OPEN_BOOKING, course, change.entry.stream)
        if "place" in data["derived"]:
            booker = self._opened(change)[UUID(data["booker"])]
            place = f"{number_of(booker, BOOKER)} {data['derived']['place']}"
            yield self._number(PLACE, place, change.entry.stream)
        yield self._seat(change)

    def _confirmed(self, change: Change) -> Iterator[Claim]:
        number = change.entry.data["derived"]["number"].encode()
        yield Claim(BOOKING_NUMBER, number, change.entry.stream)

    def _moved(self, change: Change) -> Iterator[Claim]:
        yield Claim(SEAT, ANY_KEY, change.entry.stream, release=True)
        yield self._seat(change)

    def _given_back(self, change: Change) -> Iterator[Claim]:
        yield Claim(SEAT, ANY_KEY, change.entry.stream, release=True)
        yield from self._missed(change)

    def _missed(self, change: Change) -> Iterator[Claim]:
        for kind in (OPEN_BOOKING, PLACE):
            yield Claim(kind, ANY_KEY, change.entry.stream, release=True)

    def _redeemed(self, change: Change) -> Iterator[Claim]:
        dose = UUID(change.entry.data["dose"])
        yield Claim(REDEEMED_DOSE, dose.bytes, change.entry.stream)
        yield from self._missed(change)

    def _seat(self, change: Change) -> Claim:
        data = change.entry.data
        seat = data["derived"]["seat"]
        return seat_claim(UUID(data["supply"]), data["slot"], seat, change.entry.stream)

    def _number(self, kind: str, number: str, stream: UUID, *, release: bool = False) -> Claim:
        return Claim(kind, self._vault.keys.digest(kind, number), stream, release=release)

    def _opened(self, change: Change) -> dict[UUID, dict[str, Any]]:
        """What an entry seals, by person.

        Raises:
            Erased: some of it does not open any more.
        """
        opened: dict[UUID, dict[str, Any]] = {}
        for (_, who), values in self._vault.unseal([change]).items():
            if values is None:
                raise Erased
            opened[who] = values
        return opened

    def _history(self, stream: UUID, before: int) -> list[Change]:
        changes = [
            Change(position, Entry.decode(raw)) for position, raw, _ in self._reader.stream(stream)
        ]
        return [change for change in changes if change.entry.version < before]


def _merged(history: Sequence[Change]) -> list[UUID]:
    """The records that were merged into one, whose entries these are."""
    merged: dict[UUID, None] = {}
    for change in history:
        if change.entry.topic == VaccinationRecord.Merged.TOPIC:
            merged[UUID(change.entry.data["duplicate"])] = None
        if change.entry.topic == VaccinationRecord.Separated.TOPIC:
            merged.pop(UUID(change.entry.data["duplicate"]), None)
    return list(merged)
