"""Inspecting the database of a log: every row against the entries, and these against the root.

Reads one snapshot as a role that can only read, so a running installation may be inspected. Each
table is read once, in the order of the log and beside it: memory holds one batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from ledger.checkpoint import verify_checkpoint
from ledger.entry import Entry
from ledger.errors import EntryError, LedgerError
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.note import Note, VerifierKey
from ledger.store.beside import Beside
from ledger.store.connections import Connection, connect
from ledger.store.finding import Finding
from ledger.store.queries import load_queries
from ledger.store.reading import ROLE
from ledger.succession import SUCCEEDED, Origins, SuccessionError
from ledger.tiles import TILE_WIDTH
from ledger.tower import Tower, find_difference, full_tile_root
from ledger.treehead import Checkpoint

_QUERIES = load_queries("fsck.sql")
_SETTINGS = {
    "application_name": "vaxledger-fsck",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "enable_seqscan": "on",  # everything is read
    # Everything at one moment, however long that takes and whatever else is compared meanwhile.
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


class Row(NamedTuple):
    """One row of the log, and what its bytes say."""

    position: int
    stream: UUID
    version: int
    known_at: datetime
    topic: str
    division: str
    leaf: bytes
    raw: bytes
    entry: Entry | None


class Standing(NamedTuple):
    """The head row and the checkpoint row."""

    size: int
    recorded_at: datetime
    signed: int
    note: bytes | None
    published: int
    published_note: bytes | None


class Snapshot:
    """The database as of one moment.

    Args:
        connection: Inside a transaction that is read-only and repeatable.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.standing = Standing._make(self.rows("standing")[0])

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a query of ``fsck.sql``."""
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(_QUERIES[query], parameters).fetchall()

    def stream(self, query: str) -> Iterator[Any]:
        """Yield the rows of a query, a batch at a time."""
        with psycopg.ServerCursor[Any](self._connection, query) as cursor:
            cursor.itersize = 4 * TILE_WIDTH
            yield from cursor.execute(_QUERIES[query], binary=True)

    def entries(self) -> Iterator[list[Row]]:
        """Yield the rows of the log, 256 at a time."""
        batch: list[Row] = []
        for row in self.stream("entries"):
            try:
                entry = Entry.decode(row[-1])
            except EntryError:
                entry = None
            batch.append(Row._make((*row, entry)))
            if len(batch) == TILE_WIDTH:
                yield batch
                batch = []
        if batch:
            yield batch

    def beside(self, query: str) -> Beside:
        """Return rows of another table, whose first column is a position, to be read along."""
        return Beside(self.stream(query))


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Take a snapshot of a log's database.

    Raises:
        psycopg.OperationalError: If it cannot be reached.
    """
    connection = connect(url, ROLE, **_SETTINGS)
    try:
        with connection.transaction():
            yield Snapshot(connection)
    finally:
        connection.close()


