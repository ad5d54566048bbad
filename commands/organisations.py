"""Writes about organisations: their registration, and the keys they sign with."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from commands.errors import KeyRefused
from commands.permissions import Scope
from commands.writing import Decision, Handler, Writing
from domain.organisation import Organisation
from ledger.envelope import check_public_key
from ledger.errors import LedgerError
from ledger.statement import possession_text


def register(writing: Writing) -> Decision:
    """Register an organisation: by its county CDC, else by the operator."""
    writing.check_new()
    fields, statement = writing.fields, writing.statement
    writing.permit(Scope(fields["division"], acting=writing.principal.organisation))
    check_possession(writing.services.platform.origin, statement.stream, fields)
    sealing, _ = writing.seal({})
    assert writing.principal.organisation is not None
    organisation = Organisation.register(
        statement.stream,
        registrar=writing.services.directory.organisation(writing.principal.organisation),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    return Decision(organisation, sealing)


def register_key(writing: Writing) -> Decision:
    """Register a further key, with proof of possession."""
    organisation = _target(writing)
    check_possession(writing.services.platform.origin, organisation.id, writing.fields)
    sealing, _ = writing.seal({})
    organisation.register_key(
        recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields
    )
    return Decision(organisation, sealing)


def revoke_key(writing: Writing) -> Decision:
    """Revoke a key: what it signs from now on is refused, in every process at once."""
    organisation = _target(writing)
    sealing, _ = writing.seal({})
    organisation.revoke_key(
        recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields
    )
    return Decision(organisation, sealing)


def _target(writing: Writing) -> Organisation:
    organisation = writing.target(Organisation)
    # Changing the own organisation: the cached copy is stale as soon as this is stored.
    writing.services.directory.forget(organisation.id)
    writing.permit(Scope(organisation.division, acting=organisation.id))
    return organisation


def check_possession(origin: str, organisation: UUID, fields: Mapping[str, Any]) -> None:
    """Check the key that a registration brings, if it brings one.

    Raises:
        KeyRefused: It is weak or malformed, or its proof of possession is none.
    """
    public_key, proof = fields.get("public_key"), fields.get("key_proof")
    if public_key is None or proof is None:
        return
    raw = bytes.fromhex(public_key)
    text = possession_text(origin, organisation, raw)
    try:
        check_public_key(raw)
        Ed25519PublicKey.from_public_bytes(raw).verify(bytes.fromhex(proof), text)
    except (LedgerError, InvalidSignature, ValueError) as error:
        raise KeyRefused from error


HANDLERS: Mapping[str, Handler] = {
    "organisation.registered.v1": register,
    "organisation.key-registered.v1": register_key,
    "organisation.key-revoked.v1": revoke_key,
}
