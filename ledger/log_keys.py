"""Which keys sign a log's checkpoints, as its own entries name them.

A log begins with a founding pair of keys, which trust files list. An entry introduces a successor:
the checkpoints that cover it are signed by both pairs. Another entry retires the older pair: those
that cover it are signed by the successor alone. So who signs a checkpoint is a function of the
entries under it, for the integrator and for everybody who verifies.

The retiring entry holds a checkpoint that both pairs have signed and that covers the introduction.
Whoever trusts the older pair finds in it that the older pair vouches for its successor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from ledger.entry import Entry
from ledger.errors import LedgerError, NoteError, VerificationError
from ledger.hashing import empty_root
from ledger.note import Note, verify_note
from ledger.signature import COSIGNATURE_MLDSA44, ED25519, VerifierKey
from ledger.treehead import Checkpoint

INTRODUCED = "log.key-introduced.v1"
RETIRED = "log.key-retired.v1"
TOPICS = frozenset((INTRODUCED, RETIRED))


class LogKeyError(VerificationError):
    """A log key was introduced, retired or used against the rules.

    Attributes:
        reason: Which rule, as a slug.
    """

    def __init__(self, reason: str, **facts: object) -> None:
        self.reason = reason
        super().__init__(f"A log key breaks a rule: {reason}.", **facts)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The two keys that sign together: Ed25519 (0x01) and ML-DSA-44 (0x06)."""

    ed25519: VerifierKey
    mldsa44: VerifierKey

    @classmethod
    def parse(cls, ed25519: str, mldsa44: str, origin: str) -> Self:
        """Read two vkeys of a log.

        Raises:
            LogKeyError: ``key-malformed``.
        """
        try:
            pair = cls(VerifierKey.parse(ed25519), VerifierKey.parse(mldsa44))
        except LedgerError as error:
            raise LogKeyError("key-malformed") from error
        if (pair.ed25519.type, pair.mldsa44.type) != (ED25519, COSIGNATURE_MLDSA44):
            raise LogKeyError("key-malformed")
        if {key.name for key in pair.keys} != {origin}:
            raise LogKeyError("key-malformed")
        return pair

    @property
    def keys(self) -> tuple[VerifierKey, VerifierKey]:
        """Both keys."""
        return (self.ed25519, self.mldsa44)


def proof_of_possession(origin: str) -> Checkpoint:
    """Return what both keys of a new pair sign to prove that they are held: the empty tree."""
    return Checkpoint(origin, 0, empty_root())


@dataclass(frozen=True, slots=True)
class _Era:
    """Who signs from a size on, until the next era."""

    since: int
    stream: UUID
    pairs: tuple[KeyPair, ...]


