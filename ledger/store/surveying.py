"""Finding out what a restored database has lost, and whether copies still have it.

Nothing is written here, and nothing that a copy says is believed: all of it must lead to a root
that was signed.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from ledger.checkpoint import Checkpoint, verify_checkpoint
from ledger.entry import Entry
from ledger.errors import EntryError, NoteError, VerificationError
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.log_keys import LogKeyError, LogKeys
from ledger.merkle import verify_growth
from ledger.store.connections import Connection
from ledger.store.errors import Forked
from ledger.store.integration import ROUND_ENTRIES
from ledger.store.lost import (
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
from ledger.store.recovery_errors import (
    CopiesDiffer,
    NothingSigned,
    SuccessionNotNeeded,
    TailMissing,
)
from ledger.store.signing import keys_at
from ledger.store.tree import read_leaves, stored_frontier, stored_tree

PAGE = 256

_QUERIES = load_queries("recovery.sql")

Progress = Callable[[int, int], None]
"""Told how many entries of how many a step has done."""


class Surveyor:
    """Compares a database, what was signed, and copies.

    Args:
        tree: Connection of the integrator's role.
        terms: What the log is known by.
        copies: Where lost entries are read from.
        request_of: Tells what an idempotency key stands for.
    """

    def __init__(
        self, tree: Connection, terms: Terms, copies: Copies, request_of: RequestOf
    ) -> None:
        self._tree = tree
        self._terms = terms
        self._outside = OutsideFile(terms.outside)
        self._copies = copies
        self._request_of = request_of

    def survey(self, progress: Progress, among: int | None = None) -> Survey:
        """Find out what is missing, and read all of it.

        Args:
            progress: Told how far it is.
            among: How many of the known checkpoints count, the smallest first; all by default.

        Raises:
            NothingSigned: If no checkpoint is known.
            Forked: If database and checkpoints tell two histories, or a checkpoint is not signed by
                the keys that the log names at its size.
            TamperFound: If the database is not what was appended.
            TailMissing: If copies do not reach up to the signed size.
            CopiesDiffer: If what they have does not lead to the signed root.
        """
        entries, integrated, own = self.standing()
        known = self._known(own)[:among]
        newest, note = known[-1]
        frontier = self.frontier(integrated, own)
        self._check_prefixes(frontier, [one for one, _ in known if one.size <= integrated])
        beyond = [one for one, _ in known if one.size > integrated]
        stored = min(entries, newest.size)
        self._check_stored(frontier, beyond, stored)
        with self._tree.cursor(binary=True) as cursor:
            keys = keys_at(cursor, self._terms.origin, stored)
        missing = self._check_lost(frontier, beyond, keys, progress)
        _check_signers(keys, known)
        return Survey(entries, integrated, newest.size, note, *missing)

    def survey_rest(self, progress: Progress) -> tuple[Survey, bytes]:
        """Find out how much can be had where not all can: up to a checkpoint, or nothing.

        Returns:
            What can be had, nothing lost where no copy leads to any further checkpoint; and the
            newest note that is known to be signed, which cannot be reached.

        Raises:
            SuccessionNotNeeded: If all of it can be had.
            NothingSigned, Forked, TamperFound: See ``survey``. That entries were appended to the
                restored database is none of these here.
        """
        entries, integrated, own = self.standing()
        known = self._known(own)
        self._check_prefixes(
            self.frontier(integrated, own), [one for one, _ in known if one.size <= integrated]
        )
        reached = [at for at, (one, _) in enumerate(known, 1) if one.size > integrated]
        for among in reversed(reached):
            try:
                found = self.survey(progress, among)
            except (TailMissing, CopiesDiffer):
                continue
            except Forked:  # behind the old checkpoint: what was appended since stays
                break
            if among == len(known):
                raise SuccessionNotNeeded
            return found, known[-1][1]
        if known[-1][0].size <= integrated:
            raise SuccessionNotNeeded
        return Survey(entries, integrated, entries, known[-1][1]), known[-1][1]

    def standing(self) -> tuple[int, int, bytes | None]:
        """Return how many entries there are, the size of the checkpoint, and its note."""
        with self._tree.cursor(binary=True) as cursor:
            row = cursor.execute(_QUERIES["standing"]).fetchone()
        assert row is not None  # both tables have exactly one row
        entries, size, note = row
        return entries, size, note

    def frontier(self, size: int, note: bytes | None) -> Frontier:
        """Return the right edge of the tree that the database's own checkpoint signs."""
        if note is None:
            return Frontier()
        checkpoint = self.verify(note)
        if checkpoint.size != size:
            raise Forked(size, "the checkpoint is of another size than its row says")
        with self._tree.cursor(binary=True) as cursor:
            return stored_frontier(cursor, size, checkpoint.root)

    def lost(self, after: int, last: int) -> Iterator[LostWrite]:
        """Read the submissions behind one size and up to another from the copies."""
        return group_writes(self._read(after, last), self._request_of)

    def verify(self, note: bytes) -> Checkpoint:
        """Return a checkpoint that this log has signed; raises Forked for any other."""
        return verified(note, self._terms)

    def _known(self, own: bytes | None) -> list[tuple[Checkpoint, bytes]]:
        """Return every checkpoint that is known to be signed, the newest last."""
        outside = self._outside.read()
        raw = [note for note in (*self._terms.notes, outside, own) if note is not None]
        known = [(self.verify(note), note) for note in dict.fromkeys(raw)]
        if not known:
            raise NothingSigned
        known.sort(key=lambda one: one[0].size)
        for (one, _), (other, _) in pairwise(known):
            if one.size == other.size and one.root != other.root:
                raise Forked(one.size, "two checkpoints of this size were signed")
        return known

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
        for write in self.lost(start, signed):
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
        _, integrated, _ = self.standing()
        with self._tree.cursor(binary=True) as cursor:
            own = read_leaves(cursor, integrated, entries - integrated)
        for start in range(0, len(own), PAGE):
            page = self._copies.read(integrated + start + 1, min(PAGE, len(own) - start))
            for leaf, lost in zip(own[start:], page, strict=False):
                if leaf_hash(lost.raw) != leaf:
                    reason = "an entry was appended after the database was restored"
                    return Forked(lost.position, reason)
        return CopiesDiffer(size)

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


def verified(note: bytes, terms: Terms) -> Checkpoint:
    """Return a checkpoint that a log has signed; raises Forked for any other."""
    try:
        return verify_checkpoint(note, terms.keys, terms.origin)
    except NoteError as error:
        raise Forked(0, f"a checkpoint is not signed by this log: {error}") from error


def _take_keys(keys: LogKeys, position: int, entry: Entry) -> None:
    try:
        keys.take_entry(position, entry)
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
