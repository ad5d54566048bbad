"""Who could sign what at which position: the register of keys, folded from the log itself.

Position 1 pins the operator's root key and is signed by it. Every other key enters through an
event that an entitled organisation signed with a key valid at that position, so each chain ends
at the root. A key is valid from the position after its registration up to its revocation; the
time that anybody claims plays no part.
"""

from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from client.errors import RefutedError
from domain.organisation import COUNTY_DIGITS, REGISTERED_BY_COUNTY_CDC, OrganisationKind
from ledger.ed25519 import check_public_key
from ledger.entry import Entry
from ledger.envelope import keyid_of
from ledger.errors import KeyMaterialError
from ledger.statement import possession_text

STEP = 6

REGISTERED = "organisation.registered.v1"
KEY_REGISTERED = "organisation.key-registered.v1"
KEY_REVOKED = "organisation.key-revoked.v1"
REGISTER = frozenset((REGISTERED, KEY_REGISTERED, KEY_REVOKED))
"""Topics that say who may sign."""


@dataclass(slots=True)
class _Key:
    public: bytes
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class _Organisation:
    kind: str
    division: str


class Authors:
    """The register as of the last entry that was taken.

    Attributes:
        public_keys: All that are or were registered, in their order.
    """

    def __init__(self) -> None:
        self.public_keys: list[bytes] = []
        self._organisations: dict[str, _Organisation] = {}
        self._keys: dict[tuple[str, str], _Key] = {}

    @property
    def sizes(self) -> tuple[int, int]:
        """How many organisations are registered, and how many keys are or were."""
        return len(self._organisations), len(self._keys)

    def is_platform(self, organisation: str) -> bool:
        """Tell whether the platform signs under this id."""
        found = self._organisations.get(organisation)
        return found is not None and found.kind == OrganisationKind.PLATFORM

    def is_operator(self, organisation: str) -> bool:
        """Tell whether the operator signs under this id."""
        found = self._organisations.get(organisation)
        return found is not None and found.kind == OrganisationKind.OPERATOR

    def public_key(self, position: int, org: str, keyid: str, entry: Entry | None) -> bytes:
        """Return the key that must have signed an entry.

        Args:
            position: Of the entry.
            org: The organisation that it names as its author.
            keyid: And the key.
            entry: The entry itself, needed at position 1.

        Raises:
            RefutedError: If the author has no such key, or not at this position.
        """
        if position == 1:
            assert entry is not None
            return _root_key(entry)
        key = self._keys.get((org, keyid))
        if key is None or key.since >= position:
            raise RefutedError(STEP, position, "key-unknown", keyid=keyid)
        if key.until is not None and key.until < position:
            raise RefutedError(STEP, position, "key-revoked", keyid=keyid, at=key.until)
        return key.public

    def take(self, position: int, entry: Entry) -> None:
        """Apply an entry whose signature holds; only those of organisations matter.

        Raises:
            RefutedError: If its author was not entitled to it, or a new key is not proven.
        """
        if entry.topic == REGISTERED:
            self._register(position, entry)
        elif entry.topic == KEY_REGISTERED:
            self._check_responsible(position, entry)
            self._add_key(position, entry)
        elif entry.topic == KEY_REVOKED:
            self._check_responsible(position, entry)
            self._revoke(position, entry)

    def remember(self) -> dict[str, Any]:
        """Return the register as a JSON object."""
        return {
            "organisations": {
                name: [one.kind, one.division] for name, one in self._organisations.items()
            },
            "keys": [
                [org, keyid, key.public.hex(), key.since, key.until]
                for (org, keyid), key in self._keys.items()
            ],
        }

    def recall(self, facts: dict[str, Any]) -> None:
        """Become the register that another was; raises KeyError, TypeError or ValueError."""
        self._organisations = {
            name: _Organisation(*one) for name, one in facts["organisations"].items()
        }
        self._keys = {
            (org, keyid): _Key(bytes.fromhex(public), since, until)
            for org, keyid, public, since, until in facts["keys"]
        }
        self.public_keys = [key.public for key in self._keys.values()]

    def _register(self, position: int, entry: Entry) -> None:
        kind, division = str(entry.data.get("kind")), str(entry.data.get("division"))
        if position > 1 and not self._may_register(entry.author.org, kind, division):
            raise RefutedError(STEP, position, "registrar-not-entitled", kind=kind)
        if str(entry.stream) in self._organisations:
            raise RefutedError(STEP, position, "registered-twice", stream=str(entry.stream))
        self._organisations[str(entry.stream)] = _Organisation(kind, division)
        if not entry.data.keys().isdisjoint(("public_key", "key_proof")):
            self._add_key(position, entry)

    def _may_register(self, author: str, kind: str, division: str) -> bool:
        registrar = self._organisations.get(author)
        if registrar is None or kind == OrganisationKind.OPERATOR:
            return False
        return registrar.kind == OrganisationKind.OPERATOR or (
            registrar.kind == OrganisationKind.COUNTY_CDC
            and kind in REGISTERED_BY_COUNTY_CDC
            and _is_same_county(registrar.division, division)
        )

    def _check_responsible(self, position: int, entry: Entry) -> None:
        """An organisation's keys are its own matter, its county CDC's, or the operator's."""
        own = self._organisations.get(str(entry.stream))
        author = self._organisations.get(entry.author.org)
        if own is None or author is None:
            raise RefutedError(STEP, position, "organisation-unknown", stream=str(entry.stream))
        if not (
            own is author
            or author.kind == OrganisationKind.OPERATOR
            or (
                author.kind == OrganisationKind.COUNTY_CDC
                and own.kind != OrganisationKind.OPERATOR
                and _is_same_county(author.division, own.division)
            )
        ):
            raise RefutedError(STEP, position, "registrar-not-entitled", stream=str(entry.stream))

    def _add_key(self, position: int, entry: Entry) -> None:
        public = _proven_key(position, entry)
        identity = (str(entry.stream), keyid_of(public))
        if identity in self._keys:
            raise RefutedError(STEP, position, "key-registered-twice", keyid=identity[1])
        self._keys[identity] = _Key(public, position)
        self.public_keys.append(public)

    def _revoke(self, position: int, entry: Entry) -> None:
        key = self._keys.get((str(entry.stream), str(entry.data.get("keyid"))))
        if key is None or key.until is not None:
            raise RefutedError(STEP, position, "key-unknown", keyid=entry.data.get("keyid"))
        key.until = position


