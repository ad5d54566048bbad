"""The ground of a run: embedded servers in a directory that goes with it."""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, LOG_OWNER, EmbeddedPostgres


@dataclass
class Ground:
    """Servers that start when they are first asked for.

    Attributes:
        folder: Everything lies below it.
    """

    folder: Path
    _stack: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def postgres(self) -> EmbeddedPostgres:
        """A PostgreSQL with the settings of an installation: full durability."""
        server = EmbeddedPostgres.start(self.folder / "servers")
        self._stack.callback(_abandon, server)
        return server

    @cached_property
    def nats(self) -> EmbeddedNats:
        """A NATS that syncs each message before it acknowledges."""
        server = EmbeddedNats.start(self.folder / "servers")
        self._stack.callback(server.stop)
        return server

    def pair(self) -> tuple[str, str]:
        """Make an empty pair of databases and return the URLs of log and keys."""
        return self.database(LOG_OWNER), self.database(KEYS_OWNER)

    def database(self, owner: str = LOG_OWNER) -> str:
        """Make an empty database and return its URL as its owner's."""
        name = f"{owner}_{secrets.token_hex(4)}"
        make_database(self.postgres.superuser_url("postgres"), name, owner)
        return self.postgres.url(name, owner)

    def new_folder(self, name: str) -> Path:
        """Make a folder."""
        made = self.folder / f"{name}-{secrets.token_hex(4)}"
        made.mkdir(mode=0o700)
        return made

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()


def _abandon(server: EmbeddedPostgres) -> None:
    """End a server whose files go with it: a last checkpoint would write gigabytes for nobody."""
    if server.pid is not None:
        os.kill(server.pid, signal.SIGQUIT)
    server.stop()


def make_database(superuser_url: str, name: str, owner: str) -> None:
    """Make an empty database that belongs to a role."""
    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))


@contextmanager
def prepared() -> Iterator[Ground]:
    """Lend a ground; servers and files are gone afterwards, whatever happened."""
    # Not below a private home: PostgreSQL's account must be able to pass.
    folder = Path(tempfile.mkdtemp(prefix="vaxledger-bench-"))
    folder.chmod(0o711)
    ground = Ground(folder)
    try:
        yield ground
    finally:
        ground.close()
        shutil.rmtree(folder, ignore_errors=True)
