"""An organisation with its key, as it writes at the desk."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bootstrap.wiring import Parts
from client.signing import AuthorKey, Draft
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from ledger.jcs import parse


class Author:
    """An organisation.

    Args:
        parts: The running parts of the log that it writes to.
        key: What it signs with.
        principal: Who it is to the desk.
    """

    def __init__(self, parts: Parts, key: AuthorKey, principal: Principal) -> None:
        self.parts = parts
        self.key = key
        self.principal = principal

    def submit(self, draft: Draft) -> None:
        """Sign a draft and hand it in at the desk."""
        signed = self.key.sign(self.parts.settings.origin, draft)
        body = SignedBody.parse(parse(signed.body()))
        self.parts.desk.submit(body, self.principal, draft.idempotency_key)

    def admit(self, stream: UUID, organisation: Mapping[str, Any]) -> "Author":
        """Register an organisation with a fresh key, and return it.

        Args:
            stream: Its id.
            organisation: The clear fields of its registration but the key and its proof.
        """
        key = AuthorKey.from_seed(stream, secrets.token_bytes(32))
        data = {
            **organisation,
            "public_key": key.public.hex(),
            "key_proof": key.proof_of_possession(self.parts.settings.origin),
        }
        self.submit(Draft("organisation.registered.v1", stream, 0, data))
        name, role = str(organisation["name"]), Role(organisation["kind"])
        return Author(self.parts, key, Principal(name, role, stream, organisation["division"]))


def operator_of(parts: Parts) -> Author:
    """The operator with its root key."""
    kept = parts.secrets
    return Author(
        parts,
        AuthorKey(kept.operator, kept.root_key),
        Principal("operator", Role.OPERATOR, kept.operator, ""),
    )
