"""The checks of an entry that need nothing but the entry: its form, its shape, its envelope.

They are nearly all of the work, and may be done in any order and process. What must be judged in
the order of the log is left as ``Facts``, for ``client.audit``.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from client.authors import REGISTER
from client.errors import RefutedError
from domain.codec import MalformedData, decode
from domain.topics import EVENTS
from ledger.entry import Entry, encode_time
from ledger.envelope import decode_evidence, verify_evidence
from ledger.errors import EntryError, EnvelopeError, StatementError
from ledger.log_keys import TOPICS
from ledger.statement import DERIVED, Statement
from ledger.succession import SUCCEEDED

ENTRY, ENVELOPE, BLOB = 3, 5, 9

KEPT = REGISTER | TOPICS | {SUCCEEDED}
"""Topics about organisations, keys and the log's own keys and name."""

Cause = tuple[bytes, int]
"""Stream and version of the event that made the server write another."""


class Facts(NamedTuple):
    """What of an entry is judged by those before it: plain values, which cross processes cheaply.

    Attributes:
        stream: Id of the aggregate, 16 bytes.
        version: Place in it.
        recorded_at: The log's clock as it is spelled: texts of 27 characters, in the order of time.
        org: Organisation of the author.
        keyid: Key of the author.
        is_known: Whether this edition knows the topic.
        is_kept: Whether the whole entry is needed: it is about organisations, keys, or the log's
            own keys and name.
        is_made: Whether the server made it, for a cause or for a person.
        cause: What it says it was made for.
        correction: What its data say of that cause.
        sealed: Digests of its sealed values.
    """

    stream: bytes
    version: int
    recorded_at: str
    org: str
    keyid: str
    is_known: bool
    is_kept: bool
    is_made: bool
    cause: Cause | None
    correction: Any
    sealed: tuple[str, ...]


Row = tuple[bytes, int, str, tuple[str, str], bytes | None]
"""Stream, version, time, author and write of an entry; all that is judged of most."""
Found = tuple[Row, tuple[str, ...], Facts | None]
"""Row, digests of sealed values, and the facts of an entry of which more than its row is judged."""


def read_entry(position: int, raw: bytes, origin: str, *, may_rename: bool = False) -> Entry:
    """Read an entry of a log.

    Args:
        position: Its place.
        raw: Its bytes.
        origin: The name that the log has there.
        may_rename: Whether it may be the entry that gives the log a new name, and stands under it.

    Raises:
        RefutedError: If it is not canonical, another log's, or its data have not the shape of its
            topic; of a topic that this edition does not know, any data will do.
    """
    try:
        entry = Entry.decode(raw)
    except EntryError as error:
        raise RefutedError(ENTRY, position, "entry-malformed", cause=str(error)) from error
    if entry.origin != origin and not (may_rename and entry.topic == SUCCEEDED):
        raise RefutedError(ENTRY, position, "origin-differs", origin=entry.origin)
    event = EVENTS.get(entry.topic)
    if event is not None:
        try:
            decode(event, entry.data)
        except MalformedData as error:
            raise RefutedError(ENTRY, position, "data-malformed", cause=str(error)) from error
    return entry


def facts_of(entry: Entry) -> Facts:
    """Return what of an entry is judged by those before it."""
    is_made, cause, correction = origins_of(entry.data)
    return Facts(
        entry.stream.bytes,
        entry.version,
        encode_time(entry.recorded_at),
        entry.author.org,
        entry.author.keyid,
        entry.topic in EVENTS,
        entry.topic in KEPT,
        is_made,
        cause,
        correction,
        tuple([seal.sha256 for seal in entry.sealed]),
    )


def found_of(facts: Facts, write: bytes | None) -> Found:
    """Return what is judged of an entry, whose author's write was found."""
    author = author_of(facts.org, facts.keyid)
    row = facts.stream, facts.version, facts.recorded_at, author, write
    is_more = facts.is_made or facts.is_kept or not facts.is_known
    return row, facts.sealed, facts if is_more else None


@lru_cache(maxsize=4096)
def author_of(org: str, keyid: str) -> tuple[str, str]:
    """Return one object for each author, which crosses processes once."""
    return org, keyid


def origins_of(data: Mapping[str, Any]) -> tuple[bool, Cause | None, Any]:
    """Return whether the server made an entry, for which cause, and what its data say of that."""
    derived = data.get(DERIVED)
    if not isinstance(derived, dict):
        return False, None, None
    cause = _cause(derived.get("cause"))
    is_made = "cause" in derived or "on_behalf_of" in derived
    return is_made, cause, None if cause is None else data.get("correction")


def write_id(org: str, idempotency_key: str) -> bytes:
    """Return 16 bytes for an author's write, of two UUIDs in lower case."""
    return sha256((org + idempotency_key).encode()).digest()[:16]


def check_evidence(position: int, entry: Entry, envelope: bytes, public: bytes) -> bytes:
    """Check that an envelope is the one that an entry names, and signs what the entry says.

    Returns:
        16 bytes for the author's write: the same for the same organisation and idempotency key.

    Raises:
        RefutedError: With the first that is wrong.
    """
    if sha256(envelope).hexdigest() != entry.author.envelope:
        raise RefutedError(ENVELOPE, position, "envelope-differs")
    try:
        statement = Statement.decode(verify_evidence(decode_evidence(envelope), public))
        statement.verify_entry(entry)
    except EnvelopeError as error:
        raise RefutedError(ENVELOPE, position, "signature-invalid", cause=error.message) from error
    except StatementError as error:
        raise RefutedError(ENVELOPE, position, "statement-differs", **error.fields) from error
    return write_id(entry.author.org, str(statement.idempotency_key))


def check_blob(position: int, digest: str, blob: bytes | None) -> None:
    """Check a sealed value, if it is at hand.

    Raises:
        RefutedError: If it is not the one that the entry names.
    """
    if blob is not None and sha256(blob).hexdigest() != digest:
        raise RefutedError(BLOB, position, "blob-differs", sha256=digest)


def _cause(value: Any) -> Cause | None:
    if not isinstance(value, dict):
        return None
    try:
        return UUID(value["stream"]).bytes, int(value["version"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
