"""The keys of people, and the blind index by which they are found."""

import secrets
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import chain
from uuid import UUID

from ledger.errors import SealError
from ledger.sealing import KEY_BYTES, blind_index, unwrap_key, wrap_key
from ledger.store.connections import Pool, cursor_of, rows_of
from ledger.store.errors import KekClosed, KeyConflict, KeyUnreadable
from ledger.store.keks import Kek
from ledger.store.queries import load_queries
from ledger.store.together import Together

ROLE = "vaxledger_vault"
"""Role of connections to the keys' database."""

_QUERIES = load_queries("keys.sql")
_MOST_SHARING = 64
"""Records told of one number: what more of them share is no sign of one person."""
Found = tuple[UUID, Iterable[tuple[str, str, UUID]]]
"""A stream, and by which numbers who is found in it: kind, number, person."""

_Number = tuple[str, bytes, UUID, UUID]
"""Kind, digest, person, stream."""
_Hit = tuple[str, UUID, UUID]
"""Kind, person, stream."""
_Wrapped = tuple[UUID, bytes, str]
"""Person, wrapped key, and the key-encryption key that it is under."""
_Commit = tuple[Mapping[UUID, bytes], Sequence[_Number]]
"""Keys by person, and numbers."""
_SEPARATORS = str.maketrans("", "", " -\u3000")