class LogKeys:
    """The keys of a log as of the last entry that was taken.

    Args:
        origin: Name of the log.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.overlaps: list[Checkpoint] = []
        self._founding: tuple[KeyPair, ...] = ()
        self._eras: list[_Era] = []

    @property
    def pairs(self) -> tuple[KeyPair, ...]:
        """Every pair that the log has named, in the order of their use."""
        found = dict.fromkeys(self._founding)
        found.update(dict.fromkeys(pair for era in self._eras for pair in era.pairs))
        return tuple(found)

    @property
    def newest(self) -> tuple[KeyPair, ...]:
        """Who signs now: two pairs during a rotation; none while the log has not named any."""
        return self._eras[-1].pairs if self._eras else ()

    @property
    def rotation(self) -> UUID | None:
        """The stream of the rotation that is under way."""
        return self._eras[-1].stream if len(self.newest) > 1 else None

    def at(self, size: int) -> tuple[KeyPair, ...]:
        """Return who signs a checkpoint of that size; none where the log has not named any."""
        found = self._founding
        for era in self._eras:
            if era.since <= size:
                found = era.pairs
        return found

    def copy(self) -> "LogKeys":
        """Return a copy, to try entries on."""
        other = LogKeys(self.origin)
        other.overlaps, other._eras = list(self.overlaps), list(self._eras)
        other._founding = self._founding
        return other

    def take_entry(self, position: int, entry: Entry) -> None:
        """Apply an entry; those under an earlier name of the log say nothing of its keys now.

        Raises:
            LogKeyError: As ``take``.
        """
        if entry.origin == self.origin:
            self.take(position, entry.topic, entry.stream, entry.data)

    def take(self, position: int, topic: str, stream: UUID, data: Mapping[str, Any]) -> None:
        """Apply an entry; those of other topics say nothing here.

        Whether its author was entitled to it is not judged here.

        Raises:
            LogKeyError: ``key-malformed``, ``rotation-under-way``, ``not-the-current-key``,
                ``key-used-before`` or ``key-not-proven`` of an introduction,
                ``no-rotation-under-way`` or ``overlap-not-signed-by-both`` of a retirement.
        """
        if topic == INTRODUCED:
            self._introduce(position, stream, data)
        elif topic == RETIRED:
            self._retire(position, stream, data)

    def check_signed(self, note: bytes) -> None:
        """Check that a checkpoint is signed by a pair that signs at its size.

        Raises:
            LogKeyError: ``not-signed-by-a-current-key``: by a retired or a foreign one at best.
        """
        size = Checkpoint.parse(Note.parse(note).text).size
        pairs = self.at(size)
        if not pairs:
            return
        try:
            verify_note(Note.parse(note), [key for pair in pairs for key in pair.keys])
        except NoteError as error:
            raise LogKeyError("not-signed-by-a-current-key", size=size) from error

    def check_signed_by_all(self, note: bytes) -> None:
        """Check that every key of the pairs that sign now has signed a checkpoint.

        Raises:
            LogKeyError: ``overlap-not-signed-by-both``.
        """
        _signed_by(note.decode("utf-8", "replace"), self.newest, "overlap-not-signed-by-both")

    def _introduce(self, position: int, stream: UUID, data: Mapping[str, Any]) -> None:
        new = KeyPair.parse(str(data.get("ed25519")), str(data.get("ml_dsa_44")), self.origin)
        old = KeyPair.parse(
            str(data.get("replaces_ed25519")), str(data.get("replaces_ml_dsa_44")), self.origin
        )
        if len(self.newest) > 1:
            raise LogKeyError("rotation-under-way")
        if self.newest and self.newest != (old,):
            raise LogKeyError("not-the-current-key")
        if not {key.public for key in new.keys}.isdisjoint(
            key.public for pair in (*self.pairs, old) for key in pair.keys
        ):
            raise LogKeyError("key-used-before")
        head = _signed_by(str(data.get("proof")), (new,), "key-not-proven")
        if head != proof_of_possession(self.origin):
            raise LogKeyError("key-not-proven")
        if not self._eras:
            self._founding = (old,)
        self._eras.append(_Era(position, stream, (old, new)))

    def _retire(self, position: int, stream: UUID, data: Mapping[str, Any]) -> None:
        if self.rotation != stream:
            raise LogKeyError("no-rotation-under-way")
        overlap = _signed_by(str(data.get("overlap")), self.newest, "overlap-not-signed-by-both")
        introduced = self._eras[-1].since
        if overlap.origin != self.origin or not introduced <= overlap.size < position:
            raise LogKeyError("overlap-not-signed-by-both", size=overlap.size)
        self.overlaps.append(overlap)
        self._eras.append(_Era(position, stream, self.newest[1:]))


def _signed_by(note: str, pairs: Iterable[KeyPair], reason: str) -> Checkpoint:
    """Return a checkpoint that every key of these pairs has signed."""
    keys = {key for pair in pairs for key in pair.keys}
    try:
        parsed = Note.parse(note.encode())
        if {one.key for one in verify_note(parsed, keys)} != keys:
            raise LogKeyError(reason)
        return Checkpoint.parse(parsed.text)
    except (NoteError, UnicodeEncodeError) as error:
        raise LogKeyError(reason) from error
