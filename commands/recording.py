"""The last step of a write: keys first, then everything else in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.services import Services
from commands.signed_body import SignedBody
from commands.writing import Decision, Effect
from domain.codec import encode
from domain.sealed import Fact
from ledger.statement import Statement
from ledger.store.append import Guard
from ledger.store.errors import KeyConflict
from ledger.store.journal import Write
from ledger.store.mapping import Signed


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where the first event of a write stands, and the bytes of its entry."""

    position: int
    entry: bytes
    replayed: bool


def record(
    services: Services,
    decision: Decision,
    *,
    key: UUID,
    request: bytes,
    signed: Signed,
    author: Guard | None = None,
) -> Recorded:
    """Store a decision.

    Args:
        services: The running parts.
        decision: What the handler decided; its aggregates carry their pending events.
        key: The author's idempotency key.
        request: SHA-256 of what the author signed.
        signed: The author's envelope.
        author: The author's organisation as its key was judged; as it stands for the platform,
            whose own key nobody judges.

    Raises:
        StoreError: a conflict, or the database does not answer.
    """
    # Keys and indexes are durable before any event that needs them. A crash here leaves a key
    # that seals nothing and an index to a record that does not exist: both harmless, and the
    # retry finds them.
    keep_keys(services, [decision])
    write = write_of(services, decision, key=key, request=request, signed=signed, author=author)
    aggregates = [decision.aggregate, *(effect.aggregate for effect in decision.effects)]
    saved = services.journal.save(*aggregates, write=write)
    assert saved.appended is not None, "a decision has at least one event"
    return Recorded(
        saved.appended.first_position, saved[0].notification.state, saved.appended.replayed
    )


def keep_keys(services: Services, decisions: Sequence[Decision]) -> None:
    """Store the keys of newcomers and the numbers by which they are found; both are durable then.

    Raises:
        StoreError: a conflict, or the database does not answer.
    """
    fresh: dict[UUID, bytes] = {}
    for who, key in (item for one in decisions for item in one.sealing.fresh.items()):
        if fresh.setdefault(who, key) != key:
            raise KeyConflict(who)
    services.vault.keys.commit(fresh, [(one.aggregate.id, one.indexes) for one in decisions])


def write_of(
    services: Services,
    decision: Decision,
    *,
    key: UUID,
    request: bytes,
    signed: Signed,
    author: Guard | None = None,
) -> Write:
    """What is stored beside the events of a decision; parameters as of `record`."""
    effects = [_signed_effect(services, effect, key) for effect in decision.effects]
    return Write(
        author=signed.org,
        key=key,
        request=request,
        signed=(signed, *effects),
        guards=(*decision.guards, author or services.directory.guard(signed.org)),
        claims=decision.claims,
        blobs=(
            *decision.sealing.blobs,
            *(blob for effect in decision.effects for blob in effect.blobs),
        ),
    )


def platform_signed(services: Services, statement: Statement) -> Signed:
    """The platform's signature over a statement of its own."""
    platform = services.platform
    return Signed(platform.organisation, platform.keyid, platform.envelope(statement))


def statement_of(
    services: Services, aggregate: BaseAggregate[UUID], effect: Effect, key: UUID
) -> Statement:
    """What the platform signs for the one pending event of an aggregate."""
    event = aggregate.pending_events[0]
    assert isinstance(event, Fact), "every event of the domain is a Fact"
    return services.platform.statement(
        key=key,
        topic=event.TOPIC,
        stream=event.originator_id,
        expected_version=event.originator_version - 1,
        data=encode(event),
        commitments=effect.commitments,
    )


def signed_of(body: SignedBody, organisation: UUID) -> Signed:
    """The author's signature over a write."""
    return Signed(organisation, body.keyid, body.evidence)


def request_digest(payload: bytes) -> bytes:
    """What an idempotency key stands for: SHA-256 of the signed payload."""
    return sha256(payload).digest()


def _signed_effect(services: Services, effect: Effect, key: UUID) -> Signed:
    return platform_signed(services, statement_of(services, effect.aggregate, effect, key))
