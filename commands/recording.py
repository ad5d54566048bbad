"""The last step of a write: keys first, then everything else in one transaction."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.services import Services
from commands.writing import Decision, Effect
from domain.codec import encode
from domain.sealed import Fact
from ledger.statement import Statement
from ledger.store.append import Guard
from ledger.store.journal import Write
from ledger.store.mapping import Signed


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where the first event of a write stands, and the bytes of its entry."""

    position: int
    entry: bytes
    replayed: bool


def record(
    services: Services, decision: Decision, *, key: UUID, request: bytes, signed: Signed
) -> Recorded:
    """Store a decision.

    Args:
        services: The running parts.
        decision: What the handler decided; its aggregates carry their pending events.
        key: The author's idempotency key.
        request: SHA-256 of what the author signed.
        signed: The author's envelope.

    Raises:
        StoreError: a conflict, or the database does not answer.
    """
    # Keys and indexes are durable before any event that needs them. A crash here leaves a key
    # that seals nothing and an index to a record that does not exist: both harmless, and the
    # retry finds them.
    services.vault.keys.commit(decision.sealing.fresh)
    services.vault.keys.index(decision.aggregate.id, decision.indexes)
    effects = [_signed_effect(services, effect, key) for effect in decision.effects]
    write = Write(
        author=signed.org,
        key=key,
        request=request,
        signed=(signed, *effects),
        guards=(*decision.guards, _author_guard(services, signed.org, decision)),
        claims=decision.claims,
        blobs=(
            *decision.sealing.blobs,
            *(blob for effect in decision.effects for blob in effect.blobs),
        ),
    )
    aggregates = [decision.aggregate, *(effect.aggregate for effect in decision.effects)]
    saved = services.journal.save(*aggregates, write=write)
    assert saved.appended is not None, "a decision has at least one event"
    return Recorded(
        saved.appended.first_position, saved[0].notification.state, saved.appended.replayed
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


def request_digest(payload: bytes) -> bytes:
    """What an idempotency key stands for: SHA-256 of the signed payload."""
    return sha256(payload).digest()


def _signed_effect(services: Services, effect: Effect, key: UUID) -> Signed:
    return platform_signed(services, statement_of(services, effect.aggregate, effect, key))


def _author_guard(services: Services, author: UUID, decision: Decision) -> Guard:
    """A revocation wins at once, in every process: the author's organisation must not have moved.

    A write to the author's own organisation states its version by itself.
    """
    if decision.aggregate.id == author:
        return Guard(author, decision.aggregate.version - 1)
    return services.directory.guard(author)