class KeyStore:
    """One 256-bit key a person, wrapped, in a database of its own.

    A person's key is committed before the first event that seals under it: an orphan key is
    harmless, a lost one would lose the sealed values. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_vault`` to the keys' database.
        keks: Reads the versions of the key-encryption key that are at hand now, at least one.
            Asked again when a version turns up that is not known, or the newest was closed.
        pepper: 32 secret bytes under which numbers are indexed.
    """

    def __init__(self, pool: Pool, keks: Callable[[], Sequence[Kek]], pepper: bytes) -> None:
        self._pool = pool
        self._read_keks = keks
        self._pepper = pepper
        self._commits: Together[_Commit, None] = Together(self._commit)
        self._openings: Together[Sequence[UUID], list[_Wrapped]] = Together(self._read)
        self._searches: Together[Sequence[tuple[str, bytes]], list[_Hit]] = Together(self._search)
        self._load_keks()

    def prepare(self, handles: Iterable[UUID], keyless: Container[UUID] = ()) -> dict[UUID, bytes]:
        """Return the keys of people, new ones for those who have none; nothing is stored yet.

        Args:
            handles: Of the people.
            keyless: Those of whom it was seen just now that they have none; they are not looked up.

        Raises:
            KeyUnreadable: If a stored key is under no key-encryption key at hand.
        """
        wanted = list(dict.fromkeys(handles))
        known = self.open(handle for handle in wanted if handle not in keyless)
        return {handle: known.get(handle) or secrets.token_bytes(KEY_BYTES) for handle in wanted}

    def commit(self, keys: Mapping[UUID, bytes], found: Iterable[Found] = ()) -> None:
        """Store prepared keys and numbers durably; those that are stored already are left alone.

        Whatever other threads commit at this moment is stored with them.

        Args:
            keys: By person.
            found: Streams with the numbers by which people in them are found, as for ``index``.

        Raises:
            KeyConflict: If a person has got another key since ``prepare``. The others of the call
                are stored.
            KekClosed: If the newest key-encryption key at hand was replaced by one that is not.
            KeyUnreadable: If a stored key is under no key-encryption key at hand.
        """
        numbers = [
            (kind, self.digest(kind, number), handle, record)
            for record, told in found
            for kind, number, handle in told
        ]
        if keys or numbers:
            self._commits.ask((keys, numbers))

    def open(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of people; whoever is missing never had one, or it was destroyed.

        Raises:
            KeyUnreadable: If a stored key is under no key-encryption key at hand.
        """
        wanted = list(dict.fromkeys(handles))
        if not wanted:
            return {}
        rows = self._openings.ask(wanted)
        if any(name not in self._keks for _, _, name in rows):
            self._load_keks()  # rotated meanwhile
        return {handle: self._unwrap(handle, wrapped, name) for handle, wrapped, name in rows}

    def keyless(self, handles: Iterable[UUID]) -> set[UUID]:
        """Return those people who have no key, or none any more."""
        return {one for (one,) in rows_of(self._pool, _QUERIES["select_keyless"], [list(handles)])}

    def digest(self, kind: str, number: str) -> bytes:
        """Return the 32 bytes under which a number is indexed, or claimed.

        Full-width characters, spaces, hyphens and case make no difference.
        """
        text = unicodedata.normalize("NFKC", number).translate(_SEPARATORS).upper()
        return blind_index(self._pepper, kind, text)

    def index(self, record: UUID, numbers: Iterable[tuple[str, str, UUID]]) -> None:
        """Let people in a record be found by numbers; doing it again changes nothing.

        Args:
            record: The stream that they are found in.
            numbers: Kind, number, and whose it is.
        """
        self.commit({}, [(record, numbers)])

    def find(self, kind: str, number: str) -> list[tuple[UUID, UUID]]:
        """Return person and record of everyone who has this number."""
        parameters = [kind, self.digest(kind, number)]
        return [
            (person, record)
            for person, record in rows_of(self._pool, _QUERIES["select_index"], parameters)
        ]

    def sharing(self, numbers: Iterable[tuple[str, str]]) -> dict[UUID, set[str]]:
        """Return by record the kinds of those numbers, each with its kind, that it has too.

        Of one number at most 64 records are told.
        """
        (found,) = self.sharing_each([numbers])
        return found

    def sharing_each(
        self, groups: Iterable[Iterable[tuple[str, str]]]
    ) -> list[dict[UUID, set[str]]]:
        """Likewise for many groups of numbers, in one query."""
        asked = [[(kind, self.digest(kind, text)) for kind, text in group] for group in groups]
        every = list(dict.fromkeys(chain.from_iterable(asked)))
        if not every:
            return [{} for _ in asked]
        kinds, digests = (list(column) for column in zip(*every, strict=True))
        parameters = [kinds, digests, _MOST_SHARING]
        having: dict[tuple[str, bytes], list[UUID]] = {}
        for kind, digest, record in rows_of(self._pool, _QUERIES["select_sharing"], parameters):
            having.setdefault((kind, digest), []).append(record)
        return [_kinds_by_record(one, having) for one in asked]

    def pairs(
        self, kinds: Iterable[str], after: tuple[UUID, UUID], limit: int
    ) -> list[tuple[UUID, UUID, list[str]]]:
        """Return pairs of records that share a number, with the kinds that they share.

        Args:
            kinds: Which numbers count.
            after: The last pair already had; pairs are in order, the smaller record first.
            limit: At most so many.
        """
        parameters = [list(kinds), _MOST_SHARING, *after, limit]
        return [
            (one, other, shared)
            for one, other, shared in rows_of(self._pool, _QUERIES["select_pairs"], parameters)
        ]

    def find_first(self, kinds: Sequence[str], number: str) -> list[tuple[str, UUID, UUID]]:
        """Return kind, person and record of everyone who has this number, by the kinds' order."""
        asked = [(kind, self.digest(kind, number)) for kind in kinds]
        return self._searches.ask(asked)

    def find_each(
        self, numbers: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], list[tuple[UUID, UUID]]]:
        """Return by kind and number the person and record of everyone who has it, in one query."""
        asked = list(dict.fromkeys(numbers))
        hits = self._search([[(kind, self.digest(kind, text))] for kind, text in asked])
        return {
            one: [(person, record) for _, person, record in found]
            for one, found in zip(asked, hits, strict=True)
        }

    def records_of(self, handle: UUID) -> list[UUID]:
        """Return the streams in which a person can be found by some number."""
        return [record for (record,) in rows_of(self._pool, _QUERIES["select_records"], [handle])]

    def _commit(self, wanted: Sequence[_Commit]) -> list[Exception | None]:
        """Store what several want to keep, in one transaction."""
        keys: dict[UUID, bytes] = {}
        for one, _ in wanted:
            keys = {**one, **keys}
        numbers = sorted({number for _, told in wanted for number in told})
        if not self._insert(keys, numbers):
            self._load_keks()  # rotated meanwhile
            if not self._insert(keys, numbers):
                raise KekClosed
        stored = self.open(keys)
        return [_conflict(one, stored) for one, _ in wanted]

    def _insert(self, keys: Mapping[UUID, bytes], numbers: Sequence[_Number]) -> bool:
        """Store keys under the newest version; False where that wraps nothing any more.

        In order, so that two processes with the same people wait for, not on, each other.
        """
        newest = max(self._keks.values(), key=lambda kek: kek.number)
        handles = sorted(keys)
        wrapped = [wrap_key(newest.key, keys[handle]) for handle in handles]
        columns = [list(column) for column in zip(*numbers, strict=True)] or [[]] * 4
        with cursor_of(self._pool) as cursor:
            if not handles:
                cursor.execute(_QUERIES["insert_index"], columns, prepare=True)
                return True
            parameters = [*columns, newest.name, newest.number, handles, wrapped]
            row = cursor.execute(_QUERIES["insert_keys"], parameters, prepare=True).fetchone()
            return row is not None and bool(row[0])

    def _read(self, wanted: Sequence[Sequence[UUID]]) -> list[list[_Wrapped]]:
        every = list(set(chain.from_iterable(wanted)))
        rows = {row[0]: row for row in rows_of(self._pool, _QUERIES["select_keys"], [every])}
        return [[rows[handle] for handle in one if handle in rows] for one in wanted]

    def _search(self, wanted: Sequence[Sequence[tuple[str, bytes]]]) -> list[list[_Hit]]:
        asked = [(n, kind, digest) for n, one in enumerate(wanted) for kind, digest in one]
        found: list[list[_Hit]] = [[] for _ in wanted]
        columns = [list(column) for column in zip(*asked, strict=True)]
        for n, kind, person, record in rows_of(self._pool, _QUERIES["select_indexes"], columns):
            found[n].append((kind, person, record))
        return found

    def _load_keks(self) -> None:
        self._keks = {kek.name: kek for kek in self._read_keks()}

    def _unwrap(self, handle: UUID, wrapped: bytes, name: str) -> bytes:
        kek = self._keks.get(name)
        if kek is None:
            raise KeyUnreadable(handle)
        try:
            return unwrap_key(kek.key, wrapped)
        except SealError as error:
            raise KeyUnreadable(handle) from error


def _kinds_by_record(
    asked: Iterable[tuple[str, bytes]], having: Mapping[tuple[str, bytes], list[UUID]]
) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = {}
    for kind, digest in asked:
        for record in having.get((kind, digest), ()):
            found.setdefault(record, set()).add(kind)
    return found


def _conflict(keys: Mapping[UUID, bytes], stored: Mapping[UUID, bytes]) -> KeyConflict | None:
    """The first person who has another key than was prepared."""
    differing = (handle for handle, key in keys.items() if stored.get(handle) != key)
    handle = next(differing, None)
    return None if handle is None else KeyConflict(handle)
