"""The log's own keys, from docs/keys.md: who signs a checkpoint of which size."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.second.entries import Entry
from tests.second.findings import Finding, Wrong, demand
from tests.second.json_text import read
from tests.second.merkle9162 import EMPTY_ROOT
from tests.second.notes import COSIGNED_MLDSA44, ED25519, TreeHead, VerifierKey, signers
from tests.second.receipts import Receipt
from tests.second.trust import Trust

LOG_KEYS = "log-keys"
INTRODUCED = "log.key-introduced.v1"
RETIRED = "log.key-retired.v1"
KIND = "log key"
Pair = tuple[VerifierKey, VerifierKey]


@dataclass(frozen=True)
class Change:
    """From a position on these pairs sign, by an event of this stream."""

    position: int
    stream: str
    pairs: tuple[Pair, ...]


def _pair(entry: Entry, prefix: str, origin: str) -> Pair:
    classic = VerifierKey.parse(entry.data[f"{prefix}ed25519"])
    lattice = VerifierKey.parse(entry.data[f"{prefix}ml_dsa_44"])
    demand((classic.type, lattice.type) == (ED25519, COSIGNED_MLDSA44), KIND, "of other types")
    demand(classic.name == lattice.name == origin, KIND, "of another log")
    return classic, lattice


def _head_signed_by(note: str, *pairs: Pair) -> TreeHead:
    wanted = [key for pair in pairs for key in pair]
    text, found = signers(note.encode(), wanted)
    demand({*found} == {*wanted}, KIND, "not every key has signed")
    return TreeHead.parse(text)


class LogKeys:
    """Which pairs sign, as the entries say one after the other."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._used: set[bytes] = set()
        self._changes: list[Change] = []
        self._overlaps: list[TreeHead] = []

    def apply(self, entry: Entry, position: int) -> None:
        """Take in an entry about keys; Wrong if the rules forbid it."""
        pairs = self._changes[-1].pairs if self._changes else ()
        if entry.topic == INTRODUCED:
            pairs = self._introduced(entry, pairs)
        else:
            demand(len(pairs) == 2, KIND, "no rotation is under way")
            demand(entry.stream == self._changes[-1].stream, KIND, "of another rotation")
            overlap = _head_signed_by(entry.data["overlap"], *pairs)
            demand(overlap.origin == self._origin, KIND, "a checkpoint of another log")
            covers = self._changes[-1].position <= overlap.size < position
            demand(covers, KIND, "the checkpoint does not cover the introduction")
            self._overlaps.append(overlap)
            pairs = pairs[1:]
        self._changes.append(Change(position, entry.stream, pairs))

    def _introduced(self, entry: Entry, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
        demand(len(pairs) < 2, KIND, "a rotation is under way")
        new = _pair(entry, "", self._origin)
        old = _pair(entry, "replaces_", self._origin)
        demand(pairs in ((), (old,)), KIND, "it does not replace the pair that signs")
        self._used |= {key.public for key in old}
        demand(self._used.isdisjoint(key.public for key in new), KIND, "it was used before")
        proof = _head_signed_by(entry.data["proof"], new)
        demand(proof == TreeHead(self._origin, 0, EMPTY_ROOT), KIND, "it is not proven")
        self._used |= {key.public for key in new}
        return (old, new)

    def end(self, note: bytes, size: int, root: Callable[[int], bytes]) -> list[Finding]:
        """Return what is wrong with checkpoints, once all entries are known."""
        if not self._changes:
            return []
        first = self._changes[0]
        in_force = first.pairs[:1]
        for change in self._changes:
            if change.position <= size:
                in_force = change.pairs
        findings = []
        try:
            found = signers(note, [key for pair in in_force for key in pair])[1]
            demand(bool(found), "checkpoint", "not signed by a key in force")
        except Wrong as wrong:
            findings.append(wrong.at(0))
        if any(root(overlap.size) != overlap.root for overlap in self._overlaps):
            findings.append(Finding(0, KIND, "an overlap is of another tree"))
        return findings


def judge_across(trust: Trust, note: bytes, history: bytes) -> tuple[TreeHead, bool]:
    """Judge a checkpoint by the trusted keys, or by successors that the history proves.

    Raises:
        Wrong: If neither do, or the history does not hold.
    """
    try:
        return trust.judge(note)
    except Wrong:
        if not history:
            raise
    for line in history.splitlines():
        try:
            members = read(line)
        except ValueError as reason:
            raise Wrong(KIND, str(reason)) from None
        demand(
            isinstance(members, dict) and {*members} == {"entry", "proof"},
            KIND,
            "not a line of the history",
        )
        raw, receipt = members["entry"].encode(), Receipt.parse(members["proof"].encode())
        entry = Entry.parse(raw)
        if entry.topic != INTRODUCED:
            continue
        try:
            head, _ = receipt.prove(raw, trust)
        except Wrong:  # from before the trusted keys; the verdict comes below
            continue
        keys = LogKeys(head.origin)
        keys.apply(entry, receipt.index + 1)
        new, old = _pair(entry, "", head.origin), _pair(entry, "replaces_", head.origin)
        _head_signed_by(receipt.checkpoint.decode(), old, new)
        types = {key.type for key in trust.logs}
        more = [key for key in new if key.type in types and key not in trust.logs]
        trust = replace(trust, logs=[*trust.logs, *more])
    return trust.judge(note)