class Entries:
    """Rows of the log: dense, each hashed as its column says, and its columns as its bytes say."""

    def __init__(self, at: Snapshot, origin: str) -> None:
        self._standing = at.standing
        self._origins = Origins(_first_origin(at, origin))
        self._size = 0
        self._known_at: datetime | None = None

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows."""
        for row in batch:
            self._size += 1
            if row.position != self._size:
                yield Finding("entry-missing", self._size, {"next": row.position})
                self._size = row.position
            if leaf_hash(row.raw) != row.leaf:
                yield Finding("leaf-differs", row.position)
            yield from self._columns(row)

    def finish(self) -> Iterator[Finding]:
        """Compare the head."""
        if self._size != self._standing.size:
            yield Finding("head-differs", None, {"head": self._standing.size, "log": self._size})
        elif self._known_at is not None and self._known_at != self._standing.recorded_at:
            yield Finding("head-time-differs", self._size)

    def _columns(self, row: Row) -> Iterator[Finding]:
        entry = row.entry
        if entry is None:
            yield Finding("entry-malformed", row.position)
            return
        if entry.topic == SUCCEEDED:
            try:
                self._origins.take(row.position, entry.origin, entry.data)
            except SuccessionError as error:
                yield Finding("succession-differs", row.position, {"what": error.reason})
        newest = entry.recorded_at if self._known_at is None else self._known_at
        self._known_at = max(newest, entry.recorded_at)
        columns = {
            "origin": (self._origins.current, entry.origin),
            "stream": (row.stream, entry.stream),
            "version": (row.version, entry.version),
            "topic": (row.topic, entry.topic),
            "division": (row.division, entry.division),
            "known_at": (row.known_at, self._known_at),
        }
        for name, (stored, said) in columns.items():
            if stored != said:
                yield Finding("column-differs", row.position, {"column": name})


class Tree:
    """Tiles, checkpoints and the outside file, against the tree that the entries make.

    Args:
        at: The database.
        outside: The note in the file outside it, as read before the snapshot was taken.
        keys: Those that sign checkpoints now.
        origin: Name of the log.
    """

    def __init__(
        self, at: Snapshot, outside: bytes | None, keys: Sequence[VerifierKey], origin: str
    ) -> None:
        self._at = at
        self._outside = outside
        self._keys = keys
        self._origin = origin
        self._frontier = Frontier()
        self._tower = Tower(self._tile)
        self._heads = at.beside("checkpoints")
        self._signed: list[tuple[str, Checkpoint]] = []

    def start(self) -> Iterator[Finding]:
        """Judge the notes by themselves."""
        standing = self._at.standing
        notes = {"checkpoint": standing.note, "published": standing.published_note}
        for what, note in (notes | {"outside": self._outside}).items():
            if note is None:
                if standing.signed:
                    yield Finding("checkpoint-missing", None, {"what": what})
                continue
            try:
                head = verify_checkpoint(note, self._keys, self._origin)
            except LedgerError:
                yield Finding("checkpoint-not-signed", None, {"what": what})
                continue
            self._signed.append((what, head))
        sizes = {what: head.size for what, head in self._signed}
        if sizes.get("checkpoint", standing.signed) != standing.signed:
            yield Finding("checkpoint-differs", None, {"what": "checkpoint"})
        if sizes.get("published", standing.published) != standing.published:
            yield Finding("checkpoint-differs", None, {"what": "published"})
        if sizes.get("outside", 0) > standing.signed:
            facts = {"outside": sizes["outside"], "database": standing.signed}
            yield Finding("rolled-back", standing.size + 1, facts)

    def take(self, batch: Sequence[Row]) -> Iterator[Finding]:
        """Examine the next rows, 256 unless they are the last."""
        start, signed = self._frontier.size, self._at.standing.signed
        leaves = [leaf_hash(row.raw) for row in batch][: max(signed - start, 0)]
        if leaves:
            stored = self._tile(0, start // TILE_WIDTH)
            found = find_difference(_cut(stored, len(leaves)), leaves, len(leaves))
            if found is not None:
                yield Finding(found.reason, start + found.place + 1, {"level": 0})
            self._tower.take(full_tile_root(leaves))
        yield from self._grow(leaves)

    def finish(self) -> Iterator[Finding]:
        """Compare the right edge, and look for tiles of no tree."""
        self._tower.finish()
        if self._tower.first_wrong is not None:
            position, reason = self._tower.first_wrong
            yield Finding(reason, position, {"level": "1 or above"})
        for level, index in self._at.rows("tiles_beyond", [self._at.standing.signed]):
            yield Finding("tile-of-no-tree", None, {"level": level, "index": index})

    def _grow(self, leaves: Sequence[bytes]) -> Iterator[Finding]:
        """Append leaves, and compare the root at each size that was signed."""
        start = self._frontier.size
        end = start + len(leaves)
        heads = [(what, head) for what, head in self._signed if start < head.size <= end]
        for size, note in self._heads.up_to(end):
            try:
                head = Checkpoint.parse(Note.parse(note).text)
            except LedgerError:
                head = None
            if head is None or (head.size, head.origin) != (size, self._origin):
                yield Finding("checkpoint-differs", size, {"what": "kept"})
            else:
                heads.append(("kept", head))
        for what, head in sorted(heads, key=lambda one: one[1].size):
            self._frontier.extend(leaves[self._frontier.size - start : head.size - start])
            if self._frontier.root() != head.root:
                yield Finding("root-differs", head.size, {"what": what})
        self._frontier.extend(leaves[self._frontier.size - start :])

    def _tile(self, level: int, index: int) -> bytes | None:
        rows = self._at.rows("tile", [level, index])
        if not rows:
            return None
        width = (self._at.standing.signed >> 8 * level) - index * TILE_WIDTH
        return _cut(rows[0][0], min(width, TILE_WIDTH))


def _first_origin(at: Snapshot, origin: str) -> str:
    """Return the name that a log began under: the present one, unless an entry has changed it."""
    rows = at.rows("first_succession")
    try:
        return str(Entry.decode(rows[0][0]).data["predecessor"]) if rows else origin
    except (EntryError, KeyError):
        return origin


def _cut(tile: bytes | None, width: int) -> bytes | None:
    """Return a tile as wide as the tree has it: a row may be wider already."""
    return None if tile is None else tile[: 32 * width]
