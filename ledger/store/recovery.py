"""Putting back what a restored database has lost, so that its log goes on under the same origin.

An old backup lies behind what was signed since. Copies of the log (an export, the feed) still have
the lost entries, and the newest signed checkpoint says which they were: first the whole tail is
read and must lead to the signed root, then it is written.

Crash points, each mended by running it again: entries are put back in the order of the log, each
transaction with what hangs on them, so what is there is a prefix of the signed log; tiles are
wider than the checkpoint at most, which nobody minds; the checkpoint is adopted in one transaction
with the last of them; the file outside stays as it was, or missing, until the very end.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from types import TracebackType
from typing import Self

from ledger.checkpoint import Checkpoint, verify_checkpoint
from ledger.entry import Entry
from ledger.errors import EntryError, NoteError, VerificationError
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.log_keys import LogKeyError, LogKeys
from ledger.merkle import verify_growth
from ledger.store.connections import Connection, connect
from ledger.store.errors import (
    CopiesDiffer,
    Forked,
    NothingSigned,
    PartsRunning,
    RolledBack,
    TailMissing,
)
from ledger.store.halting import halt, lift
from ledger.store.integration import LEADER_LOCK, ROLE, ROUND_ENTRIES
from ledger.store.lost import (
    ClaimsOf,
    Copies,
    Lost,
    LostWrite,
    RequestOf,
    Survey,
    Terms,
    group_writes,
)
from ledger.store.outside import OutsideFile
from ledger.store.queries import load_queries
from ledger.store.refilling import put_back, put_claims_back
from ledger.store.signing import keys_at
from ledger.store.transaction import open_connection
from ledger.store.tree import Cursor, grow, read_leaves, stored_frontier, stored_tree

PAGE = 256

_QUERIES = {**load_queries("integration.sql"), **load_queries("recovery.sql")}

Progress = Callable[[int, int], None]
"""Told how many entries of how many a step has done."""


class Recovery:
    """Recovers a log no part of which runs; a context manager that keeps the parts away.

    Args:
        url: Libpq URL of the log's database.
        terms: What the log is known by.
        copies: Where lost entries are read from.
        request_of: Tells what an idempotency key stands for.
        at: Called at named points, where tests make it fail.
    """

    def __init__(
        self,
        url: str,
        terms: Terms,
        copies: Copies,
        request_of: RequestOf,
        *,
        at: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._url = url
        self._terms = terms
        self._outside = OutsideFile(terms.outside, at)
        self._copies = copies
        self._request_of = request_of
        self._at = at
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Take the integrator's lead.

        Raises:
            PartsRunning: If an integrator or a writer is at work.
            psycopg.OperationalError: If the database cannot be reached.
        """
        with ExitStack() as stack:
            self._tree: Connection = stack.enter_context(connect(self._url, ROLE))
            self._entries: Connection = stack.enter_context(open_connection(self._url))
            if self._tree.execute(_QUERIES["lead"], [LEADER_LOCK]).fetchone() != (True,):
                raise PartsRunning("An integrator works on this log; stop it first.")
            if self._entries.execute(_QUERIES["appending"]).fetchone() != (0,):
                raise PartsRunning("A process that appends works on this log; stop it first.")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lead back."""
        self._stack.close()

    def survey(self, progress: Progress = lambda _done, _size: None) -> Survey:
        """Find out what is missing, and read all of it; nothing is written.

        Raises:
            NothingSigned: If no checkpoint is known.
            Forked: If database and checkpoints tell two histories, or a checkpoint is not signed by
                the keys that the log names at its size.
            TamperFound: If the database is not what was appended.
            TailMissing: If copies do not reach up to the signed size.
            CopiesDiffer: If what they have does not lead to the signed root.
        """
        entries, integrated, own = self._standing()
        known = self._known(own)
        newest, note = known[-1]
        frontier = self._frontier(integrated, own)
        self._check_prefixes(frontier, [one for one, _ in known if one.size <= integrated])
        beyond = [one for one, _ in known if one.size > integrated]
        stored = min(entries, newest.size)
        self._check_stored(frontier, beyond, stored)
        with self._tree.cursor(binary=True) as cursor:
            keys = keys_at(cursor, self._terms.origin, stored)
        missing = self._check_lost(frontier, beyond, keys, progress)
        _check_signers(keys, known)
        return Survey(entries, integrated, newest.size, note, *missing)

    def refill(self, survey: Survey, progress: Progress = lambda _done, _size: None) -> None:
        """Put the lost entries back, each with what copies have of it; raises as ``survey``.

        From here to the end of ``finish`` nobody else can append.
        """
        halt(self._tree, RolledBack(survey.entries, survey.signed))
        put_back(
            self._entries,
            self._lost(survey.entries, survey.signed),
            lambda done: progress(done, survey.signed),
            self._at,
        )

    def reclaim(self, survey: Survey, claims_of: ClaimsOf) -> list[int]:
        """Take and release what the entries behind the old checkpoint took and released.

        Returns:
            Positions of entries whose claims cannot be told: what was sealed there is missing.
        """
        span = (survey.integrated, survey.signed)
        return put_claims_back(self._entries, *span, claims_of, self._at)

    def finish(
        self, survey: Survey, now: datetime, progress: Progress = lambda _done, _size: None
    ) -> None:
        """Grow the tree to the signed size, adopt its checkpoint, write the file, lift the mark.

        Raises:
            TamperFound: If the tiles are not as they were written.
            CopiesDiffer: If the tree has not the signed root; nothing was adopted.
        """
        _, size, own = self._standing()
        frontier = self._frontier(size, own)
        signed = self._verify(survey.note)
        while frontier.size < signed.size:
            with self._tree.transaction(), self._tree.cursor(binary=True) as cursor:
                limit = min(ROUND_ENTRIES, signed.size - frontier.size)
                leaves = read_leaves(cursor, frontier.size, limit)
                frontier = grow(cursor, frontier, leaves, self._at)
                if frontier.size == signed.size:
                    if frontier.root() != signed.root:
                        raise CopiesDiffer(frontier.size)
                    self._adopt(cursor, survey, (size, own), now)
            self._at("tiles put back")
            progress(frontier.size, signed.size)
        # A crash before this leaves the file as it was: the next run finds nothing lost.
        self._outside.replace(survey.note, self._check_older(signed.size))
        self._at("recovered")
        lift(self._tree)
        self._at("writes let in")

    def _standing(self) -> tuple[int, int, bytes | None]:
        with self._tree.cursor(binary=True) as cursor:
            row = cursor.execute(_QUERIES["standing"]).fetchone()
        assert row is not None  # both tables have exactly one row
        entries, size, note = row
        return entries, size, note

    def _known(self, own: bytes | None) -> list[tuple[Checkpoint, bytes]]:
        """Return every checkpoint that is known to be signed, the newest last."""
        outside = self._outside.read()
        raw = [note for note in (*self._terms.notes, outside, own) if note is not None]
        known = [(self._verify(note), note) for note in dict.fromkeys(raw)]
        if not known:
            raise NothingSigned
        known.sort(key=lambda one: one[0].size)
        for (one, _), (other, _) in pairwise(known):
            if one.size == other.size and one.root != other.root:
                raise Forked(one.size, "two checkpoints of this size were signed")
        return known

    def _frontier(self, size: int, note: bytes | None) -> Frontier:
        """Return the right edge of the tree that the database's own checkpoint signs."""
        if note is None:
            return Frontier()
        checkpoint = self._verify(note)
        if checkpoint.size != size:
            raise Forked(size, "the checkpoint is of another size than its row says")
        with self._tree.cursor(binary=True) as cursor:
            return stored_frontier(cursor, size, checkpoint.root)

    def _check_prefixes(self, frontier: Frontier, known: Sequence[Checkpoint]) -> None:
        """The tree in the database extends every checkpoint up to its own size."""
        with self._tree.cursor(binary=True) as cursor:
            tree = stored_tree(cursor, frontier.size)
            for old in known:
                try:
                    proof = tree.consistency_proof(old.size)
                    verify_growth(old.size, frontier.size, proof, old.root, frontier.root())
                except VerificationError as error:
                    raise Forked(old.size, "the database has another tree") from error

    def _check_stored(self, frontier: Frontier, beyond: list[Checkpoint], last: int) -> None:
        """Take the entries that lie in the database behind its checkpoint."""
        with self._tree.cursor(binary=True) as cursor:
            while frontier.size < last:
                leaves = read_leaves(
                    cursor, frontier.size, min(ROUND_ENTRIES, last - frontier.size)
                )
                wrong = _extend(frontier, leaves, beyond)
                if wrong is not None:
                    raise Forked(wrong, "entries were appended after the database was restored")

    def _check_lost(
        self, frontier: Frontier, beyond: list[Checkpoint], keys: LogKeys, progress: Progress
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, str], ...]]:
        """Take what copies have up to the newest checkpoint; return what they lack.

        What the entries say of the log's keys is added to `keys`.
        """
        no_envelope: list[int] = []
        no_answer: list[int] = []
        no_blob: list[tuple[int, str]] = []
        start, signed = frontier.size, beyond[-1].size if beyond else 0
        for write in self._lost(start, signed):
            if write.key is None:
                no_answer.append(write.entries[0][0].position)
            for lost, entry in write.entries:
                _take_keys(keys, lost.position, entry)
                if lost.envelope is None:
                    no_envelope.append(lost.position)
                named = (seal.sha256 for seal in entry.sealed)
                no_blob.extend((lost.position, one) for one in named if one not in lost.blobs)
            wrong = _extend(frontier, [leaf_hash(lost.raw) for lost, _ in write.entries], beyond)
            if wrong is not None:
                raise self._differing(start, wrong)
            progress(frontier.size, signed)
        return tuple(no_envelope), tuple(no_answer), tuple(no_blob)

    def _differing(self, entries: int, size: int) -> Forked | CopiesDiffer:
        """Say whose fault it is that the tree of some size has not the signed root."""
        _, integrated, _ = self._standing()
        with self._tree.cursor(binary=True) as cursor:
            own = read_leaves(cursor, integrated, entries - integrated)
        for start in range(0, len(own), PAGE):
            page = self._copies.read(integrated + start + 1, min(PAGE, len(own) - start))
            for leaf, lost in zip(own[start:], page, strict=False):
                if leaf_hash(lost.raw) != leaf:
                    reason = "an entry was appended after the database was restored"
                    return Forked(lost.position, reason)
        return CopiesDiffer(size)

    def _lost(self, after: int, last: int) -> Iterator[LostWrite]:
        return group_writes(self._read(after, last), self._request_of)

    def _read(self, after: int, last: int) -> Iterator[tuple[Lost, Entry]]:
        """Read entries from the copies, page by page."""
        while after < last:
            page = self._copies.read(after + 1, min(PAGE, last - after))
            if not page:
                raise TailMissing(after + 1, last)
            for position, lost in enumerate(page, after + 1):
                try:
                    entry = Entry.decode(lost.raw)
                except EntryError as error:
                    raise CopiesDiffer(position) from error
                if lost.position != position or entry.origin != self._terms.origin:
                    raise CopiesDiffer(position)
                yield lost.sound(entry), entry
            after += len(page)

    def _adopt(
        self, cursor: Cursor, survey: Survey, old: tuple[int, bytes | None], now: datetime
    ) -> None:
        parameters = {
            "size": survey.signed,
            "note": survey.note,
            "old_size": old[0],
            "old_note": old[1],
            "made_at": now,
        }
        if cursor.execute(_QUERIES["swap"], parameters).rowcount != 1:
            raise PartsRunning("Somebody else has changed the checkpoint meanwhile.")
        cursor.execute(_QUERIES["keep_one_a_minute"], parameters)
        self._at("checkpoint adopted")

    def _check_older(self, size: int) -> Callable[[bytes], None]:
        def check(present: bytes) -> None:
            if self._verify(present).size > size:
                raise PartsRunning("Somebody else has written the file meanwhile.")

        return check

    def _verify(self, note: bytes) -> Checkpoint:
        return _verified(note, self._terms)


