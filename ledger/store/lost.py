"""Entries that a database has lost, as copies of the log still have them, and what hangs on them.

An entry's envelope and sealed values are known by their digests, and the idempotency key stands in
the statement that the author signed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import UUID

from ledger.entry import Entry
from ledger.envelope import decode_evidence
from ledger.errors import LedgerError
from ledger.note import VerifierKey
from ledger.statement import Statement
from ledger.store.append import Claim


@dataclass(frozen=True, slots=True)
class Lost:
    """One entry as a copy has it.

    Attributes:
        position: Its place in the log.
        raw: Its bytes.
        envelope: Its author's evidence, or None where the copy has none.
        blobs: Those of its sealed values that the copy has, by digest.
    """

    position: int
    raw: bytes
    envelope: bytes | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    def sound(self, entry: Entry) -> "Lost":
        """Return it with only what has the digests that its entry names."""
        envelope = self.envelope
        if envelope is not None and sha256(envelope).hexdigest() != entry.author.envelope:
            envelope = None
        named = {seal.sha256 for seal in entry.sealed}
        blobs = {
            digest: blob
            for digest, blob in self.blobs.items()
            if digest in named and sha256(blob).hexdigest() == digest
        }
        return replace(self, envelope=envelope, blobs=blobs)


class Copies(Protocol):
    """Where lost entries are read from; nothing it says is believed."""

    def read(self, first: int, count: int) -> Sequence[Lost]:
        """Return entries from a position on, at most ``count``; none where no copy has the first.

        Raises:
            LedgerError: If a copy cannot be read.
            OSError: Likewise.
        """


RequestOf = Callable[[Entry, bytes], bytes | None]
"""What the idempotency key of a write stands for, from its first entry and the signed payload;
None where the log does not tell."""

Claims = Sequence[tuple[int, Claim]]
"""Claims taken and released, each with the position of its entry."""

ANY_KEY = b""
"""In a release: whatever the stream holds of the kind."""

ClaimsOf = Callable[[Sequence[tuple[int, Entry]]], tuple[Claims, Sequence[int]]]
"""The claims of entries in their order, and the positions of those whose claims the log does not
tell, or not any more."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a log is known by from outside its database.

    Attributes:
        origin: Its name.
        keys: Those that its checkpoints were signed with.
        outside: File that holds the newest checkpoint.
        notes: Further signed checkpoints: a witness's, a receipt's, an export's.
    """

    origin: str
    keys: Sequence[VerifierKey]
    outside: Path
    notes: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What is there, what is missing, and what can be had again.

    Attributes:
        entries: Entries in the database.
        integrated: Those of them under the database's checkpoint.
        signed: Entries under the newest signed checkpoint.
        note: That checkpoint.
        no_envelope: Positions of lost entries whose author's envelope no copy has.
        no_answer: Positions of lost writes whose idempotency key cannot be put back: a repetition
            is refused, because its stream has moved on, instead of answered.
        no_blob: Positions and digests of sealed values that no copy has; they may have been erased.
    """

    entries: int
    integrated: int
    signed: int
    note: bytes
    no_envelope: tuple[int, ...] = ()
    no_answer: tuple[int, ...] = ()
    no_blob: tuple[tuple[int, str], ...] = ()

    @property
    def lost(self) -> int:
        """How many signed entries the database lacks; copies have all of them."""
        return max(self.signed - self.entries, 0)


@dataclass(frozen=True, slots=True)
class LostWrite:
    """The entries of one submission, side by side.

    Attributes:
        entries: What the copies have of each.
        key: Author, idempotency key and what it stands for; None where the log does not tell.
    """

    entries: Sequence[tuple[Lost, Entry]]
    key: tuple[UUID, UUID, bytes] | None


def group_writes(
    entries: Iterable[tuple[Lost, Entry]], request_of: RequestOf
) -> Iterator[LostWrite]:
    """Yield entries by the submission that brought them: neighbours under one idempotency key.

    Args:
        entries: In the order of the log, from the first of a submission on.
        request_of: Tells what a key stands for.
    """
    group: list[tuple[Lost, Entry]] = []
    first: tuple[UUID, bytes] | None = None
    for lost, entry in entries:
        signed = _signed(lost)
        if group and (first is None or signed is None or first[0] != signed[0]):
            yield LostWrite(group, _key(group[0][1], first, request_of))
            group = []
        first = first if group else signed
        group.append((lost, entry))
    if group:
        yield LostWrite(group, _key(group[0][1], first, request_of))


def _signed(lost: Lost) -> tuple[UUID, bytes] | None:
    """Return the idempotency key and the bytes that were signed; signatures are not judged here."""
    if lost.envelope is None:
        return None
    try:
        payload = decode_evidence(lost.envelope).payload
        return Statement.decode(payload).idempotency_key, payload
    except LedgerError:
        return None


def _key(
    entry: Entry, signed: tuple[UUID, bytes] | None, request_of: RequestOf
) -> tuple[UUID, UUID, bytes] | None:
    if signed is None:
        return None
    key, payload = signed
    request = request_of(entry, payload)
    return None if request is None else (UUID(entry.author.org), key, request)
