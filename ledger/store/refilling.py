"""Writing lost entries back, as the writer once wrote them; what is decided is decided already."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from ledger.entry import Entry
from ledger.hashing import leaf_hash
from ledger.store.connections import Connection
from ledger.store.lost import ANY_KEY, Claims, ClaimsOf, Lost, LostWrite
from ledger.store.queries import load_queries
from ledger.store.recovery_errors import PartsRunning

WRITTEN_AT_ONCE = 1_000
"""Entries of a transaction, or of one submission where that has more."""
_CLAIMED_AT_ONCE = 256

_QUERIES = {**load_queries("append.sql"), **load_queries("recovery.sql")}


def put_back(
    connection: Connection,
    writes: Iterable[LostWrite],
    progress: Callable[[int], None],
    at: Callable[[str], None],
) -> None:
    """Append writes to the end of the log, each whole or not at all.

    Args:
        connection: Of ``transaction.open_connection``.
        writes: In the order of the log, the first one next to the log's end.
        progress: Told how many entries the log has after each transaction.
        at: Called at named points, where tests make it fail.

    Raises:
        PartsRunning: If somebody else appends.
    """
    waiting: list[LostWrite] = []
    count = 0
    for write in writes:
        waiting.append(write)
        count += len(write.entries)
        if count >= WRITTEN_AT_ONCE:
            progress(_append(connection, waiting, at))
            waiting, count = [], 0
    if waiting:
        progress(_append(connection, waiting, at))


def put_claims_back(
    connection: Connection,
    after: int,
    last: int,
    claims_of: ClaimsOf,
    at: Callable[[str], None],
) -> list[int]:
    """Take and release what entries took and released; harmless when it was done before.

    Args:
        connection: Of ``transaction.open_connection``.
        after: The entries behind this position ...
        last: ... up to this one.
        claims_of: Tells the claims of entries.
        at: Called at named points, where tests make it fail.

    Returns:
        Positions of entries whose claims cannot be told.
    """
    untold: list[int] = []
    for start in range(after, last, _CLAIMED_AT_ONCE):
        with connection.cursor(binary=True) as cursor:
            end = min(start + _CLAIMED_AT_ONCE, last)
            rows = cursor.execute(_QUERIES["entries_between"], [start, end]).fetchall()
            # Opening what is sealed takes longer than a transaction of this role may rest.
            claims, unknown = claims_of([(place, Entry.decode(raw)) for place, raw in rows])
            untold.extend(unknown)
            with connection.transaction():
                _claim(cursor, claims)
        at("claims put back")
    return untold


def claim_again(connection: Connection, positions: Iterable[int], claims_of: ClaimsOf) -> None:
    """Take what entries of an earlier release did not take yet; others may append meanwhile.

    Args:
        connection: Of ``transaction.open_connection``.
        positions: Entries that only take claims, of kinds that nobody releases.
        claims_of: Tells the claims of entries.
    """
    for position in positions:
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_QUERIES["entries_between"], [position - 1, position]).fetchall()
            claims, _ = claims_of([(place, Entry.decode(raw)) for place, raw in rows])
            with connection.transaction():
                cursor.execute(_QUERIES["locked_head"])  # nobody decides by claims now
                for _, claim in claims:
                    found = [claim.kind, claim.key, position]
                    cursor.execute(_QUERIES["leave_to_earlier"], found)
                _claim(cursor, claims)


def _claim(cursor: Any, claims: Claims) -> None:
    for position, claim in claims:
        parameters: list[Any] = [claim.kind, claim.key, claim.stream]
        if claim.release and claim.key == ANY_KEY:
            cursor.execute(_QUERIES["release_claims"], [claim.kind, claim.stream])
        elif claim.release:
            cursor.execute(_QUERIES["release_claim"], parameters)
        else:
            cursor.execute(_QUERIES["take_claim"], [*parameters, position])


def _append(connection: Connection, writes: Sequence[LostWrite], at: Callable[[str], None]) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        row = cursor.execute(_QUERIES["locked_head"]).fetchone()
        assert row is not None  # it has exactly one row
        size, recorded_at = row
        entries = [one for write in writes for one in write.entries]
        if size + 1 != entries[0][0].position:
            raise PartsRunning("Somebody else has appended meanwhile.")
        known_at = _running_maximum(recorded_at, [entry for _, entry in entries])
        cursor.execute(
            _QUERIES["finish_append"],
            [
                size,
                known_at[-1],
                *_entry_columns(entries, known_at),
                *_key_columns(writes, size),
                *([] for _ in range(6)),  # claims follow when all that is sealed is back
                *_envelope_columns(entries),
                *_blob_columns(entries, size),
            ],
        )
        at("entries written")
    # Durable here: the entries with their envelopes, keys and blobs. The next run goes on behind.
    at("entries put back")
    return int(size + len(entries))


def _running_maximum(newest: datetime, entries: Iterable[Entry]) -> list[datetime]:
    known_at = []
    for entry in entries:
        newest = max(newest, entry.recorded_at)
        known_at.append(newest)
    return known_at


def _entry_columns(
    entries: Sequence[tuple[Lost, Entry]], known_at: list[datetime]
) -> list[list[Any]]:
    return [
        [entry.stream for _, entry in entries],
        [entry.version for _, entry in entries],
        known_at,
        [entry.topic for _, entry in entries],
        [entry.division for _, entry in entries],
        [leaf_hash(lost.raw) for lost, _ in entries],
        [lost.raw for lost, _ in entries],
    ]


def _key_columns(writes: Sequence[LostWrite], size: int) -> list[list[Any]]:
    keyed = [(write.key, write.entries) for write in writes if write.key is not None]
    return [
        [author for (author, _, _), _ in keyed],
        [key for (_, key, _), _ in keyed],
        [request for (_, _, request), _ in keyed],
        [entries[0][0].position - size for _, entries in keyed],
        [len(entries) for _, entries in keyed],
    ]


def _envelope_columns(entries: Sequence[tuple[Lost, Entry]]) -> list[list[bytes]]:
    envelopes = list(dict.fromkeys(lost.envelope for lost, _ in entries if lost.envelope))
    return [[sha256(envelope).digest() for envelope in envelopes], envelopes]


def _blob_columns(entries: Sequence[tuple[Lost, Entry]], size: int) -> list[list[Any]]:
    blobs = [
        (bytes.fromhex(seal.sha256), UUID(seal.subject), lost.position - size, blob)
        for lost, entry in entries
        for seal in entry.sealed
        if (blob := lost.blobs.get(seal.sha256)) is not None
    ]
    return [list(column) for column in zip(*blobs, strict=True)] if blobs else [[], [], [], []]
