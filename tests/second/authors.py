"""Who may sign at a position: organisations and keys from the root key down (DESIGN section 7)."""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.second.curve25519 import is_sound_key
from tests.second.entries import Entry
from tests.second.evidence import keyid_of
from tests.second.findings import Wrong, demand
from tests.second.json_text import write

REGISTERED = "organisation.registered.v1"
KEY_REGISTERED = "organisation.key-registered.v1"
KEY_REVOKED = "organisation.key-revoked.v1"
OF_THE_COUNTY = {"township", "clinic", "school"}
"""Kinds that the CDC of their county registers; the operator registers any but another operator."""


@dataclass
class Organisation:
    """What the log has said about an organisation so far.

    Attributes:
        keys: Public keys by key ID; None once revoked.
    """

    kind: str
    division: str
    keys: dict[str, bytes | None] = field(default_factory=dict)


class Authors:
    """The organisations of a log, entry by entry."""

    def __init__(self) -> None:
        self._known: dict[str, Organisation] = {}

    def key(self, entry: Entry, position: int) -> bytes:
        """Return the public key that signs an entry, if it may at that position.

        Raises:
            Wrong: If the key is unknown, revoked, or not the author's.
        """
        if position == 1:
            return self._root_key(entry)
        author = self._known.get(entry.org)
        if author is None:
            raise Wrong("author", "not a registered organisation")
        demand(entry.keyid in author.keys, "author", "not a key of the author")
        public = author.keys[entry.keyid]
        if public is None:
            raise Wrong("author", "the key was revoked before")
        return public

    def _root_key(self, entry: Entry) -> bytes:
        is_operator = entry.topic == REGISTERED and entry.data.get("kind") == "operator"
        demand(is_operator, "author", "the log does not open with its operator")
        demand(entry.org == entry.stream, "author", "the operator does not sign for itself")
        public = _public_key(entry)
        demand(keyid_of(public) == entry.keyid, "author", "the root key does not sign itself")
        return public

    def is_platform(self, organisation: str) -> bool:
        """Return whether an organisation is the platform."""
        known = self._known.get(organisation)
        return known is not None and known.kind == "platform"

    def is_operator(self, organisation: str) -> bool:
        """Return whether an organisation is the operator."""
        known = self._known.get(organisation)
        return known is not None and known.kind == "operator"

    def apply(self, entry: Entry, position: int) -> None:
        """Take in what an entry says of organisations; Wrong if its author may not say it."""
        if entry.topic == REGISTERED:
            self._register(entry, position)
        elif entry.topic == KEY_REGISTERED:
            self._add_key(self._existing(entry), entry)
        elif entry.topic == KEY_REVOKED:
            organisation = self._existing(entry)
            keyid = entry.data["keyid"]
            demand(organisation.keys.get(keyid) is not None, "key", "no such key to revoke")
            organisation.keys[keyid] = None

    def _register(self, entry: Entry, position: int) -> None:
        new = Organisation(entry.data["kind"], entry.data["division"])
        demand(entry.stream not in self._known, "author", "registered twice")
        demand(position == 1 or self._may_register(entry.org, new), "author", "may not register it")
        if "public_key" in entry.data or "key_proof" in entry.data:
            self._add_key(new, entry)
        self._known[entry.stream] = new

    def _existing(self, entry: Entry) -> Organisation:
        organisation = self._known.get(entry.stream)
        if organisation is None:
            raise Wrong("author", "not a registered organisation's stream")
        is_own = entry.org == entry.stream
        entitled = is_own or self._may_register(entry.org, organisation)
        demand(entitled, "author", "may not speak for the organisation")
        return organisation

    def _may_register(self, registrar: str, new: Organisation) -> bool:
        by = self._known.get(registrar)
        if by is None or new.kind == "operator":
            return False
        same_county = by.division[:6] == new.division[:6]
        by_county = by.kind == "county-cdc" and new.kind in OF_THE_COUNTY and same_county
        return by.kind == "operator" or by_county

    def _add_key(self, organisation: Organisation, entry: Entry) -> None:
        public = _public_key(entry)
        demand(keyid_of(public) not in organisation.keys, "key", "registered before")
        demand(is_sound_key(public), "key", "of low order or not canonical")
        statement = write(
            {"origin": entry.origin, "organisation": entry.stream, "public_key": public.hex()}
        )
        proof = bytes.fromhex(entry.data["key_proof"])
        demand(_verifies(public, proof, statement), "key", "its owner did not prove to have it")
        organisation.keys[keyid_of(public)] = public


def _verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public_key(entry: Entry) -> bytes:
    fields = entry.data.get("public_key"), entry.data.get("key_proof")
    if not all(isinstance(one, str) for one in fields):
        raise Wrong("key", "a key without its proof, or a proof without its key")
    try:
        public = bytes.fromhex(str(fields[0]))
    except ValueError:
        raise Wrong("key", "not hexadecimal") from None
    return public
