"""One append transaction: lock the head, read the facts, decide, write the winners, commit."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import Any

import psycopg

from ledger.merkle import HASH_BYTES
from ledger.store.admission import ClaimKey, Decision, Earlier, Facts, admit
from ledger.store.append import Append, Appended, Claim
from ledger.store.connections import Connection, Row, connect
from ledger.store.queries import load_queries

ROLE = "vaxledger_append"

_QUERIES = load_queries("append.sql")
_SETTINGS = {
    "application_name": "vaxledger-writer",
    "default_transaction_isolation": "read committed",  # begin_append relies on it
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    # A process that froze while it held the head lock loses it, and its transaction.
    "idle_in_transaction_session_timeout": "5s",
}


def open_connection(url: str) -> Connection:
    """Open a connection for ``append_batch``.

    Raises:
        psycopg.OperationalError: If the server cannot be reached.
    """
    return connect(url, ROLE, **_SETTINGS)


def time_of_server(connection: Connection) -> datetime:
    """Return the server's clock.

    Raises:
        psycopg.OperationalError: If the server cannot be reached.
    """
    row = connection.execute(_QUERIES["time"]).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def append_batch(
    connection: Connection,
    batch: Sequence[Append],
    unpublished_limit: int,
    committing: Callable[[], None],
    at: Callable[[str], None] = lambda _: None,
) -> Decision:
    """Append those of a batch that may be, in one transaction.

    Args:
        connection: Of ``open_connection``.
        batch: Submissions in the order of their arrival.
        unpublished_limit: Entries that may wait for a checkpoint.
        committing: Called when everything is written and the commit is next.
        at: Called at named points, where tests make it fail.

    Raises:
        psycopg.Error: If the server refused or went away. Whether the batch was stored is unknown
            if ``committing`` had been called; running the batch again tells, by its idempotency
            keys, and stores nothing twice.
    """
    with connection.transaction() as transaction, connection.cursor(binary=True) as cursor:
        facts = _read_facts(cursor, batch)
        at("head locked")
        decision = admit(batch, facts, unpublished_limit)
        if not decision.winners:
            raise psycopg.Rollback(transaction)  # swallowed; nothing to make durable
        _write(cursor, facts, decision)
        at("batch written")
        committing()
        # A crash up to here leaves nothing: the server rolls back, and no position is burnt. A
        # crash from here on leaves all or nothing; the idempotency rows say which.
    at("batch committed")
    return decision


def _read_facts(cursor: psycopg.Cursor[Row], batch: Sequence[Append]) -> Facts:
    written = (event.stream for append in batch for event in append.events)
    guarded = (guard.stream for append in batch for guard in append.guards)
    streams = list(dict.fromkeys(chain(written, guarded)))
    identities = list(dict.fromkeys((append.author, append.key) for append in batch))
    claims = list(dict.fromkeys(map(_key, chain.from_iterable(one.claims for one in batch))))
    row = cursor.execute(
        _QUERIES["begin_append"],
        [
            streams,
            [author for author, _ in identities],
            [key for _, key in identities],
            [kind for kind, _ in claims],
            [key for _, key in claims],
        ],
        prepare=True,
    ).fetchone()
    assert row is not None  # a function with OUT parameters returns one row
    size, recorded_at, published, halted, versions, *earlier, owners = row
    return Facts(
        size,
        recorded_at,
        published,
        dict(zip(streams, versions, strict=True)),
        {
            identity: Earlier(request, Appended(first, count, _split(leaves)))
            for identity, request, first, count, leaves in zip(identities, *earlier, strict=True)
            if request is not None
        },
        {
            claim: owner
            for claim, owner in zip(claims, owners or (), strict=True)
            if owner is not None
        },
        halted,
    )


def _write(cursor: psycopg.Cursor[Row], facts: Facts, decision: Decision) -> None:
    winners = decision.winners
    events = [event for winner in winners for event in winner.append.events]
    # Offsets count from the old size: the function adds it.
    offsets = [winner.appended.first_position - facts.size for winner in winners]
    changed = decision.owners
    released = [key for key in changed if key in facts.owners]
    taken = {key: stream for key, stream in changed.items() if stream is not None}
    placed = _claim_offsets(decision, offsets)
    envelopes = list(
        dict.fromkeys(chain.from_iterable(winner.append.envelopes for winner in winners))
    )
    blobs = [
        (offset + blob.event_index, blob)
        for winner, offset in zip(winners, offsets, strict=True)
        for blob in winner.append.blobs
    ]
    parameters: list[Any] = [
        facts.size,
        decision.recorded_at,
        [event.stream for event in events],
        [event.version for event in events],
        [known_at for winner in winners for known_at in winner.known_at],
        [event.topic for event in events],
        [event.division for event in events],
        [event.leaf for event in events],
        [event.entry for event in events],
        [winner.append.author for winner in winners],
        [winner.append.key for winner in winners],
        [winner.append.request for winner in winners],
        offsets,
        [winner.appended.count for winner in winners],
        [kind for kind, _ in released],
        [key for _, key in released],
        [kind for kind, _ in taken],
        [key for _, key in taken],
        list(taken.values()),
        [placed[key] for key in taken],
        [sha256(envelope).digest() for envelope in envelopes],
        envelopes,
        [sha256(blob.blob).digest() for _, blob in blobs],
        [blob.subject for _, blob in blobs],
        [offset for offset, _ in blobs],
        [blob.blob for _, blob in blobs],
    ]
    cursor.execute(_QUERIES["finish_append"], parameters, prepare=True)


def _claim_offsets(decision: Decision, offsets: Sequence[int]) -> dict[ClaimKey, int]:
    """Return, for each claim, the offset of the submission that took it last."""
    return {
        _key(claim): offset
        for winner, offset in zip(decision.winners, offsets, strict=True)
        for claim in winner.append.claims
        if not claim.release
    }


def _key(claim: Claim) -> ClaimKey:
    return (claim.kind, claim.key)


def _split(leaves: bytes) -> tuple[bytes, ...]:
    return tuple(leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES))
