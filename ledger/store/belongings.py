"""What belongs to entries, inspected: envelopes, idempotency keys, sealed values, claims."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from ledger.entry import Entry, Seal
from ledger.envelope import decode_evidence
from ledger.errors import LedgerError
from ledger.statement import Statement
from ledger.store.append import Claim
from ledger.store.finding import Finding
from ledger.store.inspection import Row, Snapshot
from ledger.store.lost import ANY_KEY, ClaimsOf, RequestOf

_UNTELLABLE = (LedgerError, LookupError, ValueError, TypeError, AttributeError)
"""What telling the claims of an altered entry may meet; what is wrong with it others say."""


class _Write(NamedTuple):
    """A write whose first entry has passed: its position, key, and how many are still to come."""

    position: int
    key: UUID
    left: int


class Writes:
    """Envelopes, each under the digest that its entry names, and the keys of the writes.

    Signatures are ``client.verify``'s matter.

    Args:
        at: The database.
        request_of: Tells what an idempotency key stands for.

    Attributes:
        untold: Idempotency keys that the log does not tell: of what citizens did.
    """

    def __init__(self, at: Snapshot, request_of: RequestOf) -> None:
        self._at = at
        self._request_of = request_of
        self._rows = at.beside("writes")
        self._open: _Write | None = None
        self._last = 0
        self.untold = 0

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows."""
        envelopes = self._envelopes(batch)
        stored = {row[0]: row[1:] for row in self._rows.up_to(batch[-1].position if batch else 0)}
        for row in batch:
            if row.position != self._last + 1:
                self._open = None  # its end is missing, and others say so
            self._last = row.position
            entry, envelope = row.entry, None
            if entry is not None:
                envelope = envelopes.get(entry.author.envelope)
                if envelope is None:
                    yield Finding("envelope-missing", row.position)
                elif sha256(envelope).hexdigest() != entry.author.envelope:
                    yield Finding("envelope-differs", row.position)
            yield from self._write(row, envelope, stored.pop(row.position, None))
        for position in stored:
            yield Finding("idempotency-of-no-write", position)

    def finish(self) -> Iterator[Finding]:
        """Examine what no entry led to."""
        yield from self._close()
        for row in self._rows.rest():
            yield Finding("idempotency-of-no-write", row[0])
        for (digest,) in self._at.rows("envelopes_unnamed"):
            yield Finding("envelope-of-no-entry", None, {"sha256": digest.hex()})

    def _envelopes(self, batch: Sequence[Row]) -> dict[str, bytes]:
        wanted = [bytes.fromhex(row.entry.author.envelope) for row in batch if row.entry]
        return {digest.hex(): raw for digest, raw in self._at.rows("envelopes", [wanted])}

    def _write(
        self, row: Row, envelope: bytes | None, stored: tuple[Any, ...] | None
    ) -> Iterator[Finding]:
        """Compare the key that was signed with the one that is stored beside its first entry."""
        signed = None if envelope is None else _signed(envelope)
        key = None if signed is None else signed[0]
        entry, expected = row.entry, None
        if signed is not None and entry is not None:
            expected = self._request_of(entry, signed[1])
        if stored is None:
            if self._open is not None and self._open.left and key in (None, self._open.key):
                self._open = self._open._replace(left=self._open.left - 1)
                return
            yield from self._close()
            if expected is not None:
                yield Finding("idempotency-missing", row.position)
            return
        yield from self._close()
        author, said, request, count = stored
        self._open = _Write(row.position, said, count - 1)
        if expected is None or entry is None:
            self.untold += 1
            return
        if (str(author), said) != (entry.author.org, key):
            yield Finding("idempotency-differs", row.position, {"what": "key"})
        elif request != expected:
            yield Finding("idempotency-differs", row.position, {"what": "request"})

    def _close(self) -> Iterator[Finding]:
        """End a write: it must have as many entries as its row says."""
        if self._open is not None and self._open.left:
            yield Finding("idempotency-differs", self._open.position, {"what": "count"})
        self._open = None


