"""A log with its first entries on databases of its own, everything wired in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.migrate import migrate_all
from bootstrap.settings import Settings
from bootstrap.wiring import Parts, wire
from commands.genesis import open_log
from tests.conftest import Databases


@contextmanager
def founded(urls: Databases, data_dir: Path) -> Iterator[Parts]:
    """Found a log; its parts end with the block."""
    migrate_all(urls.log, urls.keys)
    settings = Settings(data_dir=data_dir, database_url=urls.log, keys_url=urls.keys)
    with wire(settings) as parts:
        open_log(parts.services, parts.founder)
        yield parts
