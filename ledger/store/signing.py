"""Signing checkpoints with the keys that the log names at their size, and with no others."""

from collections.abc import Callable, Sequence

from ledger.checkpoint import Checkpoint, LogSigner, sign_checkpoint, verify_checkpoint
from ledger.entry import Entry
from ledger.errors import LedgerError, NoteError
from ledger.log_keys import KeyPair, LogKeyError, LogKeys
from ledger.signature import VerifierKey
from ledger.store.connections import Row
from ledger.store.errors import Forked, SigningKeyMissing, TamperFound
from ledger.store.queries import load_queries
from ledger.store.tree import Cursor

Kept = Callable[[], Sequence[LogSigner]]
"""Reads the pairs of secret keys that are at hand; the log's founding pair is the first."""

_QUERIES = load_queries("integration.sql")


class CheckpointSigner:
    """Signs a log's checkpoints and knows its own signatures again.

    Crash points of a rotation: the new pair is durable before the log names it, and the log names
    it in an entry before the first checkpoint carries its signature. A pair that is lost between
    the two stops the integrator at the entry, which then waits unsigned until it is back.

    Args:
        kept: The pairs that are at hand; read anew when the log names another one.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._pairs: dict[KeyPair, LogSigner] = {}
        self.origin = self._reload()

    def sign(self, keys: LogKeys, checkpoint: Checkpoint, timestamp: int) -> bytes:
        """Return the note of a checkpoint, signed by every pair that the log names at its size.

        Raises:
            SigningKeyMissing: If one of them is not at hand. Nothing was signed.
        """
        pairs = keys.at(checkpoint.size) or tuple(self._pairs)[:1]
        if not self._pairs.keys() >= set(pairs):
            self._reload()
        missing = [pair for pair in pairs if pair not in self._pairs]
        if missing:
            raise SigningKeyMissing(checkpoint.size, missing[0].ed25519.keyid.hex())
        return sign_checkpoint(checkpoint, [self._pairs[pair] for pair in pairs], timestamp)

    def verify(self, keys: LogKeys, note: bytes, size: int, what: str) -> Checkpoint:
        """Return a checkpoint that this log has signed with the keys of its size.

        One beyond ``size``, which another integrator made, may be signed by any pair at hand.

        Raises:
            Forked: If it did not.
        """
        try:
            checkpoint = self._verify(keys, note)
            if checkpoint.size <= size:
                keys.check_signed(note)
        except (NoteError, LogKeyError) as error:
            raise Forked(size, f"{what} is not signed by this log: {error}") from error
        return checkpoint

    def _verify(self, keys: LogKeys, note: bytes) -> Checkpoint:
        try:
            return verify_checkpoint(note, self._trusted(keys), self.origin)
        except NoteError:
            self._reload()  # perhaps another integrator signs with a newer pair already
            return verify_checkpoint(note, self._trusted(keys), self.origin)

    def _trusted(self, keys: LogKeys) -> list[VerifierKey]:
        return [key for pair in dict.fromkeys((*keys.pairs, *self._pairs)) for key in pair.keys]

    def _reload(self) -> str:
        signers = self._kept()
        self._pairs = {KeyPair(*signer.verifier_keys()): signer for signer in signers}
        return signers[0].origin


def keys_at(cursor: Cursor, origin: str, size: int) -> LogKeys:
    """Return the keys that the stored entries name up to a size; raises as ``keys_grown``."""
    return keys_grown(cursor, LogKeys(origin), 0, size)


def keys_grown(cursor: Cursor, keys: LogKeys, old: int, new: int) -> LogKeys:
    """Return what the entries after one size and up to another make of the log's keys.

    Raises:
        TamperFound: If they could not have come through the door.
    """
    rows: list[Row] = cursor.execute(_QUERIES["log_keys"], [old, new], prepare=True).fetchall()
    grown = keys.copy() if rows else keys
    for position, raw in rows:
        try:
            grown.take_entry(position, Entry.decode(raw))
        except LedgerError as error:
            raise TamperFound(position, f"an entry about log keys: {error}") from error
    return grown
