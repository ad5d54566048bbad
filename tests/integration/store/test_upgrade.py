"""An upgrade under writers: every migration since the first is applied while appends go on."""

import tarfile
import threading
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from bootstrap.backup import Folders, restore
from bootstrap.folders import kek_folder
from bootstrap.halting import refuse_halted
from bootstrap.migrate import MIGRATIONS, migrate_all, pending
from bootstrap.settings import Settings
from bootstrap.wiring import event_codec, wire
from commands.papers import register_key
from ledger.entry import Entry
from ledger.hashing import leaf_hash
from ledger.store.connections import open_pool
from ledger.store.errors import StoreError
from ledger.store.keys import ROLE, KeyStore
from ledger.store.mapping import EntryMapper
from ledger.store.writer import Writer
from projections.change import read_change
from projections.connection import READ, READ_PEOPLE
from projections.loop import LOG_PROJECTIONS, Projector

WAIT = 60
BACKUPS = Path(__file__).parents[2] / "golden" / "backups"


class Writing(threading.Thread):
    """Writes one thing after the other until it is told to stop.

    Args:
        write: Does it, and returns what was written.
    """

    def __init__(self, write):
        super().__init__()
        self.written = []
        self.failure = None
        self._write = write
        self._grown, self._told = threading.Condition(), threading.Event()

    def run(self):
        try:
            while not self._told.is_set():
                written = self._write()
                with self._grown:
                    self.written.append(written)
                    self._grown.notify_all()
        except (StoreError, TimeoutError, psycopg.Error) as error:
            self.failure = error
        finally:
            with self._grown:
                self._grown.notify_all()

    def some_more(self):
        """Wait until something that was begun after this call has been stored."""
        with self._grown:
            enough = len(self.written) + 2  # one may be on its way already
            done = self._grown.wait_for(lambda: self.failure or len(self.written) >= enough, WAIT)
        assert done
        assert self.failure is None

    def end(self):
        self._told.set()
        self.join(WAIT)
        assert not self.is_alive()


@contextmanager
def appending(url, make_append):
    """Appends to a log; what was written are positions."""
    with closing(Writer(url)) as writer:
        thread = Writing(lambda: writer.submit(make_append()).result(WAIT).first_position)
        thread.start()
        try:
            yield thread
        finally:
            thread.end()


@contextmanager
def meeting_people(settings):
    """Makes a key for one person after the other; what was written are their handles."""
    with open_pool(settings.keys_url, ROLE, size=2) as pool:
        keys = KeyStore(pool, kek_folder(settings).load, b"p" * 32)

        def meet():
            handle = uuid4()
            keys.commit(keys.prepare([handle]))
            return handle

        thread = Writing(meet)
        thread.start()
        try:
            yield thread
        finally:
            thread.end()


def rows(url, query, role=None):
    with psycopg.connect(url) as connection:
        if role is not None:
            connection.execute(f"SET ROLE {role}")
        return connection.execute(query).fetchall()


def test_every_migration_since_the_first_is_applied_under_writers(fresh_database, make_append):
    urls = fresh_database()
    files = sorted(str(file.relative_to(MIGRATIONS)) for file in MIGRATIONS.glob("*/*.sql"))
    first = [name for name in files if name.startswith(("log/0001", "keys/0001"))]
    migrate_all(urls.log, urls.keys, only=first)
    with appending(urls.log, make_append) as writer:
        writer.some_more()
        for name in files:
            assert migrate_all(urls.log, urls.keys, only=[name]) == [name] * (name not in first)
            writer.some_more()
    assert migrate_all(urls.log, urls.keys) == []
    stored = rows(urls.log, "SELECT position FROM ledger.entries ORDER BY 1")
    assert [position for (position,) in stored] == writer.written
    assert writer.written == list(range(1, len(writer.written) + 1))


@pytest.fixture(params=sorted(BACKUPS.glob("*.tar.xz")), ids=lambda path: path.name[:10])
def earlier(request, fresh_database, tmp_path):
    """An installation as an earlier commit left it, put back by this one; and its entries."""
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, filter="data")
    urls = fresh_database()
    settings = Settings(data_dir=tmp_path / "data", database_url=urls.log, keys_url=urls.keys)
    folders = Folders(tmp_path / "log", tmp_path / "keys", tmp_path / "secrets")
    assert restore(settings, folders) > 0
    refuse_halted(settings)  # all that was signed is there
    return settings, rows(urls.log, "SELECT position, entry FROM ledger.entries ORDER BY 1")


