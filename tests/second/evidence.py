"""What an author signed: a DSSE envelope, or one line of a batch, and the statement inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.second.entries import HEX32, UUID, Entry, counts_from, matches, members_of
from tests.second.findings import Wrong, demand
from tests.second.json_text import read, read_canonical
from tests.second.merkle9162 import ProofFailed, leaf, root_from_inclusion
from tests.second.notes import unbase64

EVENT_TYPE = "application/vnd.vaxledger.event+json"
BATCH_TYPE = "application/vnd.vaxledger.batch+json"
MOST_BYTES = 65_536
MOST_LINES = 65_536
MOST_SIGNATURES = 8


def keyid_of(public: bytes) -> str:
    """Return the ID of an author's key."""
    return sha256(public).hexdigest()


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return PAE of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True)
class Signed:
    """A DSSE envelope: signatures by key ID."""

    payload: bytes
    payload_type: str
    signatures: dict[str, bytes]

    @classmethod
    def of(cls, value: Any) -> "Signed":
        """Read the JSON of an envelope."""
        fields = members_of(value, {"payload", "payloadType", "signatures"}, "envelope")
        for name in ("payload", "payloadType"):
            demand(isinstance(fields[name], str), "envelope", f"{name} is no string")
        lines = fields["signatures"]
        demand(isinstance(lines, list), "envelope", "signatures are no list")
        demand(1 <= len(lines) <= MOST_SIGNATURES, "envelope", "none or too many signatures")
        signatures = {}
        for line in lines:
            members_of(line, {"keyid", "sig"}, "envelope")
            demand(matches(HEX32, line["keyid"]), "envelope", "not a key ID")
            demand(isinstance(line["sig"], str), "envelope", "not a signature")
            signatures[line["keyid"]] = unbase64(line["sig"], "envelope")
        demand(len(signatures) == len(lines), "envelope", "a key signs twice")
        demand(all(signatures.values()), "envelope", "an empty signature")
        return cls(unbase64(fields["payload"], "envelope"), fields["payloadType"], signatures)

    def verify(self, public: bytes) -> None:
        """Check the signature by a key."""
        signature = self.signatures.get(keyid_of(public))
        if signature is None:
            raise Wrong("envelope", "the key did not sign")
        message = pre_authentication(self.payload_type, self.payload)
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Wrong("envelope", "the signature does not verify") from None


@dataclass(frozen=True)
class Evidence:
    """The payload of one event, and how it hangs under a signature."""

    signed: Signed
    payload: bytes
    place: tuple[int, int, Sequence[bytes]] | None

    @classmethod
    def parse(cls, raw: bytes) -> "Evidence":
        """Read the stored bytes of an envelope or of a batch's line."""
        demand(len(raw) <= MOST_BYTES, "envelope", "too long")
        try:
            value = read_canonical(raw)
        except ValueError as reason:
            raise Wrong("envelope", str(reason)) from None
        if not isinstance(value, dict) or "envelope" not in value:
            signed = Signed.of(value)
            return cls(signed, signed.payload, None)
        fields = members_of(value, {"envelope", "index", "path", "payload", "size"}, "envelope")
        path = fields["path"]
        is_path = isinstance(path, list) and all(isinstance(item, str) for item in path)
        demand(is_path, "envelope", "not a path")
        demand(isinstance(fields["payload"], str), "envelope", "payload is no string")
        for name in ("index", "size"):
            demand(counts_from(fields[name], 0), "envelope", f"{name} is no count")
        hashes = [unbase64(item, "envelope") for item in path]
        payload = unbase64(fields["payload"], "envelope")
        return cls(
            Signed.of(fields["envelope"]), payload, (fields["index"], fields["size"], hashes)
        )

    def verify(self, public: bytes) -> None:
        """Check that a key signed the payload, alone or in its batch."""
        self.signed.verify(public)
        if self.place is None:
            demand(self.signed.payload_type == EVENT_TYPE, "envelope", "not an event")
            return
        demand(self.signed.payload_type == BATCH_TYPE, "envelope", "not a batch")
        root, size = _batch(self.signed.payload)
        index, own_size, path = self.place
        demand(size == own_size, "envelope", "of a batch of another size")
        try:
            found = root_from_inclusion(index, size, leaf(self.payload), path)
        except ProofFailed as reason:
            raise Wrong("envelope", str(reason)) from None
        demand(found.hex() == root, "envelope", "the line is not in the batch")


def _batch(payload: bytes) -> tuple[str, int]:
    try:
        value = read(payload)
    except ValueError as reason:
        raise Wrong("envelope", str(reason)) from None
    fields = members_of(value, {"root", "size"}, "envelope")
    demand(matches(HEX32, fields["root"]), "envelope", "not a root")
    is_size = counts_from(fields["size"], 1) and fields["size"] <= MOST_LINES
    demand(is_size, "envelope", "not a size")
    return fields["root"], fields["size"]


_STATEMENT = {
    "origin", "idempotency_key", "topic", "stream", "expected_version", "data", "commitments",
}  # fmt: skip


def read_statement(payload: bytes) -> dict[str, Any]:
    """Return the members of a statement; Wrong if the payload is none."""
    try:
        value = read(payload)
    except ValueError as reason:
        raise Wrong("statement", str(reason)) from None
    fields = members_of(value, _STATEMENT, "statement")
    demand(matches(UUID, fields["idempotency_key"]), "statement", "not an idempotency key")
    demand(counts_from(fields["expected_version"], 0), "statement", "not a version")
    commitments = fields["commitments"]
    demand(isinstance(commitments, dict), "statement", "commitments are no object")
    for subject, digest in commitments.items():
        is_one = matches(UUID, subject) and matches(HEX32, digest)
        demand(is_one, "statement", "not a commitment")
    return fields


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are one; Python calls 1 and true equal, JSON does not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def compare(statement: dict[str, Any], entry: Entry) -> None:
    """Check field by field that an entry says what its author signed."""
    for name in ("origin", "topic", "stream"):
        demand(statement[name] == getattr(entry, name), "statement", f"{name} differs")
    demand(statement["expected_version"] + 1 == entry.version, "statement", "version differs")
    clear = {name: value for name, value in entry.data.items() if name != "derived"}
    demand(same(statement["data"], clear), "statement", "data differ")
    subjects = set(statement["commitments"])
    demand(subjects == set(entry.sealed), "statement", "others are sealed than committed to")
