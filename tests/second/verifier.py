"""Verification of an export from the specification alone: every finding, not only the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from tests.second.authors import Authors
from tests.second.entries import Entry
from tests.second.evidence import Evidence, compare, read_statement
from tests.second.findings import Finding, Wrong, demand
from tests.second.folders import (
    CHECKPOINT,
    WIDTH,
    Read,
    numbered,
    read_parts,
    read_tile,
    tile_widths,
)
from tests.second.log_keys import INTRODUCED, LOG_KEYS, RETIRED, LogKeys, judge_across
from tests.second.merkle9162 import leaf, tree_hash
from tests.second.notes import TreeHead, signers
from tests.second.schemas import Schema, check
from tests.second.seals import Opening, open_blob, place
from tests.second.trust import Trust

SUCCEEDED = "log.succeeded.v1"
SLACK = timedelta(seconds=2)
"""How far `recorded_at` may lie behind the newest one before it (DESIGN section 4)."""


@dataclass(frozen=True)
class Given:
    """What the verifier holds besides the export.

    Args:
        trust: Whose checkpoints count.
        schemas: JSON Schema of each topic.
        known: Tree heads of the same log that were seen earlier.
        with_blobs: Whether the sealed values in the export are compared with their digests.
        keys: 256-bit keys by person, to open sealed values with.
    """

    trust: Trust
    schemas: Mapping[str, Schema]
    known: Sequence[TreeHead] = ()
    with_blobs: bool = False
    keys: Mapping[str, bytes] = field(default_factory=dict)


def verify(read: Read, given: Given) -> list[Finding]:
    """Return everything that is wrong with an export, by position; nothing if it holds."""
    note = read(CHECKPOINT)
    if note is None:
        return [Finding(0, "checkpoint", "missing")]
    try:
        head, _ = judge_across(given.trust, note, read(LOG_KEYS) or b"")
    except Wrong as wrong:
        return [wrong.at(0)]
    findings: list[Finding] = []
    entries = _parts(read, "tile/entries", 2, head.size, findings)
    leaves = [None if raw is None else leaf(raw) for raw in entries]
    findings += _check_tree(read, head, leaves)
    if None not in leaves:
        findings += _check_known(given.known, head, [one for one in leaves if one is not None])
    envelopes = _parts(read, "envelopes", 4, head.size, findings)
    history = _History(read, given, head.origin, _first_name(entries, head.origin))
    for index, (raw, envelope) in enumerate(zip(entries, envelopes, strict=True)):
        if raw is not None:
            findings += history.examine(index + 1, raw, envelope)
    if not findings and history.name != head.origin:
        findings.append(Finding(1, "entry", "of another log"))
    findings += history.lost()
    if not findings:
        whole = [one for one in leaves if one is not None]
        findings += history.keys.end(note, head.size, lambda size: tree_hash(whole[:size]))
    return sorted(set(findings))


def _parts(
    read: Read, stem: str, prefix: int, size: int, findings: list[Finding]
) -> list[bytes | None]:
    """Return the parts of all bundles by index; what is missing is None and a finding."""
    found: list[bytes | None] = []
    for start in range(0, size, WIDTH):
        width = min(WIDTH, size - start)
        try:
            parts = read_parts(read, f"{stem}/{numbered(start // WIDTH)}", prefix, width)
        except Wrong as wrong:
            findings.append(wrong.at(start + 1))
            found += [None] * width
            continue
        kind = "bundle" if prefix == 2 else "envelope"
        if len(parts) > width:
            findings.append(Finding(start + width + 1, kind, "more than the checkpoint covers"))
        if len(parts) < width:
            findings.append(Finding(start + len(parts) + 1, kind, "missing"))
        found += [*parts, *[None] * width][:width]
    return found


def _check_known(
    known: Sequence[TreeHead], head: TreeHead, leaves: Sequence[bytes]
) -> list[Finding]:
    findings = []
    for seen in known:
        if seen.size > head.size:
            findings.append(Finding(0, "checkpoint", "the log is shorter than it was"))
        elif tree_hash(leaves[: seen.size]) != seen.root:
            findings.append(Finding(0, "checkpoint", "the log does not extend what was seen"))
    return findings


def _check_tree(read: Read, head: TreeHead, leaves: Sequence[bytes | None]) -> list[Finding]:
    """Compare every hash of every tile, and the root, with what the entries give.

    A difference at an upper level that a difference below it explains is not told again.
    """
    findings: list[Finding] = []
    blamed = [at for at, one in enumerate(leaves) if one is None]
    for level, number, width in tile_widths(head.size):
        span = WIDTH**level
        try:
            stored = read_tile(read, level, number, width)
        except Wrong as wrong:
            findings.append(wrong.at(number * WIDTH * span + 1))
            continue
        if len(stored) < width:
            first = (number * WIDTH + len(stored)) * span
            findings.append(Finding(first + 1, "tile", "cut off"))
        for place_in_tile, hash_ in enumerate(stored):
            start = (number * WIDTH + place_in_tile) * span
            if any(start <= at < start + span for at in blamed):
                continue
            below = [one for one in leaves[start : start + span] if one is not None]
            if tree_hash(below) != hash_:
                blamed.append(start)
                kind = "tile" if level else "leaf"
                findings.append(Finding(start + 1, kind, f"differs at level {level}"))
    whole = [one for one in leaves if one is not None]
    if not findings and len(whole) == head.size and tree_hash(whole) != head.root:
        findings.append(Finding(0, "checkpoint", "the root differs"))
    return findings


def _first_name(entries: Sequence[bytes | None], otherwise: str) -> str:
    """Return the origin of position 1, where the next entry or a succession agrees with it."""
    found = []
    for raw in entries[:2]:
        try:
            found.append(Entry.parse(raw or b""))
        except Wrong:
            break
    if len(found) == 2 and found[1].origin == otherwise and found[1].topic != SUCCEEDED:
        return otherwise
    return found[0].origin if found else otherwise


class _History:
    """What the entries so far have said, and whether the next one fits."""

    def __init__(self, read: Read, given: Given, origin: str, name: str) -> None:
        self._read = read
        self._given = given
        self._origin = origin
        self.name = name
        self._adopted: dict[str, int] = {}
        self._authors = Authors()
        self.keys = LogKeys(name)
        self._versions: dict[str, int] = {}
        self._newest: datetime | None = None
        self._keys_used: set[tuple[str, str]] = set()

    def examine(self, position: int, raw: bytes, envelope: bytes | None) -> list[Finding]:
        """Return what is wrong with the next entry."""
        try:
            entry = Entry.parse(raw)
        except Wrong as wrong:
            return [wrong.at(position)]
        findings = []
        for check_it in (self._place, partial(self._content, position=position, envelope=envelope)):
            try:
                check_it(entry)
            except Wrong as wrong:
                findings.append(wrong.at(position))
        self._versions[entry.stream] = entry.version
        return findings

    def _content(self, entry: Entry, position: int, envelope: bytes | None) -> None:
        self._data(entry)
        self._author(entry, position, envelope)
        self._effect(entry)
        if entry.topic in (INTRODUCED, RETIRED):
            demand(self._authors.is_operator(entry.org), "log key", "not signed by the operator")
            self.keys.apply(entry, position)
        if entry.topic == SUCCEEDED:
            demand(self._authors.is_operator(entry.org), "log key", "not signed by the operator")
            self._succeed(entry, position)
        if self._given.with_blobs:
            self._blobs(entry, envelope)

    def _place(self, entry: Entry) -> None:
        newest = self._newest or entry.recorded_at
        self._newest = max(newest, entry.recorded_at)
        renames = entry.topic == SUCCEEDED
        demand(renames or entry.origin == self.name, "entry", "of another log")
        dense = entry.version == self._versions.get(entry.stream, 0) + 1
        demand(dense, "version", "not the next of its stream")
        demand(entry.recorded_at >= newest - SLACK, "time", "recorded before what stands before it")

    def _succeed(self, entry: Entry, position: int) -> None:
        """Docs/recovery.md: the first entry of a new origin names the one before it."""
        text, _ = signers(entry.data["checkpoint"].encode(), [])
        final = TreeHead.parse(text)
        old, adopted = entry.data["predecessor"], entry.data["adopted"]
        demand(old == self.name == final.origin, "log key", "not the name before it")
        fresh = entry.origin != old and entry.origin not in self._adopted
        demand(fresh, "log key", "the log had this name before")
        demand(adopted == position - 1, "log key", "it adopts another number of entries")
        missing = max(final.size - adopted, 0)
        demand(entry.data["lost"] == missing, "log key", "it has lost another number of entries")
        self._adopted[old] = adopted
        self.name = entry.origin
        self.keys = LogKeys(self.name)

    def lost(self) -> list[Finding]:
        """Return what is wrong with checkpoints under earlier names that were seen."""
        return [
            Finding(0, "checkpoint", "the log does not extend what was seen")
            for seen in self._given.known
            if seen.origin != self._origin and seen.size > self._adopted.get(seen.origin, -1)
        ]

    def _data(self, entry: Entry) -> None:
        schema = self._given.schemas.get(entry.topic)
        if schema is None:
            raise Wrong("data", "of an unknown topic")
        check(schema, entry.data)

    def _author(self, entry: Entry, position: int, envelope: bytes | None) -> None:
        public = self._authors.key(entry, position)
        if envelope is not None:
            statement = self._statement(entry, envelope, public)
            compare(statement, entry)
            used = (entry.org, statement["idempotency_key"])
            demand(used not in self._keys_used, "idempotency", "the key was used before")
            self._keys_used.add(used)
        self._authors.apply(entry, position)

    def _statement(self, entry: Entry, envelope: bytes, public: bytes) -> dict[str, Any]:
        digest = sha256(envelope).hexdigest()
        demand(digest == entry.envelope, "envelope", "not the one that the entry names")
        evidence = Evidence.parse(envelope)
        evidence.verify(public)
        return read_statement(evidence.payload)

    def _effect(self, entry: Entry) -> None:
        if not {"cause", "on_behalf_of"} & set(entry.derived):
            return
        demand(self._authors.is_platform(entry.org), "cause", "not signed by the platform")
        cause = entry.derived.get("cause")
        if cause is not None:
            # The entry's own version is not yet taken in: nothing is its own cause.
            reached = self._versions.get(cause["stream"], 0)
            demand(1 <= cause["version"] <= reached, "cause", "it does not stand before its effect")
            named = entry.data.get("correction", cause["stream"])
            demand(named == cause["stream"], "cause", "not the correction that the data name")

    def _blobs(self, entry: Entry, envelope: bytes | None) -> None:
        for subject, digest in entry.sealed.items():
            blob = self._read(f"blobs/{digest[:2]}/{digest}")
            if blob is None:  # erased
                continue
            demand(sha256(blob).hexdigest() == digest, "blob", "not the one that the entry names")
            key = self._given.keys.get(subject)
            if key is not None and envelope is not None:
                opening = Opening.parse(open_blob(key, place(entry, subject), blob))
                statement = read_statement(Evidence.parse(envelope).payload)
                committed = statement["commitments"].get(subject)
                demand(opening.commitment() == committed, "blob", "not what was committed to")