class Blobs:
    """Sealed values: each stored with the digest and person that an entry names, or erased.

    Args:
        at: The database.
        is_erased: Whether a sealed value was to be destroyed; any other one must be stored.

    Attributes:
        stored: How many are stored.
        absent: How many were erased.
    """

    def __init__(self, at: Snapshot, is_erased: Callable[[Seal], bool]) -> None:
        self._rows = at.beside("blobs")
        self._is_erased = is_erased
        self.stored = 0
        self.absent = 0

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows."""
        by_position = {row.position: row for row in batch}
        held: set[tuple[int, str]] = set()
        for position, digest, subject, is_sound in self._rows.up_to(batch[-1].position):
            self.stored += 1
            held.add((position, digest.hex()))
            row = by_position.get(position)
            seals = row.entry.sealed if row is not None and row.entry else ()
            seal = next((one for one in seals if one.sha256 == digest.hex()), None)
            if seal is None:
                yield Finding("blob-of-no-entry", position, {"sha256": digest.hex()})
            elif seal.subject != str(subject):
                yield Finding("blob-subject-differs", position, {"sha256": digest.hex()})
            if not is_sound:
                yield Finding("blob-differs", position, {"sha256": digest.hex()})
        for row in batch:
            yield from self._missing(row, held)

    def _missing(self, row: Row, held: set[tuple[int, str]]) -> Iterator[Finding]:
        for seal in row.entry.sealed if row.entry else ():
            if (row.position, seal.sha256) in held:
                continue
            if self._is_erased(seal):
                self.absent += 1
            else:
                yield Finding("blob-missing", row.position, {"sha256": seal.sha256})

    def finish(self) -> Iterator[Finding]:
        """Examine what lies behind the end of the log."""
        for row in self._rows.rest():
            yield Finding("blob-of-no-entry", row[0], {"sha256": row[1].hex()})


class PersonKeys:
    """Keys of people: everybody for whom an entry seals has one, or is erased.

    Args:
        keyless: Tells which of some people have none now.
        is_erased: Tells whether a sealed value was to be destroyed; asked after `keyless`, since a
            person may be erased meanwhile.
    """

    def __init__(
        self,
        keyless: Callable[[Iterable[UUID]], set[UUID]],
        is_erased: Callable[[], Callable[[Seal], bool]],
    ) -> None:
        self._keyless = keyless
        self._is_erased = is_erased
        self._named: set[str] = set()

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows."""
        seals = [(row.position, one) for row in batch if row.entry for one in row.entry.sealed]
        missing = {str(one) for one in self._keyless({UUID(seal.subject) for _, seal in seals})}
        is_erased = self._is_erased() if missing - self._named else None
        for position, seal in seals:
            if seal.subject in missing - self._named and is_erased and not is_erased(seal):
                self._named.add(seal.subject)
                yield Finding("key-missing", position, {"person": seal.subject})

    def finish(self) -> Iterator[Finding]:
        """Nothing is left."""
        yield from ()


class Claims:
    """Facts that may hold once only, told again from the entries that took and released them.

    Args:
        at: The database.
        claims_of: Tells the claims of entries.
        kinds: Those that it can tell; others are counted.

    Attributes:
        untold: Entries whose sealed values do not open any more, so that nobody can tell.
        unknown: Claims of kinds that the log does not tell.
    """

    def __init__(self, at: Snapshot, claims_of: ClaimsOf, kinds: frozenset[str]) -> None:
        self._at = at
        self._claims_of = claims_of
        self._kinds = kinds
        self._rows = at.beside("claims")
        self._waiting: dict[tuple[str, bytes], tuple[int, UUID]] = {}
        self._is_doubtful = False
        self.untold = 0
        self.unknown = 0

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows."""
        told, untold = self._told([(row.position, row.entry) for row in batch if row.entry])
        self.untold += len(untold)
        taken = {
            (position, one.kind, one.key, one.stream) for position, one in told if not one.release
        }
        silent = set(untold)
        held: set[tuple[int, str, bytes, UUID]] = set()
        for position, kind, key, stream in self._rows.up_to(batch[-1].position):
            row = (position, kind, bytes(key), stream)
            if kind not in self._kinds:
                self.unknown += 1
            elif row in taken:
                held.add(row)
            elif position not in silent:
                yield Finding("claim-of-no-entry", position, {"kind": kind})
        self._follow(told, held)

    def finish(self) -> Iterator[Finding]:
        """Whatever was taken and not released must be held."""
        if self._is_doubtful:
            self._waiting.clear()
        for (kind, _), (position, _) in sorted(self._waiting.items(), key=lambda one: one[1]):
            yield Finding("claim-missing", position, {"kind": kind})
        for row in self._rows.rest():
            yield Finding("claim-of-no-entry", row[0], {"kind": row[1]})

    def doubt(self) -> None:
        """The log is not right somewhere: what was released there is not known."""
        self._is_doubtful = True

    def _told(
        self, entries: Sequence[tuple[int, Entry]]
    ) -> tuple[Sequence[tuple[int, Claim]], Sequence[int]]:
        """Tell the claims of entries; one that does not tell says nothing of the others."""
        try:
            return self._claims_of(entries)
        except _UNTELLABLE:
            if len(entries) == 1:
                return [], [entries[0][0]]
        told: list[tuple[int, Claim]] = []
        untold: list[int] = []
        for entry in entries:
            claims, silent = self._told([entry])
            told.extend(claims)
            untold.extend(silent)
        return told, untold

    def _follow(
        self, told: Sequence[tuple[int, Claim]], held: set[tuple[int, str, bytes, UUID]]
    ) -> None:
        """Remember what was taken and is not held: it must be released later."""
        for position, one in told:
            name = (one.kind, one.key)
            if one.release and one.key == ANY_KEY:
                self._forget(one.kind, one.stream)
            elif one.release:
                self._waiting.pop(name, None)
            elif (position, *name, one.stream) not in held and not self._has_earlier(
                name, position
            ):
                self._waiting.setdefault(name, (position, one.stream))

    def _forget(self, kind: str, stream: UUID) -> None:
        """A stream has released whatever it had of a kind."""
        for name, (_, owner) in list(self._waiting.items()):
            if (name[0], owner) == (kind, stream):
                del self._waiting[name]

    def _has_earlier(self, name: tuple[str, bytes], position: int) -> bool:
        """Whether it was held already, as guardians are by the records of their other children."""
        rows = self._at.rows("holders", [[name[0]], [name[1]]])
        return bool(rows) and rows[0][2] < position


def _signed(envelope: bytes) -> tuple[UUID, bytes] | None:
    """Return the idempotency key and the bytes that were signed; signatures are not judged here."""
    try:
        payload = decode_evidence(envelope).payload
        return Statement.decode(payload).idempotency_key, payload
    except LedgerError:
        return None
