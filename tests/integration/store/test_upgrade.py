"""An upgrade under writers: every migration since the first is applied while appends go on."""

import threading

import psycopg

from bootstrap.migrate import MIGRATIONS, migrate_all
from ledger.store.errors import StoreError
from ledger.store.writer import Writer

WAIT = 60


class Appending(threading.Thread):
    """Appends one event after the other until it is told to stop."""

    def __init__(self, url, make_append):
        super().__init__()
        self.positions = []
        self.failure = None
        self._url, self._make = url, make_append
        self._grown, self._told = threading.Condition(), threading.Event()

    def run(self):
        writer = Writer(self._url)
        try:
            while not self._told.is_set():
                appended = writer.submit(self._make()).result(WAIT)
                with self._grown:
                    self.positions.append(appended.first_position)
                    self._grown.notify_all()
        except (StoreError, TimeoutError, psycopg.Error) as error:
            self.failure = error
        finally:
            writer.close()
            with self._grown:
                self._grown.notify_all()

    def some_more(self):
        """Wait until something that was submitted after this call has been stored."""
        with self._grown:
            enough = len(self.positions) + 2  # one may be on its way already
            done = self._grown.wait_for(lambda: self.failure or len(self.positions) >= enough, WAIT)
        assert done
        assert self.failure is None

    def end(self):
        self._told.set()
        self.join(WAIT)
        assert not self.is_alive()


def test_every_migration_since_the_first_is_applied_under_writers(fresh_database, make_append):
    urls = fresh_database()
    files = sorted(str(file.relative_to(MIGRATIONS)) for file in MIGRATIONS.glob("*/*.sql"))
    first = [name for name in files if name.startswith(("log/0001", "keys/0001"))]
    migrate_all(urls.log, urls.keys, only=first)
    appending = Appending(urls.log, make_append)
    appending.start()
    try:
        appending.some_more()
        for name in files:
            assert migrate_all(urls.log, urls.keys, only=[name]) == [name] * (name not in first)
            appending.some_more()
    finally:
        appending.end()
    assert migrate_all(urls.log, urls.keys) == []
    with psycopg.connect(urls.log) as connection:
        stored = connection.execute("SELECT position FROM ledger.entries ORDER BY 1").fetchall()
    assert [position for (position,) in stored] == appending.positions
    assert appending.positions == list(range(1, len(appending.positions) + 1))
