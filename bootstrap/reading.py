"""What following the log takes: nothing that decides or writes."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.folders import kek_folder
from bootstrap.secrets import Secrets
from bootstrap.settings import Settings
from commands.vault import Vault
from ledger.store.connections import Pool, open_pool
from ledger.store.keys import ROLE as VAULT_ROLE
from ledger.store.keys import KeyStore
from ledger.store.reading import ROLE as READ_ROLE
from ledger.store.reading import LogReader

POOL_SIZE = 16
KEYS_POOL_SIZE = 16


@contextmanager
def open_log(settings: Settings) -> Iterator[Pool]:
    """Open the log for reading; closes it in the end."""
    assert settings.database_url is not None
    with open_pool(settings.database_url, READ_ROLE, size=POOL_SIZE) as pool:
        yield pool


@contextmanager
def open_vault(settings: Settings, kept: Secrets, reader: LogReader) -> Iterator[Vault]:
    """Open the keys of persons for what the reader reads; closes them in the end."""
    assert settings.keys_url is not None
    with open_pool(settings.keys_url, VAULT_ROLE, size=KEYS_POOL_SIZE) as pool:
        keys = KeyStore(pool, kek_folder(settings).load, kept.seeds["pepper"])
        yield Vault(keys, reader, settings.origin, secrets.token_bytes)
