"""The keys of people, and the blind index by which they are found."""

import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256
from uuid import UUID

from ledger.errors import SealError
from ledger.sealing import KEY_BYTES, blind_index, unwrap_key, wrap_key
from ledger.store.connections import Pool, cursor_of, rows_of
from ledger.store.errors import KeyConflict, KeyUnreadable
from ledger.store.queries import load_queries

ROLE = "vaxledger_vault"
"""Role of connections to the keys' database."""

_QUERIES = load_queries("keys.sql")
_SEPARATORS = str.maketrans("", "", " -\u3000")


class KeyStore:
    """One 256-bit key a person, wrapped, in a database of its own.

    A person's key is committed before the first event that seals under it: an orphan key is
    harmless, a lost one would lose the sealed values. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_vault`` to the keys' database.
        kek: The key-encryption key, 32 bytes from outside all databases.
        pepper: 32 secret bytes under which numbers are indexed.
    """

    def __init__(self, pool: Pool, kek: bytes, pepper: bytes) -> None:
        self._pool = pool
        self._kek = kek
        self._kek_name = sha256(b"vaxledger key-encryption key" + kek).hexdigest()[:16]
        self._pepper = pepper

    def prepare(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of people, new ones for those who have none; nothing is stored yet.

        Raises:
            KeyUnreadable: If a stored key is not under the key-encryption key in use.
        """
        wanted = list(dict.fromkeys(handles))
        known = self.open(wanted)
        return {handle: known.get(handle) or secrets.token_bytes(KEY_BYTES) for handle in wanted}

    def commit(self, keys: Mapping[UUID, bytes]) -> None:
        """Store prepared keys durably; those that are stored already are left alone.

        Raises:
            KeyConflict: If a person has got another key since ``prepare``. The others of the call
                are stored.
            KeyUnreadable: If a stored key is not under the key-encryption key in use.
        """
        if not keys:
            return
        wrapped = [wrap_key(self._kek, key) for key in keys.values()]
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["insert_keys"], [self._kek_name, list(keys), wrapped])
        stored = self.open(keys)
        for handle, key in keys.items():
            if stored.get(handle) != key:
                raise KeyConflict(handle)

    def open(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of people; whoever is missing never had one, or it was destroyed.

        Raises:
            KeyUnreadable: If a stored key is not under the key-encryption key in use.
        """
        wanted = list(dict.fromkeys(handles))
        if not wanted:
            return {}
        rows = rows_of(self._pool, _QUERIES["select_keys"], [wanted])
        return {handle: self._unwrap(handle, wrapped) for handle, wrapped, _ in rows}

    def digest(self, kind: str, number: str) -> bytes:
        """Return the 32 bytes under which a number is indexed, or claimed.

        Full-width characters, spaces, hyphens and case make no difference.
        """
        text = unicodedata.normalize("NFKC", number).translate(_SEPARATORS).upper()
        return blind_index(self._pepper, kind, text)

    def index(self, kind: str, number: str, handle: UUID, record: UUID) -> None:
        """Let a person in a record be found by a number; doing it again changes nothing."""
        parameters = [kind, self.digest(kind, number), handle, record]
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["insert_index"], parameters)

    def find(self, kind: str, number: str) -> list[tuple[UUID, UUID]]:
        """Return person and record of everyone who has this number."""
        parameters = [kind, self.digest(kind, number)]
        return [
            (person, record)
            for person, record in rows_of(self._pool, _QUERIES["select_index"], parameters)
        ]

    def _unwrap(self, handle: UUID, wrapped: bytes) -> bytes:
        try:
            return unwrap_key(self._kek, wrapped)
        except SealError as error:
            raise KeyUnreadable(handle) from error
