"""The organisations and their keys, as the write side needs them.

Organisations are read often and change rarely, so they are kept in memory. A write guards its
author's stream at the version that was judged: had a key been revoked meanwhile, in this process
or another, the append fails, the organisation is read again and the write is decided anew.
"""

from threading import Lock
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError

from commands.errors import KeyUnknown, NotFound
from domain.organisation import Organisation
from ledger.store.append import Guard
from ledger.store.journal import Journal


class Directory:
    """Organisations by stream id."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[UUID, Organisation] = {}
        self._lock = Lock()

    def organisation(self, which: UUID) -> Organisation:
        """The organisation as last read.

        Raises:
            NotFound: there is none.
        """
        found = self._known.get(which)
        if found is None:
            found = self._read(which)
            with self._lock:
                self._known[which] = found
        return found

    def forget(self, which: UUID) -> None:
        """Read this organisation again when it is next asked for."""
        with self._lock:
            self._known.pop(which, None)

    def guard(self, which: UUID) -> Guard:
        """What an append states about the organisation it was decided on."""
        return Guard(which, self.organisation(which).version)

    def judged(self, which: UUID, keyid: str) -> tuple[bytes, Guard]:
        """The 32-byte Ed25519 key of that id, valid for the organisation now.

        What is appended by that judgement states with the guard that it still holds: a guard taken
        later could name a version at which the key is revoked.

        Raises:
            KeyUnknown: the organisation does not exist, has no such key, or it was revoked.
        """
        try:
            if not self.organisation(which).is_key_valid(keyid):
                self.forget(which)  # perhaps registered a moment ago through another process
            found = self.organisation(which)
        except NotFound as error:
            raise KeyUnknown from error
        if not found.is_key_valid(keyid):
            raise KeyUnknown
        return bytes.fromhex(found.keys[keyid].public_key), Guard(which, found.version)

    def _read(self, which: UUID) -> Organisation:
        try:
            found: object = self._journal.repository.get(which)
        except AggregateNotFoundError as error:
            raise NotFound from error
        if not isinstance(found, Organisation):
            raise NotFound
        return found