def _root_key(entry: Entry) -> bytes:
    """Return the key that position 1 pins and is signed by."""
    if entry.topic != REGISTERED or entry.data.get("kind") != OrganisationKind.OPERATOR:
        raise RefutedError(STEP, 1, "no-root-key", topic=entry.topic)
    public = _public_key(1, entry.data)
    if (entry.author.org, entry.author.keyid) != (str(entry.stream), keyid_of(public)):
        raise RefutedError(STEP, 1, "root-key-not-self-signed")
    return public


def _proven_key(position: int, entry: Entry) -> bytes:
    """Return the new key of an entry, whose private half the organisation has shown to hold."""
    public = _public_key(position, entry.data)
    text = possession_text(entry.origin, entry.stream, public)
    try:
        proof = bytes.fromhex(str(entry.data.get("key_proof")))
        Ed25519PublicKey.from_public_bytes(public).verify(proof, text)
    except (ValueError, InvalidSignature) as error:
        raise RefutedError(STEP, position, "key-not-proven") from error
    return public


def _public_key(position: int, data: Any) -> bytes:
    if data.get("public_key") is None:
        raise RefutedError(STEP, position, "key-missing")
    try:
        public = bytes.fromhex(str(data.get("public_key")))
        check_public_key(public)
    except (ValueError, KeyMaterialError) as error:
        raise RefutedError(STEP, position, "key-weak", cause=str(error)) from error
    return public


def _is_same_county(one: str, other: str) -> bool:
    return one[:COUNTY_DIGITS] == other[:COUNTY_DIGITS]