def refuse_behind(url: str, terms: Terms) -> None:
    """Refuse a database that lies behind the file outside it, before anything is appended to it.

    Raises:
        RolledBack: If it does; it is marked, and nobody can append to it.
        Forked: If the file is not signed by this log.
        psycopg.OperationalError: If the database cannot be reached.
    """
    note = OutsideFile(terms.outside).read()
    if note is None:
        return
    signed = _verified(note, terms).size
    with connect(url, ROLE) as connection:
        row = connection.execute(_QUERIES["standing"]).fetchone()
        assert row is not None  # both tables have exactly one row
        if row[1] < signed:
            behind = RolledBack(row[1], signed)
            halt(connection, behind)
            raise behind


def _verified(note: bytes, terms: Terms) -> Checkpoint:
    try:
        return verify_checkpoint(note, terms.keys, terms.origin)
    except NoteError as error:
        raise Forked(0, f"a checkpoint is not signed by this log: {error}") from error


def _take_keys(keys: LogKeys, position: int, entry: Entry) -> None:
    try:
        keys.take(position, entry.topic, entry.stream, entry.data)
    except LogKeyError as error:
        raise CopiesDiffer(position) from error


def _check_signers(keys: LogKeys, known: Sequence[tuple[Checkpoint, bytes]]) -> None:
    """Every checkpoint is signed by a pair that signed at its size: a retired one may be stolen."""
    for checkpoint, note in known:
        try:
            keys.check_signed(note)
        except LogKeyError as error:
            raise Forked(checkpoint.size, "a checkpoint is signed by a retired key") from error


def _extend(frontier: Frontier, leaves: Sequence[bytes], beyond: list[Checkpoint]) -> int | None:
    """Append leaves; return the first signed size at which the root is another one."""
    start = frontier.size
    for known in [one for one in beyond if start < one.size <= start + len(leaves)]:
        frontier.extend(leaves[frontier.size - start : known.size - start])
        if frontier.root() != known.root:
            return known.size
    frontier.extend(leaves[frontier.size - start :])
    return None
