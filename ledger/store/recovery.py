"""Putting back what a restored database has lost, so that its log goes on under the same origin.

An old backup lies behind what was signed since. Copies of the log (an export, the feed) still have
the lost entries, and the newest signed checkpoint says which they were: first the whole tail is
read and must lead to the signed root, then it is written.

Crash points, each mended by running it again: entries are put back in the order of the log, each
transaction with what hangs on them, so what is there is a prefix of the signed log; tiles are
wider than the checkpoint at most, which nobody minds; the checkpoint is adopted in one transaction
with the last of them; the file outside stays as it was, or missing, until the very end.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Self

from ledger.entry import Entry
from ledger.frontier import Frontier
from ledger.store.connections import Connection, connect, let_go
from ledger.store.errors import RolledBack
from ledger.store.halting import halt, lift
from ledger.store.integration import LEADER_LOCK, ROLE, ROUND_ENTRIES
from ledger.store.lost import ClaimsOf, Copies, RequestOf, Survey, Terms
from ledger.store.outside import OutsideFile
from ledger.store.queries import load_queries
from ledger.store.recovery_errors import CopiesDiffer, OtherOrigin, PartsRunning, TailMissing
from ledger.store.refilling import put_back, put_claims_back
from ledger.store.succeeding import Successor
from ledger.store.surveying import Progress, Surveyor, verified
from ledger.store.transaction import open_connection
from ledger.store.tree import Cursor, grow, read_leaves

__all__ = ["Progress", "Recovery", "refuse_behind", "refuse_other_origin"]

_Old = tuple[int, bytes | None]
"""Size and note of a checkpoint that another takes the place of."""

_QUERIES = {**load_queries("integration.sql"), **load_queries("recovery.sql")}


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
            stack.callback(let_go, self._tree)
            if self._entries.execute(_QUERIES["appending"]).fetchone() != (0,):
                raise PartsRunning("A process that appends works on this log; stop it first.")
            self._surveyor = Surveyor(self._tree, self._terms, self._copies, self._request_of)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
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
        return self._surveyor.survey(progress)

    def survey_rest(self, progress: Progress = lambda _done, _size: None) -> tuple[Survey, bytes]:
        """Find out what can be had where not all can; see ``Surveyor.survey_rest``."""
        return self._surveyor.survey_rest(progress)

    def refill(self, survey: Survey, progress: Progress = lambda _done, _size: None) -> None:
        """Put the lost entries back, each with what copies have of it; raises as ``survey``.

        From here to the end of ``finish`` or ``succeed`` nobody else can append.
        """
        halt(self._tree, RolledBack(survey.entries, survey.signed))
        put_back(
            self._entries,
            self._surveyor.lost(survey.entries, survey.signed),
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
        signed = self._surveyor.verify(survey.note)

        def adopt(cursor: Cursor, frontier: Frontier, old: _Old) -> None:
            if frontier.root() != signed.root:
                raise CopiesDiffer(frontier.size)
            self._adopt(cursor, survey.note, signed.size, old, now)

        self._grow(signed.size, adopt, progress)
        # A crash before this leaves the file as it was: the next run finds nothing lost.
        self._let_in(survey.note, self._check_older(signed.size))

    def is_succeeded(self, successor: Successor) -> bool:
        """Whether the checkpoint is the successor's: all that is left is to write the file."""
        _, _, own = self._surveyor.standing()
        return own is not None and successor.has_signed(own)

    def succeed(
        self,
        successor: Successor,
        final: bytes,
        now: datetime,
        progress: Progress = lambda _done, _size: None,
    ) -> int:
        """Let the log go on under a new origin, which adopts the entries that are there.

        Its first entry is written, then its first checkpoint, in one transaction with the end of
        the old ones: what was kept of these is put aside, and nothing is published any more until
        an integrator publishes the new one. Each step is harmless when repeated.

        Args:
            successor: The new origin.
            final: The newest note of the old one that is known to be signed.
            now: By the clock.
            progress: Told how far the tree has grown.

        Returns:
            The position of the entry that says so.

        Raises:
            TamperFound: If the database is not what was appended.
            Forked: If the file outside is neither origin's.
        """
        entries, _, _ = self._surveyor.standing()
        halt(self._tree, RolledBack(entries, entries))
        if not self.is_succeeded(successor):
            size = self._log_succession(successor, final, now)

            def adopt(cursor: Cursor, frontier: Frontier, old: _Old) -> None:
                note = successor.sign(frontier, now)
                cursor.execute(_QUERIES["put_aside"], [self._terms.origin])
                self._adopt(cursor, note, frontier.size, old, now)

            self._grow(size, adopt, progress)
        # A crash before this leaves the old origin's file: the next run writes the new one.
        position, _, own = self._surveyor.standing()
        assert own is not None  # it was adopted
        self._let_in(own, partial(successor.check_replaced, self._surveyor.verify))
        return position

    def _log_succession(self, successor: Successor, final: bytes, now: datetime) -> int:
        """Write the first entry of the new origin, unless it is there; return the size with it."""
        with self._tree.cursor(binary=True) as cursor:
            row = cursor.execute(_QUERIES["newest_entry"]).fetchone()
        if row is None:
            raise TailMissing(1, self._surveyor.verify(final).size)
        size, known_at, raw = row
        if not successor.is_first(Entry.decode(raw)):
            write = successor.write(size + 1, max(now, known_at), final)
            put_back(self._entries, [write], lambda _done: None, self._at)
            size += 1
        return int(size)

    def _grow(
        self, size: int, adopt: Callable[[Cursor, Frontier, _Old], None], progress: Progress
    ) -> None:
        """Grow the tree, and adopt a checkpoint in one transaction with the last of it."""
        _, integrated, own = self._surveyor.standing()
        frontier = self._surveyor.frontier(integrated, own)
        while frontier.size < size:
            with self._tree.transaction(), self._tree.cursor(binary=True) as cursor:
                limit = min(ROUND_ENTRIES, size - frontier.size)
                leaves = read_leaves(cursor, frontier.size, limit)
                frontier = grow(cursor, frontier, leaves, self._at)
                if frontier.size == size:
                    adopt(cursor, frontier, (integrated, own))
            self._at("tiles put back")
            progress(frontier.size, size)

    def _let_in(self, note: bytes, check_present: Callable[[bytes], None]) -> None:
        """Write the file outside, then lift the mark."""
        self._outside.replace(note, check_present)
        self._at("recovered")
        lift(self._tree)
        self._at("writes let in")

    def _adopt(self, cursor: Cursor, note: bytes, size: int, old: _Old, now: datetime) -> None:
        parameters = {
            "size": size,
            "note": note,
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
            if self._surveyor.verify(present).size > size:
                raise PartsRunning("Somebody else has written the file meanwhile.")

        return check


def refuse_other_origin(url: str, origin: str) -> None:
    """Refuse a database whose log has another name.

    Raises:
        OtherOrigin: With the name that its newest entry stands under.
        psycopg.OperationalError: If the database cannot be reached.
    """
    with connect(url, ROLE) as connection, connection.cursor(binary=True) as cursor:
        row = cursor.execute(_QUERIES["newest_entry"]).fetchone()
    if row is not None and (found := Entry.decode(row[2]).origin) != origin:
        raise OtherOrigin(found)


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
    signed = verified(note, terms).size
    with connect(url, ROLE) as connection:
        row = connection.execute(_QUERIES["standing"]).fetchone()
        assert row is not None  # both tables have exactly one row
        if row[1] < signed:
            behind = RolledBack(row[1], signed)
            halt(connection, behind)
            raise behind
