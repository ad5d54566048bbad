"""The write side and what follows it, whose parts can be let die, and replayed elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg

from bootstrap.folders import outside_path
from bootstrap.log_keys import log_signers
from bootstrap.views import Views
from bootstrap.wiring import Parts, publish_verifier_keys
from client.copying import LogCopy
from client.exported import ExportedEntries
from client.sources import FolderSource, StoreSource
from client.trust import Trust
from client.verify import Extent, verify_log
from ledger.store.integration import Integrator
from projections.loop import Projector
from projections.replaying import replay
from tests.integration.commands.conftest import County
from tests.leading import lead

VIEWS = ("records", "doses", "corrections")


class Death(NamedTuple):
    """Where a connection is ended by the server: what it had not committed is gone."""

    table: str
    event: str
    at_commit: bool = False


DEATHS = {
    "the writer, before its entries stand": Death("ledger.entries", "BEFORE INSERT"),
    "the writer, in its commit": Death("ledger.head", "AFTER UPDATE", at_commit=True),
    "the integrator, signing": Death("ledger.checkpoint", "BEFORE UPDATE OF note"),
    "the integrator, publishing": Death("ledger.checkpoint", "BEFORE UPDATE OF published"),
    "the projector, amid its rows": Death("views.doses", "BEFORE INSERT"),
    "the projector, amid its positions": Death("views.positions", "BEFORE UPDATE"),
}

_DEATH = """
CREATE SEQUENCE deaths;
CREATE FUNCTION die_once() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('public.deaths') = 1 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(60);  -- never slept: the first statement ends it
    END IF;
    RETURN NEW;
END $$;
"""


@dataclass
class House:
    """The write side, and what follows it.

    Attributes:
        county: Who writes.
        views: What is read.
        superuser: URL of the log database for whoever lets connections die.
        elsewhere: URL of another database, into which exports are replayed.
        export: Folder of the copy that is replayed.
    """

    county: County
    views: Views
    superuser: str
    elsewhere: str
    export: Path

    def __post_init__(self) -> None:
        self._start()
        with psycopg.connect(self.superuser) as database:
            database.execute(_DEATH)

    @property
    def parts(self) -> Parts:
        return self.county.parts

    def _start(self) -> None:
        given = self.parts.settings
        assert given.database_url
        assert given.keys_url
        outside = outside_path(given)
        outside.parent.mkdir(exist_ok=True)
        self._integrator = Integrator(given.database_url, log_signers(given), outside)
        lead(self._integrator)
        reader, vault = self.parts.reader, self.parts.vault
        self.projector = Projector(reader, given.database_url, given.keys_url, vault)

    def close(self) -> None:
        """End what follows."""
        self.projector.close()
        self._integrator.close()

    def follow(self) -> int:
        """Carry everything into the views, by those who take over from the dead; the position."""
        try:
            self._follow()
        except psycopg.OperationalError:
            self.close()
            self._start()
            self._follow()
        return self.county.head()

    def _follow(self) -> None:
        while self._integrator.round():
            pass
        self.projector.catch_up()

    @contextmanager
    def dying(self, where: str) -> Iterator[None]:
        """Let a connection die once in the block; it must."""
        table, event, at_commit = DEATHS[where]
        kind, late = ("CONSTRAINT", "INITIALLY DEFERRED") if at_commit else ("", "")
        with psycopg.connect(self.superuser, autocommit=True) as database:
            database.execute("ALTER SEQUENCE deaths RESTART")
            database.execute(
                f"CREATE {kind} TRIGGER dies {event} ON {table} {late}"
                " FOR EACH ROW EXECUTE FUNCTION die_once()"
            )
            try:
                yield
            finally:
                database.execute(f"DROP TRIGGER dies ON {table}")
            assert database.execute("SELECT is_called FROM deaths").fetchone() == (True,)

    def digests(self) -> Mapping[str, str]:
        """Of the live views."""
        return {name: self.projector.digest(name)[1] for name in VIEWS}

    def replayed(self) -> Mapping[str, str]:
        """The same, from an export alone, in another database."""
        publish_verifier_keys(self.parts)
        trust = Trust.load(self.parts.settings.data_dir / "log.vkey")
        LogCopy(self.export, trust).extend(StoreSource(self.parts.reader))
        source = FolderSource(self.export)
        checkpoint = verify_log(source, trust, Extent(envelopes=False, entries=False)).checkpoint
        exported = ExportedEntries(source, checkpoint)
        return replay(exported, checkpoint.size, self.elsewhere, VIEWS).digests