def test_an_earlier_backup_is_migrated_under_writers_and_its_events_are_read(earlier, make_append):
    settings, before = earlier
    log, keys = settings.database_url, settings.keys_url
    old_keys = rows(keys, "SELECT handle, wrapped FROM keys.people_keys ORDER BY 1")
    since = pending(log, keys)
    assert {"keys/0060_kek_since_expand.sql", "keys/0062_kek_since_contract.sql"} <= set(since)
    with appending(log, make_append) as writer, meeting_people(settings) as people:
        for name in since:
            writer.some_more()
            people.some_more()
            assert migrate_all(log, keys, only=[name]) == [name]
        writer.some_more()
        people.some_more()
    assert pending(log, keys) == []

    size = len(before)
    now = rows(log, "SELECT position, entry FROM ledger.entries ORDER BY 1")
    assert now[:size] == before
    assert [position for position, _ in now[size:]] == writer.written
    assert writer.written == list(range(size + 1, size + 1 + len(writer.written)))
    found = dict(rows(keys, "SELECT handle, wrapped FROM keys.people_keys"))
    assert found.keys() == {*people.written, *(handle for handle, _ in old_keys)}
    assert all(found[handle] == wrapped for handle, wrapped in old_keys)
    _check_reading(settings, size)
    _check_keks(settings)
    _check_papers(settings, size)


def _check_reading(settings, size):
    """Every old event is still an event of ours, opens, and is in the views."""
    with wire(settings) as parts:
        reader = parts.reader
        raws = [reader.recorded(position) for position in range(1, size + 1)]
        leaves = rows(settings.database_url, "SELECT leaf FROM ledger.entries ORDER BY position")
        assert [leaf_hash(raw) for raw in raws] == [leaf for (leaf,) in leaves[:size]]
        mapper = EntryMapper(settings.origin, event_codec())
        events = [mapper.from_entry(Entry.decode(raw)) for raw in raws]
        changes = [read_change(position, raw) for position, raw in enumerate(raws, 1)]
        found = [(event.originator_id, event.originator_version) for event in events]
        assert found == [(change.entry.stream, change.entry.version) for change in changes]
        opened = parts.vault.unseal(changes).values()
        assert Counter(values is None for values in opened)[False] > size / 2
        assert any(values is None for values in opened), "one child was shredded"
        projector = Projector(reader, settings.database_url, settings.keys_url, parts.vault)
        with closing(projector):
            for name in (*(one.name for one in LOG_PROJECTIONS), "people"):
                projector.rebuild(name)
    for schema, url, role in (
        ("views", settings.database_url, READ),
        ("people", settings.keys_url, READ_PEOPLE),
    ):
        assert rows(url, f"SELECT DISTINCT position FROM {schema}.positions", role) == [(size,)]
        assert rows(url, f"SELECT * FROM {schema}.parked", role) == []
    doses = rows(settings.database_url, "SELECT count(DISTINCT dose) FROM views.doses", READ)
    given = [one for one in changes if one.entry.topic.endswith(".dose-administered.v1")]
    assert doses == [(len(given),)]


def _check_keks(settings):
    """Backfilled from what was known, and never empty for who did not know the column."""
    found = rows(
        settings.keys_url,
        """SELECT k.number, k.since = max(older.closed_at), k.since = min(oldest.made_at)
           FROM keys.keks k LEFT JOIN keys.keks older ON older.number < k.number
           CROSS JOIN (SELECT min(made_at) AS made_at FROM keys.people_keys) oldest
           GROUP BY k.number, k.since ORDER BY 1""",
    )
    assert [row for row in found if not any(row[1:])] == []
    assert found[-1][:2] == (2, True), "rotated before it was backed up"
    newest = rows(settings.keys_url, "SELECT max(since) FROM keys.keks")
    assert newest == [(kek_folder(settings).newest_since(settings.keys_url),)]


def _check_papers(settings, size):
    """What schools keep holds a claim, although nobody took it when the paper was written."""
    with wire(settings) as parts:
        given = (read_change(n, parts.reader.recorded(n)) for n in range(1, size + 1))
        papers = {}
        for position, entry in given:
            if entry.topic == "enrolment.enrolled.v1":
                data = entry.data
                year = (str(data["entry_type"]), int(data["school_year"]))
                key = register_key(UUID(data["record"]), *year)
                papers.setdefault(key, (entry.stream, position))
    asked = "SELECT key, stream, position FROM ledger.claims WHERE kind = 'school-paper'"
    found = rows(settings.database_url, asked)
    assert {key: (stream, position) for key, stream, position in found} == papers
    assert papers
