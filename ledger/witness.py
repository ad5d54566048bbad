"""What a log asks of a witness, and when the witness cosigns (C2SP tlog-witness, add-checkpoint).

    old <size>
    <base64 hash>...            ; consistency proof from that size, at most 63
                                ; an empty line
    <checkpoint, verbatim>

The protocol's HTTP statuses are part of the format, so each refusal here carries its own. The
order of the checks is the specification's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from ledger.cosignature import Ed25519Cosigner, Mldsa44Cosigner, Subtree
from ledger.errors import LedgerError, NoteError, ProofError
from ledger.hashing import HASH_BYTES, empty_root
from ledger.merkle import verify_growth
from ledger.note import Note, Signature, Verified, VerifierKey, verify_note
from ledger.syntax import MAX_SIZE, decode_base64, decode_decimal, encode_base64
from ledger.treehead import Checkpoint

MAX_PROOF_HASHES = 63
MAX_REQUEST_BYTES = 131_072
"""Room for a proof and some 38 ML-DSA-44 lines; a log has two to four."""
MAX_ANSWER_BYTES = 65_536
SIZE_MEDIA_TYPE = "text/x.tlog.size"

_OLD = "old "
_EMPTY_ROOT = empty_root()


class Refused(LedgerError):
    """The witness does not cosign.

    Attributes:
        status: The HTTP status that says so.
    """

    status: ClassVar[int]


class Malformed(Refused):
    """This is not an add-checkpoint request."""

    status = 400


class NotSigned(Refused):
    """No trusted key of this log signed the checkpoint, or one did wrongly."""

    status = 403


class UnknownLog(Refused):
    """This witness does not know a log of this origin."""

    status = 404


class OtherSize(Refused):
    """The old size is not the one that this witness cosigned last.

    Attributes:
        size: The one that it did.
    """

    status = 409

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(size=size)


class Inconsistent(Refused):
    """The checkpoint does not extend the one that this witness cosigned last."""

    status = 422


@dataclass(frozen=True, slots=True)
class Seen:
    """The tree that a witness cosigned last; at first the empty one.

    Attributes:
        size: Number of leaves.
        root: Root hash.
    """

    size: int = 0
    root: bytes = _EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request, not yet judged.

    Attributes:
        old: Size that the log thinks the witness cosigned last.
        proof: Hashes that prove the growth from there.
        note: The signed checkpoint.
        checkpoint: Its text, read.
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    @classmethod
    def of(cls, old: int, proof: Sequence[bytes], note: bytes) -> Self:
        """Return the request for a signed checkpoint.

        Raises:
            NoteError: If the note holds no checkpoint.
            ProofError: If the proof is none, or longer than any can be.
        """
        if not 0 <= old <= MAX_SIZE or len(proof) > MAX_PROOF_HASHES:
            raise ProofError("A consistency proof starts from a size and has at most 63 hashes.")
        if any(len(one) != HASH_BYTES for one in proof):
            raise ProofError("A consistency proof is hashes of 32 bytes.")
        parsed = Note.parse(note)
        return cls(old, tuple(proof), parsed, Checkpoint.parse(parsed.text))

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a request's body strictly.

        Raises:
            Malformed: With what is wrong.
        """
        if len(raw) > MAX_REQUEST_BYTES:
            raise Malformed("A request is at most 131,072 bytes.", size=len(raw))
        head, separator, note = raw.partition(b"\n\n")
        try:
            if not separator:
                raise Malformed("A request is lines, an empty line and a checkpoint.")
            # "\n" only: other line separators must not end a line here.
            first, *lines = head.decode("ascii").split("\n")
            if not first.startswith(_OLD):
                raise Malformed("A request starts with the old size.")
            old = decode_decimal(first.removeprefix(_OLD))
            return cls.of(old, [decode_base64(line) for line in lines], note)
        except ValueError as error:
            raise Malformed("The fields of a request are decimal and base64.") from error
        except (NoteError, ProofError) as error:
            raise Malformed(error.message) from error

    def encode(self) -> bytes:
        """Return the body."""
        lines = [f"{_OLD}{self.old}", *map(encode_base64, self.proof), "", ""]
        return "\n".join(lines).encode("ascii") + self.note.encode()

    def authenticate(self, keys: Iterable[VerifierKey]) -> Note:
        """Return the note with the signatures of the log's own keys alone, which hold.

        Args:
            keys: All keys that the witness trusts, of whatever logs; the name is the origin.

        Raises:
            UnknownLog: If none of them is a key of this origin.
            NotSigned: If none of those signed, or one of them wrongly.
        """
        own = [key for key in keys if key.name == self.checkpoint.origin]
        if not own:
            raise UnknownLog
        try:
            verified = verify_note(self.note, own)
        except NoteError as error:
            raise NotSigned(error.message) from error
        return Note(self.note.text, tuple(one.signature for one in verified))

    def check_growth(self, seen: Seen) -> None:
        """Check that the checkpoint extends what the witness cosigned last for its origin.

        Nothing but this stands between a log and a fork: whoever calls it has authenticated the
        request, and stores the new tree in the same transaction that read ``seen``.

        Raises:
            Malformed: If the old size exceeds the checkpoint's.
            OtherSize: If the old size is not the one seen.
            Inconsistent: If the proof does not hold, or an equal size has another root.
        """
        new = self.checkpoint
        if self.old > new.size:
            raise Malformed("The old size exceeds the checkpoint's.", old=self.old, size=new.size)
        if self.old != seen.size:
            raise OtherSize(seen.size)
        try:
            verify_growth(self.old, new.size, self.proof, seen.root, new.root)
        except ProofError as error:
            raise Inconsistent(error.message) from error


