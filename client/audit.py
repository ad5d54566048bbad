"""The checks of an entry against those before it: streams, times, authors, writes, causes.

Pure: bytes in, counts out. ``client.verify`` feeds it and owns the tree. What must be remembered
is kept dense: 20 bytes a stream, 21 an author's write, and something for each key.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from client.authors import Authors
from client.checking import (
    ENTRY,
    Cause,
    Facts,
    Row,
    check_blob,
    check_evidence,
    facts_of,
    read_entry,
)
from client.compact import CompactMap
from client.errors import RefutedError
from ledger.entry import CLOCK_TOLERANCE, Entry, decode_time
from ledger.log_keys import TOPICS, LogKeyError, LogKeys
from ledger.succession import SUCCEEDED, Origins, SuccessionError

STREAM, DOUBLE, CAUSE, LOG_KEYS = 4, 7, 8, 11
"""Numbers of the steps, as ``client.verify`` lists them; the others' are beside their checks."""

_VERSION_BYTES, _POSITION_BYTES = 4, 5
_VERSIONS = 1 << 8 * _VERSION_BYTES
_FIRST = 1


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
        origin: Name of the log, as its checkpoint has it.
    """

    def __init__(self, origin: str) -> None:
        self.authors = Authors()
        self.counts = Counts()
        self.log_keys = LogKeys(origin)
        self._key_steps: list[tuple[int, str, str, dict[str, Any]]] = []
        self.versions = CompactMap(_VERSION_BYTES)
        self.writes = CompactMap(_POSITION_BYTES)
        self.newest = ""
        self.origins = Origins(origin)
        self._origin = origin
        self._able: tuple[str, str] | None = None
        """Whose key was found valid last; forgotten with each entry about organisations."""

    @property
    def origin(self) -> str:
        """The name that the next entry must stand under."""
        return self.origins.current

    def begin(self, origin: str) -> None:
        """Begin under the name of the first entry, before any is taken.

        Where it is not the checkpoint's, ``finish`` wants to have seen it passed on.
        """
        self.origins = Origins(origin)
        self.log_keys = LogKeys(origin)

    def take(self, position: int, raw: bytes, envelope: bytes | None) -> Facts:
        """Check one entry, by itself and against everything before it.

        Args:
            position: Its place, one more than the last one taken.
            raw: Its bytes.
            envelope: Its author's evidence; None checks hashes, streams and shapes only.

        Raises:
            RefutedError: With the first thing that is wrong.
        """
        entry = self._read(position, raw)
        facts = facts_of(entry)

        def evidence(public: bytes) -> bytes:
            assert envelope is not None
            return check_evidence(position, entry, envelope, public)

        self._follow(position, facts, entry, None if envelope is None else evidence)
        return facts

    def take_row(self, position: int, row: Row) -> None:
        """Check an entry against everything before it, where it was checked by itself elsewhere.

        Args:
            position: Its place, one more than the last one taken.
            row: What was found in it, of which nothing more is judged.

        Raises:
            RefutedError: As ``take``.
        """
        stream, version, recorded_at, author, write = row
        self._check_stream(position, stream, version)
        self._check_time(position, recorded_at)
        if write is not None:
            if author is not self._able:
                self.authors.public_key(position, *author, None)
                self._able = author
            self._check_once(position, write)
            self.counts.envelopes += 1
        self.counts.entries += 1

    def take_checked(self, position: int, raw: bytes, facts: Facts, write: bytes | None) -> None:
        """Check an entry of which more is judged, where it was checked by itself elsewhere.

        Args:
            position: Its place, one more than the last one taken.
            raw: Its bytes, where it is kept; the first one always is.
            facts: What ``client.checking`` found in it.
            write: And in its evidence, under the key that it names; None as in ``take``.

        Raises:
            RefutedError: As ``take``.
        """
        entry = Entry.decode(raw) if facts.is_kept else None
        self._follow(position, facts, entry, None if write is None else lambda _public: write)

    def finish(self) -> None:
        """Check what only the end tells.

        Raises:
            RefutedError: If the entries are another log's.
        """
        if self.counts.entries and self.origin != self._origin:
            raise RefutedError(ENTRY, _FIRST, "origin-differs", origin=self.origin)

    def take_blob(self, position: int, digest: str, blob: bytes | None) -> None:
        """Check a sealed value that is at hand; None counts as erased.

        Raises:
            RefutedError: If it is not the one that the entry names.
        """
        check_blob(position, digest, blob)
        self.counts.blobs += blob is not None
        self.counts.erased += blob is None

    def remember(self) -> dict[str, Any]:
        """Return what is known but ``versions`` and ``writes``, as a JSON object."""
        return {
            "counts": asdict(self.counts),
            "newest": self.newest,
            "authors": self.authors.remember(),
            "log_keys": self._key_steps,
            "origins": [self.origin, self.origins.adopted],
        }

    def recall(self, facts: dict[str, Any]) -> None:
        """Know what another audit knew; raises KeyError, TypeError, ValueError or EntryError."""
        self.counts = Counts(**facts["counts"])
        self.newest = facts["newest"]
        if self.newest:
            decode_time(self.newest)
        self.authors.recall(facts["authors"])
        current, adopted = facts["origins"]
        self.begin(str(current))
        self.origins.adopted = {str(name): int(size) for name, size in adopted.items()}
        for position, topic, stream, data in facts["log_keys"]:
            self._take_log_keys(position, topic, stream, data)

    def _follow(
        self,
        position: int,
        facts: Facts,
        entry: Entry | None,
        evidence: Callable[[bytes], bytes] | None,
    ) -> None:
        """Check what depends on the order; ``entry`` is only looked at where it is kept."""
        self._check_stream(position, facts.stream, facts.version)
        self._check_time(position, facts.recorded_at)
        counts = self.counts
        if evidence is not None:
            public = self.authors.public_key(position, facts.org, facts.keyid, entry)
            self._check_once(position, evidence(public), facts.cause)
            if facts.is_kept:
                assert entry is not None
                self._able = None
                self.authors.take(position, entry)
                counts.organisations, counts.keys = self.authors.sizes
            counts.envelopes += 1
        if facts.is_made:
            self._check_cause(position, facts)
        if facts.is_kept:
            assert entry is not None
            self._check_log_keys(position, entry)
            self._check_succession(position, entry)
        counts.entries += 1
        counts.unknown_topics += not facts.is_known

    def _read(self, position: int, raw: bytes) -> Entry:
        """Read the next entry, which stands under the log's name of its time."""
        try:
            return read_entry(position, raw, self.origin, may_rename=True)
        except RefutedError as error:
            if position - 1 != _FIRST or error.fields.get("origin") != self._origin:
                raise
            # Position 1 alone stands under another name than the checkpoint: it is what is wrong.
            raise RefutedError(ENTRY, _FIRST, "origin-differs", origin=self.origin) from error

    def _check_stream(self, position: int, stream: bytes, version: int) -> None:
        # One that is too large for the map is not the expected one either.
        expected = self.versions.put(stream, version % _VERSIONS) + 1
        if version != expected:
            raise RefutedError(
                STREAM,
                position,
                "version-not-dense",
                stream=str(UUID(bytes=stream)),
                expected=expected,
                actual=version,
            )
        self.counts.streams += version == _FIRST

    def _check_time(self, position: int, recorded_at: str) -> None:
        """Compare with the running maximum, by which "known at" is told (DESIGN section 4)."""
        if recorded_at >= self.newest:  # spelled so that their order is that of time
            self.newest = recorded_at
            return
        behind = decode_time(self.newest) - decode_time(recorded_at)
        if behind > CLOCK_TOLERANCE:
            raise RefutedError(STREAM, position, "time-set-back", seconds=behind.total_seconds())

    def _check_once(self, position: int, write: bytes, cause: Cause | None = None) -> None:
        """An idempotency key is used once; only effects of one write share it, side by side."""
        before = self.writes.put(write, position)
        if before and not (before == position - 1 and cause is not None):
            raise RefutedError(DOUBLE, position, "idempotency-key-reused", first=before)

    def _check_cause(self, position: int, facts: Facts) -> None:
        """What the server made for a cause or for a person is signed by the platform."""
        if self.counts.envelopes and not self.authors.is_platform(facts.org):
            raise RefutedError(CAUSE, position, "not-signed-by-the-platform")
        if facts.cause is None:
            return
        stream, version = facts.cause
        newest = self.versions.get(stream)
        if not 1 <= version <= newest or (stream == facts.stream and version == newest):
            raise RefutedError(CAUSE, position, "cause-missing", version=version)
        if facts.correction is not None and facts.correction != str(UUID(bytes=stream)):
            raise RefutedError(CAUSE, position, "cause-differs", correction=facts.correction)

    def _check_log_keys(self, position: int, entry: Entry) -> None:
        """The log's own keys change by the rules, and by the operator alone."""
        if entry.topic not in TOPICS:
            return
        if self.counts.envelopes and not self.authors.is_operator(entry.author.org):
            raise RefutedError(LOG_KEYS, position, "not-signed-by-the-operator")
        try:
            self._take_log_keys(position, entry.topic, str(entry.stream), dict(entry.data))
        except LogKeyError as error:
            raise RefutedError(LOG_KEYS, position, error.reason) from error

    def _check_succession(self, position: int, entry: Entry) -> None:
        """The log takes a new name by the rules, and by the operator alone."""
        if entry.topic != SUCCEEDED:
            return
        if self.counts.envelopes and not self.authors.is_operator(entry.author.org):
            raise RefutedError(LOG_KEYS, position, "not-signed-by-the-operator")
        try:
            self.origins.take(position, entry.origin, entry.data)
        except SuccessionError as error:
            raise RefutedError(LOG_KEYS, position, error.reason, **error.fields) from error
        self.log_keys = LogKeys(entry.origin)
        self._key_steps = []

    def _take_log_keys(self, position: int, topic: str, stream: str, data: dict[str, Any]) -> None:
        self.log_keys.take(position, topic, UUID(stream), data)
        self._key_steps.append((position, topic, stream, data))
