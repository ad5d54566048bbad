"""Registering, rotating and revoking the keys that organisations sign with, over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from client.errors import ProblemError
from client.http import Client
from client.receipt import Receipt
from client.signing import AuthorKey, Draft

REGISTERED = "organisation.key-registered.v1"
REVOKED = "organisation.key-revoked.v1"

_ATTEMPTS = 4
_PAGE = 10_000
_PRECONDITION_FAILED = 412


@dataclass(frozen=True, slots=True)
class NewKey:
    """What an organisation hands to whoever registers its key; nothing in it is secret.

    Attributes:
        organisation: Stream id of the organisation.
        public: The Ed25519 public key, 64 hex digits.
        proof: Its signature that proves possession, 128 hex digits.
    """

    organisation: UUID
    public: str
    proof: str

    @classmethod
    def of(cls, key: AuthorKey, origin: str) -> "NewKey":
        """Return what registers a key in a log."""
        return cls(key.organisation, key.public.hex(), key.proof_of_possession(origin))


def register_key(client: Client, new: NewKey) -> Receipt:
    """Register a key.

    The caller signs with another key of the organisation, its county CDC's or the operator's.

    Raises:
        ClientError: As ``Client.submit``.
    """
    data = {"public_key": new.public, "key_proof": new.proof}
    return _submit(client, "keys", REGISTERED, new.organisation, data)


def revoke_key(client: Client, organisation: UUID, keyid: str, reason: str) -> Receipt:
    """Revoke a key: what it signs from now on is refused everywhere, at once.

    Args:
        client: Signs with another key of the organisation, its county CDC's or the operator's, or
            with the very key.
        organisation: Whose key it is.
        keyid: SHA-256 of the public key, 64 hex digits.
        reason: ``lost``, ``compromised``, ``superseded`` or ``closed``.

    Raises:
        ClientError: As ``Client.submit``.
    """
    data = {"keyid": keyid, "reason": reason}
    return _submit(client, "revocations", REVOKED, organisation, data)


def rotate_key(old: Client, new: Client) -> Receipt:
    """Replace a key of an organisation by another one of its own.

    The old key signs the registration of the new one, and the new one the revocation of the old.
    After an interruption both are valid; the same call again finishes it.

    Args:
        old: Signs with the key that is valid now.
        new: Signs with the one that is to be.

    Returns:
        The receipt of the revocation.

    Raises:
        ClientError: As ``Client.submit``.
    """
    before, after = old.caller.key, new.caller.key
    if before is None or after is None:
        raise TypeError("Both callers sign.")
    try:
        register_key(old, NewKey.of(after, new.caller.trust.origin))
    except ProblemError as problem:
        if not str(problem.problem.get("type")).endswith("/key-already-registered"):
            raise
    return revoke_key(new, before.organisation, before.keyid, "superseded")


def entries_of_key(client: Client, keyid: str, after: int) -> Iterator[str]:
    """Yield what a key has signed after a position, as the server's lines of JSON, in order.

    Raises:
        ClientError: As ``Client.request``.
    """
    while True:
        query = f"after={after}&limit={_PAGE}"
        answer = client.request("GET", f"/v1/keys/{quote(keyid, safe='')}/entries?{query}")
        lines = answer.content.decode("utf-8").splitlines()
        yield from lines
        if len(lines) < _PAGE:
            return
        after = int(json.loads(lines[-1])["position"])


def _submit(
    client: Client, address: str, topic: str, organisation: UUID, data: dict[str, Any]
) -> Receipt:
    """Submit a write to the organisation's newest version, which the server tells."""
    path, version = f"/v1/organisations/{organisation}/{address}", 1
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return client.submit(path, Draft(topic, organisation, version, data))
        except ProblemError as problem:
            facts = problem.problem.get("facts")
            actual = facts.get("actual") if isinstance(facts, dict) else None
            if problem.status != _PRECONDITION_FAILED or attempt == _ATTEMPTS or not actual:
                raise
            version = int(actual)
    raise AssertionError