class Cosigner:
    """The keys of one witness: an Ed25519 (0x04) and an ML-DSA-44 (0x06) one, under one name.

    Args:
        name: Name of the witness, a URL without scheme; both keys serve it alone.
        ed25519_seed: 32 secret bytes.
        mldsa_seed: 32 secret bytes.
    """

    def __init__(self, name: str, ed25519_seed: bytes, mldsa_seed: bytes) -> None:
        self.name = name
        self._ed25519 = Ed25519Cosigner(name, ed25519_seed)
        self._mldsa44 = Mldsa44Cosigner(name, mldsa_seed)

    def verifier_keys(self) -> tuple[VerifierKey, VerifierKey]:
        """Return the public keys: Ed25519 and ML-DSA-44."""
        return (self._ed25519.verifier_key, self._mldsa44.verifier_key)

    def cosign(self, checkpoint: Checkpoint, timestamp: int) -> tuple[Signature, Signature]:
        """Return both signature lines for a checkpoint that was found to be consistent.

        Extension lines are the log's own words: the Ed25519 line covers them as bytes, the
        ML-DSA-44 line leaves them out, and neither says that they are true (tlog-cosignature).

        Args:
            checkpoint: What is cosigned.
            timestamp: Seconds since the epoch, at least 1: 0 would claim nothing.
        """
        if timestamp < 1:
            raise NoteError("A witness states the time at which it cosigns.")
        return (
            self._ed25519.cosign(checkpoint, timestamp),
            self._mldsa44.cosign_subtree(Subtree.of(checkpoint), timestamp),
        )


def read_cosignatures(
    note: Note, answer: bytes, keys: Iterable[VerifierKey]
) -> tuple[Verified, ...]:
    """Return the cosignatures of known keys in a witness's answer, all of which hold.

    Args:
        note: The note that was submitted.
        answer: Body of the 200.
        keys: What the policy has of this witness.

    Raises:
        NoteError: If the answer is no signature lines, none is of a known key, one of a known key
            does not hold or states no time.
    """
    if len(answer) > MAX_ANSWER_BYTES:
        raise NoteError("A witness's answer is a few lines.", size=len(answer))
    given = Note.parse(note.text.encode() + b"\n" + answer)
    # The text may hold an empty line, so what was read must still be the text that was meant.
    if given.text != note.text:
        raise NoteError("A witness's answer is signature lines alone.")
    verified = verify_note(given, keys)
    if not all(one.timestamp for one in verified):
        raise NoteError("A witness states the time at which it cosigns.")
    return verified


def read_size(answer: bytes) -> int:
    """Return the size in the body of a 409.

    Raises:
        ValueError: If it is not one decimal and a newline.
    """
    text = answer.decode("ascii")
    if not text.endswith("\n"):
        raise ValueError("not a line")
    return decode_decimal(text.removesuffix("\n"))
