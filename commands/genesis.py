"""The first entries of a log: the operator, whose root key they pin, the platform, and a plan's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commands.organisations import check_possession
from commands.recording import request_digest
from commands.services import Services
from domain.codec import statement_fields
from domain.organisation import Organisation
from ledger.envelope import keyid_of, sign_payload
from ledger.statement import Statement, possession_text
from ledger.store.journal import Write
from ledger.store.mapping import Signed


@dataclass(frozen=True, slots=True)
class Founder:
    """The operator: its stream, its root key, and what it is called."""

    organisation: UUID
    root_key: Ed25519PrivateKey
    name: str
    division: str


def open_log(services: Services, founder: Founder) -> None:
    """Write the first two entries unless they are there; safe to call at every start.

    Two processes may do it at once: the idempotency key of each entry is its stream's id and the
    signed statement is the same, so the second finds the first's answer.
    """
    platform = services.platform
    operator = operator_fields(founder, platform.origin)
    _register(services, founder, founder.organisation, operator, registrar=None)
    own = _with_key(
        platform.origin,
        platform.organisation,
        platform.key,
        {"name": "vaxledger", "kind": "platform", "division": founder.division},
    )
    registrar = services.directory.organisation(founder.organisation)
    _register(services, founder, platform.organisation, own, registrar=registrar)


def is_open(services: Services) -> bool:
    """Whether both entries are there."""
    return bool(services.reader.stream(services.platform.organisation))


def decide_first(
    origin: str,
    stream: UUID,
    data: Mapping[str, Any],
    registrar: Organisation | None,
    recorded_at: datetime,
) -> Organisation:
    """Decide about a registration of the first ones as it will be decided, and make nothing.

    Args:
        origin: Name of the log.
        stream: The organisation's id.
        data: Members of `organisation.registered.v1`.
        registrar: The operator; None for itself.
        recorded_at: Our clock.

    Raises:
        DomainError: Its form or a rule.
        KeyRefused: Its proof of possession is none.
    """
    fields = statement_fields(Organisation.Registered, dict(data))
    check_possession(origin, stream, fields)
    return Organisation.register(stream, registrar=registrar, recorded_at=recorded_at, **fields)


def operator_fields(founder: Founder, origin: str) -> dict[str, Any]:
    """The members of the operator's own registration, with the root key's proof."""
    what = {"name": founder.name, "kind": "operator", "division": founder.division}
    return _with_key(origin, founder.organisation, founder.root_key, what)


def _with_key(
    origin: str, organisation: UUID, key: Ed25519PrivateKey, what: Mapping[str, str]
) -> dict[str, Any]:
    public = key.public_key().public_bytes_raw()
    proof = key.sign(possession_text(origin, organisation, public)).hex()
    return {**what, "public_key": public.hex(), "key_proof": proof}


def _register(
    services: Services,
    founder: Founder,
    stream: UUID,
    data: dict[str, Any],
    *,
    registrar: Organisation | None,
) -> None:
    if services.reader.stream(stream):
        return
    topic = Organisation.Registered.TOPIC
    statement = Statement(services.platform.origin, stream, topic, stream, 0, data, {})
    payload = statement.encode()
    organisation = Organisation.register(
        stream,
        registrar=registrar,
        recorded_at=services.clock(),
        **statement_fields(Organisation.Registered, data),
    )
    keyid = keyid_of(founder.root_key.public_key().public_bytes_raw())
    envelope = sign_payload(payload, founder.root_key).encode()
    services.journal.save(
        organisation,
        write=Write(
            author=founder.organisation,
            key=stream,
            request=request_digest(payload),
            signed=(Signed(founder.organisation, keyid, envelope),),
        ),
    )
