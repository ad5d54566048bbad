"""Finding records that may be about one person, by keyed digests of what is alike in them.

When a record is written the digests alone are compared, so a write opens nobody's data. Who is
shown a candidate is shown what really is alike: both records are opened then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from commands.errors import Erased, Forbidden, NotFound
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.reading import Reading, Seen
from commands.records import id_number
from domain.duplicates import LIKENESSES, THRESHOLD, keys, possible_duplicate, score
from domain.protection import State
from domain.quality import Check
from domain.vaccination_record import VaccinationRecord

MOST_CANDIDATES = 5
"""Candidates that a writer is told of."""
PAGE = 500

Keys = Sequence[tuple[str, str]]
"""Kind and text of each key of a record (`domain.duplicates.keys`)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be about one person, as they stand.

    Attributes:
        alike: Ids of what is alike.
    """

    one: VaccinationRecord
    other: VaccinationRecord
    alike: frozenset[str]

    @property
    def score(self) -> int:
        """How sure it is, in percent."""
        return score(self.alike)


def keys_of(recipient: Mapping[str, Any], guardians: Collection[Mapping[str, Any]]) -> Keys:
    """The keys of a record whose persons' typed values are these."""
    numbers = [id_number(values) for values in guardians]
    return list(keys(recipient, [number for number in numbers if number is not None]))


def remarks(reading: Reading, principal: Principal, own: UUID, found: Keys) -> tuple[Check, ...]:
    """What the writer of a record with these keys is told; see `remarks_on`."""
    return remarks_on(reading, principal, own, reading.services.vault.keys.sharing(found))


def remarks_on(
    reading: Reading, principal: Principal, own: UUID, sharing: Mapping[UUID, Collection[str]]
) -> tuple[Check, ...]:
    """What the writer of a record is told of others that have the same keys, likeliest first.

    A record that the writer may not see is told of and not named.

    Args:
        reading: The log as it stands.
        principal: Who writes.
        own: The record.
        sharing: By record the kinds of its keys that others have too.
    """
    likely = sorted(
        ((score(alike), record, alike) for record, alike in sharing.items() if record != own),
        key=lambda one: (-one[0], one[1]),
    )
    told: list[Check] = []
    for certainty, record, alike in likely:
        if certainty < THRESHOLD or len(told) == MOST_CANDIDATES:
            break
        other = _standing(reading, record)
        if other is None or other.id == own or own in other.told_apart:
            continue
        named = other.id if _may_see(principal, other) else None
        told.append(possible_duplicate(alike, named))
    return tuple(told)


class Comparison:
    """Compares records as they stand at one moment; each is opened once.

    Args:
        reading: The log at that moment.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._standing: dict[UUID, VaccinationRecord | None] = {}
        self._keys: dict[UUID, frozenset[tuple[str, str]]] = {}

    def candidates(self, record: UUID) -> list[Pair]:
        """The records that may be about the same person as one, likeliest first.

        Raises:
            NotFound, Restricted, Erased: see `Reading.load`.
        """
        own = self._reading.survivor(record)
        found = self._reading.services.vault.keys.sharing(self._keys_of(own))
        pairs = [self.pair(own.id, other) for other in found]
        return sorted((pair for pair in pairs if pair), key=lambda pair: -pair.score)

    def pair(self, one: UUID, other: UUID, division: str = "") -> Pair | None:
        """Two records with what is really alike in them; None where they are no candidates.

        Args:
            one: A record.
            other: Another.
            division: First digits; one of the two must lie within.
        """
        first, second = self._stand(one), self._stand(other)
        if first is None or second is None or first.id == second.id:
            return None
        if not any(record.division.startswith(division) for record in (first, second)):
            return None
        if first.id in second.told_apart or second.id in first.told_apart:
            return None
        try:
            shared = self._keys_of(first) & self._keys_of(second)
        except Erased:
            return None
        pair = Pair(first, second, frozenset(kind for kind, _ in shared))
        return pair if pair.score >= THRESHOLD else None

    def _stand(self, stream: UUID) -> VaccinationRecord | None:
        if stream not in self._standing:
            self._standing[stream] = _standing(self._reading, stream)
        return self._standing[stream]

    def _keys_of(self, record: VaccinationRecord) -> frozenset[tuple[str, str]]:
        if record.id not in self._keys:
            reading = self._reading
            guardians = [reading.person(record, guardian.person) for guardian in record.guardians]
            recipient = reading.person(record, record.recipient)
            self._keys[record.id] = frozenset(keys_of(recipient, guardians))
        return self._keys[record.id]


def sweep(reading: Reading, division: str = "") -> Iterator[Pair]:
    """Yield every pair of records of a division that may be about one person.

    Args:
        reading: The log at the moment that is asked for.
        division: First digits; one of the two lies within.
    """
    after = (UUID(int=0), UUID(int=0))
    while page := reading.services.vault.keys.pairs(LIKENESSES, after, PAGE):
        # Another for each page: it keeps what it has opened.
        comparison = Comparison(replace(reading, seen=Seen()))
        for one, other, alike in page:
            pair = comparison.pair(one, other, division) if score(alike) >= THRESHOLD else None
            if pair is not None:
                yield pair
        after = page[-1][:2]


def _standing(reading: Reading, stream: UUID) -> VaccinationRecord | None:
    """A record that may be processed, or the one that it was merged into."""
    try:
        record = reading.stored(VaccinationRecord, stream)
        if record.merged_into is not None:
            record = reading.stored(VaccinationRecord, record.merged_into)
    except NotFound:
        return None  # an index left over from a write that failed
    return record if record.protection.state is State.NORMAL else None


def _may_see(principal: Principal, record: VaccinationRecord) -> bool:
    try:
        check_read(
            principal, "record", Scope(record.division, managing=record.managing_organisation)
        )
    except Forbidden:
        return False
    return True
