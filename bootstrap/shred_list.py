"""Carrying out what the log decided: destroying keys, indexes, copies and sealed values.

The event is the authority, and it is durable before anything is destroyed. Then, in this order:

1. the shred list, outside all databases, names what goes (fsync, rename, fsync of the folder);
2. keys and index rows go, in one transaction of the key database;
3. the rows of the projection with names go;
4. the sealed values go from the log's database.

Killed after 1, 2 or 3, whatever starts next finds the list and does the rest; killed before, the
custodian finds the event without its line. Each step may be repeated.
"""

from collections.abc import Callable, Collection
from contextlib import closing

from bootstrap.folders import OUTSIDE
from bootstrap.settings import Settings
from ledger.store.shred_list import Shred, ShredList
from ledger.store.shredding import destroy_blobs, destroy_keys
from projections import people
from projections.connection import PROJECT_PEOPLE, connect

_LIST = "shred-list"

Point = Callable[[str], None]
"""Called at named points, where tests make it fail."""


def shred_list(settings: Settings) -> ShredList:
    """The list of the installation, beside the checkpoint file."""
    return ShredList(settings.data_dir / OUTSIDE / _LIST)


def apply_shred_list(settings: Settings) -> int:
    """Destroy once more what was destroyed: before serving, whatever was restored meanwhile.

    Returns:
        How many keys a restored backup had brought back.

    Raises:
        ShredListUnreadable: The list is damaged.
        psycopg.OperationalError: A database cannot be reached.
    """
    shreds = shred_list(settings).read()
    return destroy(settings, shreds) if shreds else 0


def destroy(settings: Settings, shreds: Collection[Shred], at: Point = lambda _: None) -> int:
    """Destroy what belongs to these shreds, in the order above; return how many keys went.

    Raises:
        psycopg.OperationalError: A database cannot be reached.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    keys = destroy_keys(settings.keys_url, shreds)
    at("keys destroyed")
    persons = {person for shred in shreds for person in shred.persons}
    streams = {stream for shred in shreds for stream in shred.streams}
    with closing(connect(settings.keys_url, PROJECT_PEOPLE, people.NAME)) as connection:
        people.erase(connection, persons, streams)
    at("rows deleted")
    destroy_blobs(settings.database_url, shreds)
    at("blobs destroyed")
    return keys
