"""Destroying what opens sealed values: keys, indexes, and the sealed values themselves.

The log does not change: its entries name the digests of blobs that are gone, and verify as before.
"""

from collections.abc import Collection

from ledger.store.connections import connect
from ledger.store.queries import load_queries
from ledger.store.shred_list import Shred

KEYS_ROLE = "vaxledger_shred"
"""Role that destroys keys and index rows."""
BLOBS_ROLE = "vaxledger_erase"
"""Role that destroys blobs."""

_QUERIES = load_queries("shredding.sql")


def destroy_keys(keys_url: str, shreds: Collection[Shred]) -> int:
    """Destroy keys and index rows in one transaction; return how many keys were still there.

    Doing it again changes nothing. May raise ``psycopg.OperationalError``, like ``destroy_blobs``.
    """
    persons = [person for shred in shreds for person in shred.persons]
    streams = [stream for shred in shreds for stream in shred.streams]
    with connect(keys_url, KEYS_ROLE) as connection, connection.transaction():
        keys = connection.execute(_QUERIES["delete_keys"], [persons]).rowcount
        connection.execute(_QUERIES["delete_index"], [persons, streams])
    return keys


def destroy_blobs(database_url: str, shreds: Collection[Shred]) -> int:
    """Destroy the sealed values; return how many were still there."""
    persons = [person for shred in shreds for person in shred.persons]
    blobs = [bytes.fromhex(digest) for shred in shreds for digest in shred.blobs]
    with connect(database_url, BLOBS_ROLE) as connection:
        return connection.execute(_QUERIES["delete_blobs"], [persons, blobs]).rowcount
