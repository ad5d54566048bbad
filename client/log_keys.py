"""Following a log across rotations of its keys, from whichever of them a caller trusts.

A log shows the history of its keys as lines of JSON, ``{"entry", "proof"}``: each introduction with
its `.tlog-proof` under a checkpoint that both pairs have signed, each retirement with its proof
under the newest checkpoint. Whoever trusts a pair finds its successor proven by a checkpoint which
that pair itself has signed. Once the retirement is proven as well, the older pair counts no more:
who holds it later, a thief perhaps, can sign nothing that would be believed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from client.errors import RefutedError
from client.key_history import LOG_KEYS
from client.trust import Trust
from ledger.entry import Entry
from ledger.errors import LedgerError, NoteError
from ledger.hashing import leaf_hash
from ledger.jcs import parse
from ledger.log_keys import INTRODUCED, RETIRED, KeyPair, LogKeyError, LogKeys
from ledger.merkle import verify_inclusion
from ledger.note import Note
from ledger.policy import Judgement, Log, Policy
from ledger.proof import TlogProof

if TYPE_CHECKING:
    from client.sources import Source

STEP = 11

Tree = Callable[[int], bytes]
"""Returns the root of the log's tree at a size."""


def follow_keys(trust: Trust, source: "Source") -> Trust:
    """Return the trust in the keys that sign now; as ``follow_history``, from a source."""
    return follow_history(trust, source.read(LOG_KEYS) or b"")


def follow_history(trust: Trust, history: bytes) -> Trust:
    """Return the trust in the keys that sign now, from those that are trusted.

    Args:
        trust: Has a pair, or one key of a pair, that has ever signed the log.
        history: As the log shows it; nothing in it is believed that is not proven.

    Returns:
        The same policy with the successors and without the retired; unchanged where the log has
        no history, or one that does not begin at a trusted key.

    Raises:
        RefutedError: If a step of the history does not hold.
    """
    lines = [_Line.read(line) for line in history.splitlines()]
    rotations = {}
    for line in lines:
        if line.entry.topic == INTRODUCED and line.is_signed_for(trust):
            old, new = line.prove_introduction(trust)
            rotations[line.entry.stream] = old
            trust = _changed(trust, added=new)
    for line in lines:
        if line.entry.topic == RETIRED and line.entry.stream in rotations:
            line.prove(trust)
            trust = _changed(trust, dropped=rotations[line.entry.stream])
    return trust


def judge_newest(trust: Trust, source: "Source", note: bytes) -> Judgement:
    """Judge a checkpoint by the trusted keys, else by those that succeeded them.

    Raises:
        NoteError: As ``Trust.judge``.
        TrustError: Likewise.
        RefutedError: If the history of the log's keys does not hold.
    """
    try:
        return trust.judge(note)
    except NoteError:
        return follow_keys(trust, source).judge(note)


class _Line:
    """One line of the history, not yet believed."""

    def __init__(self, raw: bytes, entry: Entry, proof: TlogProof) -> None:
        self.entry = entry
        self._raw = raw
        self._proof = proof
        self._note = Note.parse(proof.checkpoint)

    @classmethod
    def read(cls, line: bytes) -> "_Line":
        try:
            members = parse(line)
            raw = str(members["entry"]).encode()
            proof = TlogProof.parse(str(members["proof"]).encode())
            return cls(raw, Entry.decode(raw), proof)
        except (LedgerError, ValueError, KeyError, TypeError) as error:
            raise RefutedError(STEP, None, "key-history-malformed") from error

    def is_signed_for(self, trust: Trust) -> bool:
        """Whether a trusted key claims to have signed the checkpoint."""
        signed = {(line.name, line.keyid) for line in self._note.signatures}
        return any((key.name, key.keyid) in signed for key in trust.keys)

    def prove(self, trust: Trust) -> None:
        """Check that the entry stands in the log."""
        position = self._proof.index + 1
        try:
            head = trust.judge(self._proof.checkpoint).checkpoint
            leaf = leaf_hash(self._raw)
            verify_inclusion(self._proof.index, head.size, leaf, self._proof.hashes, head.root)
        except LedgerError as error:
            raise RefutedError(
                STEP, position, "key-history-not-proven", cause=str(error)
            ) from error

    def prove_introduction(self, trust: Trust) -> tuple[KeyPair, KeyPair]:
        """Return the older and the newer pair, proven by a checkpoint that both have signed."""
        self.prove(trust)
        position, data = self._proof.index + 1, self.entry.data
        keys = LogKeys(trust.origin)
        try:
            keys.take(position, self.entry.topic, self.entry.stream, data)
            keys.check_signed_by_all(self._proof.checkpoint)
        except LogKeyError as error:
            raise RefutedError(STEP, position, error.reason) from error
        old, new = keys.newest
        return old, new


def check_newest(keys: LogKeys, note: bytes, root_of: Tree) -> None:
    """Check, at the end of a verification, what the keys' entries say of checkpoints.

    Args:
        keys: As of the last entry.
        note: The newest checkpoint.
        root_of: Of the verified tree.

    Raises:
        RefutedError: If the checkpoint is not signed by a pair that signs at its size, or one in a
            retirement is of another tree.
    """
    try:
        keys.check_signed(note)
    except LogKeyError as error:
        raise RefutedError(STEP, None, error.reason, **error.fields) from error
    for overlap in keys.overlaps:
        if root_of(overlap.size) != overlap.root:
            raise RefutedError(STEP, None, "overlap-of-another-tree", size=overlap.size)


def _changed(
    trust: Trust, *, added: KeyPair | None = None, dropped: KeyPair | None = None
) -> Trust:
    """Return the trust with one pair more or less."""
    policy = trust.policy
    gone = dropped.keys if dropped else ()
    logs = [log for log in policy.logs if log.key not in gone]
    known = {log.key for log in logs}
    types = {key.type for key in trust.keys}  # who trusts ML-DSA alone goes on doing so
    new = [key for key in (added.keys if added else ()) if key.type in types]
    logs += [Log(key) for key in new if key not in known]
    changed = Policy(tuple(logs), policy.witnesses, policy.groups, policy.quorum)
    return Trust(trust.origin, changed)
