"""Verifying a dossier: what a log has about one record, in a file that proves itself offline."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from client.authors import REGISTER, Authors
from client.checking import ENTRY, ENVELOPE, check_evidence, read_entry
from client.errors import DossierError, RefutedError
from client.trust import Trust
from ledger.entry import Entry
from ledger.errors import LedgerError
from ledger.hashing import leaf_hash
from ledger.merkle import verify_inclusion
from ledger.proof import TlogProof
from ledger.treehead import Checkpoint

FORMAT = "vaxledger-dossier.v1"
PROOF, STREAM = 2, 4
_OWN = "vaccination-record."
_MERGED = "vaccination-record.merged.v1"


class ProvenEntry(NamedTuple):
    """An entry whose place in the log is proven; who signed it is not judged yet."""

    position: int
    entry: Entry
    envelope: bytes
    checkpoint: Checkpoint
    witnessed: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a dossier was found to prove.

    Attributes:
        record: About whom.
        origin: Name of the log.
        entries: The entries about the record, by position.
        streams: How many versions of each stream there are.
        authors: How many entries say who might sign.
        size: Leaves under the checkpoint.
        witnessed: Whether the policy's quorum of witnesses had cosigned it.
    """

    record: UUID
    origin: str
    entries: Mapping[int, Entry]
    streams: Mapping[UUID, int]
    authors: int
    size: int
    witnessed: bool


def read_dossier(raw: bytes, trust: Trust) -> Dossier:
    """Verify the file of a dossier; raises as ``verify_dossier``."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DossierError(cause=type(error).__name__) from error
    return verify_dossier(document, trust)


def verify_dossier(document: Mapping[str, Any], trust: Trust) -> Dossier:
    """Verify every proof, signature and key of a dossier.

    What it holds stands in the log, was signed by whom it says with a key valid then, and is the
    beginning of its streams without a gap. What came later, and streams that were left out, only a
    verification of the whole log would find.

    Args:
        document: The parsed file.
        trust: The log that the caller means.

    Raises:
        DossierError: If it is none, or of another log.
        RefutedError: With the first position that is wrong.
    """
    try:
        if document["format"] != FORMAT or document["origin"] != trust.origin:
            raise DossierError(format=document["format"], origin=document["origin"])
        record = UUID(document["record"])
        authors = [prove_entry(line, trust) for line in document["authors"]]
        entries = [prove_entry(line, trust) for line in document["entries"]]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DossierError(cause=type(error).__name__) from error
    _check_signatures([*authors, *entries])
    streams = _check_streams(record, entries)
    newest = max((one.checkpoint.size for one in entries), default=0)
    return Dossier(
        record,
        trust.origin,
        {one.position: one.entry for one in entries},
        streams,
        len(authors),
        newest,
        all(one.witnessed for one in (*authors, *entries)),
    )


def prove_entry(line: Mapping[str, Any], trust: Trust) -> ProvenEntry:
    """Verify that an entry stands where it says.

    Args:
        line: With `position`, `entry`, `envelope` and `proof`, the text of a `.tlog-proof`.
        trust: The log that the caller means.

    Raises:
        RefutedError: If it does not, or is no entry of this log.
        KeyError, TypeError, ValueError: If this is no such line.
    """
    position, raw = int(line["position"]), str(line["entry"]).encode()
    if line["envelope"] is None:
        raise RefutedError(ENVELOPE, position, "envelope-missing")
    try:
        proof = TlogProof.parse(str(line["proof"]).encode())
        judgement = trust.judge(proof.checkpoint)
        checkpoint = judgement.checkpoint
        leaf = leaf_hash(raw)
        verify_inclusion(position - 1, checkpoint.size, leaf, proof.hashes, checkpoint.root)
    except LedgerError as error:
        raise RefutedError(PROOF, position, "proof-invalid", cause=str(error)) from error
    entry = read_entry(position, raw, trust.origin)
    envelope = str(line["envelope"]).encode()
    return ProvenEntry(position, entry, envelope, checkpoint, judgement.witnessed)


def _check_signatures(items: Sequence[ProvenEntry]) -> None:
    """Fold the register of keys from the root on, and check each envelope in the log's order."""
    register = Authors()
    for item in sorted(items, key=lambda one: one.position):
        author = item.entry.author
        public = register.public_key(item.position, author.org, author.keyid, item.entry)
        check_evidence(item.position, item.entry, item.envelope, public)
        if item.entry.topic in REGISTER:
            register.take(item.position, item.entry)


def _check_streams(record: UUID, entries: Sequence[ProvenEntry]) -> dict[UUID, int]:
    """Every stream is about the record, and there from its first version on without a gap.

    A record that was merged into it is about the same person: the record's own entry says so.
    """
    records = {record} | {
        UUID(str(item.entry.data["duplicate"]))
        for item in entries
        if item.entry.stream == record and item.entry.topic == _MERGED
    }
    versions: dict[UUID, int] = {}
    for item in sorted(entries, key=lambda one: one.position):
        entry = item.entry
        expected = versions.get(entry.stream, 0) + 1
        if entry.version != expected:
            raise RefutedError(STREAM, item.position, "version-gap", expected=expected)
        if expected == 1 and not _is_about(records, entry):
            raise RefutedError(ENTRY, item.position, "another-record")
        versions[entry.stream] = expected
    return versions


def _is_about(records: AbstractSet[UUID], entry: Entry) -> bool:
    if entry.topic.startswith(_OWN):
        return entry.stream in records
    return entry.data.get("record") in {str(record) for record in records}
