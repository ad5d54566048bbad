"""The checks of single entries, in log order: streams, authors, statements, causes.

Pure: bytes in, counts out. ``client.verify`` feeds it and owns the tree. State grows with what
must be remembered: about 150 bytes a stream and 120 bytes an author's write.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from client.authors import Authors
from client.errors import RefutedError
from domain.codec import MalformedData, decode
from domain.topics import EVENTS
from ledger.entry import CLOCK_TOLERANCE, Entry
from ledger.envelope import decode_evidence, verify_evidence
from ledger.errors import EntryError, EnvelopeError, StatementError
from ledger.statement import DERIVED, Statement

ENTRY, STREAM, ENVELOPE, DOUBLE, CAUSE, BLOB = 3, 4, 5, 7, 8, 9
"""Numbers of the steps, as ``client.verify`` lists them; step 6 is ``client.authors``."""


@dataclass(slots=True)
class Counts:
    """What was checked.

    Attributes:
        entries: Entries.
        streams: Aggregates.
        envelopes: Signatures of authors.
        organisations: Registered organisations.
        keys: Registered keys, revoked ones too.
        unknown_topics: Entries of topics that this edition does not know; all but the shape of
            their data is checked.
        blobs: Sealed values that were there and have their digest.
        erased: Sealed values that were not there; only counted where blobs are at hand.
    """

    entries: int = 0
    streams: int = 0
    envelopes: int = 0
    organisations: int = 0
    keys: int = 0
    unknown_topics: int = 0
    blobs: int = 0
    erased: int = 0


class Audit:
    """Takes the entries of one log one after the other.

    Args:
        origin: Name of the log.
    """

    def __init__(self, origin: str) -> None:
        self.authors = Authors()
        self.counts = Counts()
        self._origin = origin
        self._versions: dict[bytes, int] = {}
        self._writes: dict[bytes, int] = {}
        self._newest: datetime | None = None

    def take(self, position: int, raw: bytes, envelope: bytes | None) -> Entry:
        """Check one entry against everything before it.

        Args:
            position: Its place, one more than the last one taken.
            raw: Its bytes.
            envelope: Its author's evidence; None checks hashes, streams and shapes only.

        Raises:
            RefutedError: With the first thing that is wrong.
        """
        entry = self._decode(position, raw)
        self._check_stream(position, entry)
        self._check_time(position, entry)
        if envelope is not None:
            self._check_author(position, entry, envelope)
        self._check_cause(position, entry)
        self.counts.entries += 1
        self.counts.streams = len(self._versions)
        self.counts.organisations = self.authors.organisations
        self.counts.keys = self.authors.keys
        return entry

    def take_blob(self, position: int, digest: str, blob: bytes | None) -> None:
        """Check a sealed value that is at hand; None counts as erased.

        Raises:
            RefutedError: If it is not the one that the entry names.
        """
        if blob is None:
            self.counts.erased += 1
            return
        if sha256(blob).hexdigest() != digest:
            raise RefutedError(BLOB, position, "blob-differs", sha256=digest)
        self.counts.blobs += 1

    def _decode(self, position: int, raw: bytes) -> Entry:
        try:
            entry = Entry.decode(raw)
        except EntryError as error:
            raise RefutedError(ENTRY, position, "entry-malformed", cause=str(error)) from error
        if entry.origin != self._origin:
            raise RefutedError(ENTRY, position, "origin-differs", origin=entry.origin)
        event = EVENTS.get(entry.topic)
        if event is None:
            self.counts.unknown_topics += 1
            return entry
        try:
            decode(event, dict(entry.data))
        except MalformedData as error:
            raise RefutedError(ENTRY, position, "data-malformed", cause=str(error)) from error
        return entry

    def _check_stream(self, position: int, entry: Entry) -> None:
        stream = entry.stream.bytes
        expected = self._versions.get(stream, 0) + 1
        if entry.version != expected:
            raise RefutedError(
                STREAM,
                position,
                "version-not-dense",
                stream=str(entry.stream),
                expected=expected,
                actual=entry.version,
            )
        self._versions[stream] = entry.version

    def _check_time(self, position: int, entry: Entry) -> None:
        """Compare with the running maximum, by which "known at" is told (DESIGN section 4)."""
        newest = self._newest or entry.recorded_at
        behind = newest - entry.recorded_at
        if behind > CLOCK_TOLERANCE:
            raise RefutedError(STREAM, position, "time-set-back", seconds=behind.total_seconds())
        self._newest = max(newest, entry.recorded_at)

    def _check_author(self, position: int, entry: Entry, envelope: bytes) -> None:
        if sha256(envelope).hexdigest() != entry.author.envelope:
            raise RefutedError(ENVELOPE, position, "envelope-differs")
        public = self.authors.public_key(position, entry)
        try:
            payload = verify_evidence(decode_evidence(envelope), public)
            statement = Statement.decode(payload)
            statement.verify_entry(entry)
        except EnvelopeError as error:
            raise RefutedError(
                ENVELOPE, position, "signature-invalid", cause=error.message
            ) from error
        except StatementError as error:
            raise RefutedError(ENVELOPE, position, "statement-differs", **error.fields) from error
        self._check_once(position, entry, statement)
        self.authors.take(position, entry)
        self.counts.envelopes += 1

    def _check_once(self, position: int, entry: Entry, statement: Statement) -> None:
        """An idempotency key is used once; only effects of one write share it, side by side."""
        write = sha256(UUID(entry.author.org).bytes + statement.idempotency_key.bytes).digest()[:16]
        before = self._writes.get(write)
        if before is not None and not (before == position - 1 and _cause(entry) is not None):
            raise RefutedError(DOUBLE, position, "idempotency-key-reused", first=before)
        self._writes[write] = position

    def _check_cause(self, position: int, entry: Entry) -> None:
        """What the server made for a cause or for a person is signed by the platform."""
        derived = entry.data.get(DERIVED)
        if not isinstance(derived, dict):
            return
        made = "cause" in derived or "on_behalf_of" in derived
        if made and self.counts.envelopes and not self.authors.is_platform(entry.author.org):
            raise RefutedError(CAUSE, position, "not-signed-by-the-platform")
        cause = _cause(entry)
        if cause is None:
            return
        stream, version = cause
        newest = self._versions.get(stream, 0)
        if not 1 <= version <= newest or (stream == entry.stream.bytes and version == newest):
            raise RefutedError(CAUSE, position, "cause-missing", version=version)
        correction = entry.data.get("correction")
        if correction is not None and correction != str(UUID(bytes=stream)):
            raise RefutedError(CAUSE, position, "cause-differs", correction=correction)


def _cause(entry: Entry) -> tuple[bytes, int] | None:
    """Return stream and version of the event that made the server write this one."""
    derived: Any = entry.data.get(DERIVED)
    cause = derived.get("cause") if isinstance(derived, dict) else None
    if not isinstance(cause, dict):
        return None
    try:
        return UUID(cause["stream"]).bytes, int(cause["version"])
    except (KeyError, ValueError, TypeError):
        return None
