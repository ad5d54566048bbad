"""The integrator: committed entries become tiles and a signed checkpoint, never back, never forked.

Each round takes what was appended during the last one. In one transaction: entries re-read,
re-hashed and compared; tiles written, read back and compared; the root recomputed from them and
signed; the checkpoint swapped. After it: the checkpoint to a file outside the database, and only
then published. At every point a crash leaves one of two states, which the next start tells apart.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import structlog

from ledger.checkpoint import Checkpoint
from ledger.errors import VerificationError
from ledger.frontier import Frontier
from ledger.log_keys import LogKeys
from ledger.merkle import verify_growth
from ledger.store.connections import Connection, connect, let_go
from ledger.store.errors import (
    Forked,
    LeadLost,
    LogHalted,
    OutsideFileMissing,
    RolledBack,
    SigningKeyMissing,
)
from ledger.store.halting import halt
from ledger.store.listening import APPENDED, LOOK_SECONDS, await_notice
from ledger.store.outside import OutsideFile
from ledger.store.queries import load_queries
from ledger.store.signing import CheckpointSigner, Kept, keys_at, keys_grown
from ledger.store.tree import Cursor, grow, read_leaves, stored_frontier, stored_tree

ROLE = "vaxledger_integrate"
ROUND_ENTRIES = 4_096

LEADER_LOCK = 0x7661786C_696E7467  # "vaxlintg", for one database
_PAUSE_SECONDS = 0.2
_LONGEST_REST_SECONDS = 0.05
_QUERIES = load_queries("integration.sql")
_SETTINGS = {
    "application_name": "vaxledger-integrator",
    "default_transaction_isolation": "read committed",
    "lock_timeout": "5s",
    "statement_timeout": "30s",
}
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Signed:
    """The newest checkpoint in the database, the right edge of its tree, and the log's keys."""

    note: bytes
    frontier: Frontier
    keys: LogKeys


class Integrator:
    """Integrates a log. Any number may run, one leads.

    Args:
        url: Libpq URL of the log's database.
        kept: Reads the log's pairs of secret keys, the founding one first.
        outside: File outside the database that holds the newest checkpoint.
        clock: Tells the time; aware.
        at: Called at named points, where tests make it fail.
    """

    def __init__(
        self,
        url: str,
        kept: Kept,
        outside: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        at: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._url = url
        self._signer = CheckpointSigner(kept)
        self._outside = OutsideFile(outside, at)
        self._clock = clock
        self._at = at
        self._connection: Connection | None = None
        self._signed: _Signed | None = None

    def start(self) -> bool:
        """Take the lead, check that nothing went back or apart, and repair an interrupted round.

        Returns:
            False if another integrator leads.

        Raises:
            RolledBack: If the database lies behind what was signed.
            OutsideFileMissing: If entries were signed and the file is missing.
            Forked: If database and file tell two histories.
            TamperFound: If the stored tree does not have its signed root.
            psycopg.OperationalError: If the database cannot be reached.
        """
        self.close()
        connection = connect(self._url, ROLE, **_SETTINGS)
        try:
            row = connection.execute(_QUERIES["lead"], [LEADER_LOCK]).fetchone()
            if row != (True,):
                connection.close()
                return False
            connection.execute(f"LISTEN {APPENDED}")
            self._signed = self._load(connection)
            self._reconcile(connection, self._signed)
        except BaseException:
            let_go(connection)
            raise
        self._connection = connection
        return True

    def round(self) -> int:
        """Integrate and publish what was appended since the last round, at most 4,096 entries.

        Returns:
            The number of entries integrated.

        Raises:
            TamperFound: If what is stored is not what was appended. Nothing was signed.
            Forked: If somebody else changed the checkpoint. Nothing was signed.
            LeadLost: If the file has a newer checkpoint already: ``start`` again.
            psycopg.Error: If the database went away: ``start`` again.
        """
        if self._connection is None or self._signed is None:
            raise RuntimeError("An integrator starts before its first round.")
        connection, before = self._connection, self._signed
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            after = self._integrate(cursor, before)
            if after is before:
                return 0
            self._at("committing")
        # A crash before the commit leaves nothing, and the entries wait for the next round. From
        # here on the new checkpoint is durable in the database; the file and the readers still
        # have the old one, and start() carries the new one to them.
        self._at("committed")
        self._signed = after
        self._publish(connection, after)
        return after.frontier.size - before.frontier.size

    def run(self, stop: threading.Event) -> None:
        """Start, then go round after round, until told to stop.

        A round costs the same for one entry as for a hundred, so after each that did not leave
        entries behind there is as long a rest: what gathers in it shares a signature and three
        flushes. A database that is gone is waited for.

        Raises:
            LogHalted: If a person must look: see ``start`` and ``round``. Nothing is appended any
                more, except while only a signing key is missing.
        """
        while not stop.is_set():
            try:
                self._step(stop)
            except (psycopg.OperationalError, LeadLost) as error:
                _LOG.warning("integration_interrupted", error=type(error).__name__)
                self.close()
                stop.wait(_PAUSE_SECONDS)
            except LogHalted as error:
                _LOG.critical("log_halted", kind=type(error).__name__, **error.fields)
                self.close()
                self._halt(error)
                raise
        self.close()

    def close(self) -> None:
        """Give up the lead and the connection."""
        connection, self._connection, self._signed = self._connection, None, None
        if connection is not None:
            let_go(connection)

    def _halt(self, error: LogHalted) -> None:
        """Let no process append to this log until a person has looked."""
        if isinstance(error, SigningKeyMissing):
            return  # nothing is wrong with the log: it goes on when the key is back
        # A crash before the mark leaves none: the next start finds the same, and marks it then.
        self._at("halting")
        try:
            with connect(self._url, ROLE, **_SETTINGS) as connection:
                halt(connection, error)
        except psycopg.OperationalError as lost:
            _LOG.warning("halt_not_marked", error=type(lost).__name__)
        else:
            self._at("halted")

    def _step(self, stop: threading.Event) -> None:
        if self._connection is None and not self.start():
            stop.wait(LOOK_SECONDS)
        elif self._connection is not None:
            begun = time.monotonic()
            taken = self.round()
            if 0 < taken < ROUND_ENTRIES:
                stop.wait(min(time.monotonic() - begun, _LONGEST_REST_SECONDS))
            await_notice(self._connection, 0 if taken else LOOK_SECONDS)

    def _load(self, connection: Connection) -> _Signed:
        """Read the newest checkpoint and believe it only as far as it is signed and fits."""
        with connection.cursor(binary=True) as cursor:
            row = cursor.execute(_QUERIES["state"]).fetchone()
            assert row is not None  # both tables have exactly one row
            entries, size, note, _ = row
            if note is None:
                return self._found(connection)
            keys = keys_at(cursor, self._signer.origin, size)
            checkpoint = self._signer.verify(keys, note, size, "the database's checkpoint")
            if checkpoint.size != size:
                raise Forked(size, "the checkpoint is of another size than its row says")
            if entries < size:
                raise RolledBack(entries, size)
            return _Signed(note, stored_frontier(cursor, size, checkpoint.root), keys)

    def _found(self, connection: Connection) -> _Signed:
        """Sign the empty tree: from then on a missing file is an alarm."""
        present, keys = self._outside.read(), LogKeys(self._signer.origin)
        if present is not None:
            signed = self._signer.verify(keys, present, 0, "the outside file")
            if signed.size > 0:
                raise RolledBack(0, signed.size)
        founded = self._sign(Frontier(), keys)
        self._swap(connection.cursor(), founded, 0, None)
        return founded

    def _reconcile(self, connection: Connection, signed: _Signed) -> None:
        """Compare database and file; bring the file up to date where it only lags."""
        size = signed.frontier.size
        present = self._outside.read()
        if present is None:
            if size > 0:
                raise OutsideFileMissing(str(self._outside.path), size)
        else:
            self._check_growth(connection, signed, present)
        self._publish(connection, signed)

    def _check_growth(self, connection: Connection, signed: _Signed, present: bytes) -> None:
        size = signed.frontier.size
        old = self._signer.verify(signed.keys, present, size, "the outside file")
        if old.size > size:
            raise RolledBack(size, old.size)
        with connection.cursor(binary=True) as cursor:
            try:
                proof = stored_tree(cursor, size).consistency_proof(old.size)
                verify_growth(old.size, size, proof, old.root, signed.frontier.root())
            except VerificationError as error:
                raise Forked(old.size, "the outside file is of another tree") from error

    def _integrate(self, cursor: Cursor, before: _Signed) -> _Signed:
        """Do everything of a round that belongs into its transaction."""
        size = before.frontier.size
        row = cursor.execute(_QUERIES["locked_state"], prepare=True).fetchone()
        if row != (size, before.note):
            raise Forked(size, "somebody else changed the checkpoint")
        leaves = read_leaves(cursor, size, ROUND_ENTRIES)
        if not leaves:
            return before
        self._at("entries read")
        frontier = grow(cursor, before.frontier, leaves, self._at)
        self._at("tiles verified")
        keys = keys_grown(cursor, before.keys, size, frontier.size)
        after = self._sign(frontier, keys)
        # A note that is signed here and lost in a crash was seen by nobody. The next one for the
        # same size has the same root, since entries are only ever added.
        self._at("signed")
        self._swap(cursor, after, size, before.note)
        return after

    def _swap(
        self,
        cursor: Cursor,
        after: _Signed,
        old_size: int,
        old_note: bytes | None,
    ) -> None:
        parameters = {
            "size": after.frontier.size,
            "note": after.note,
            "old_size": old_size,
            "old_note": old_note,
            "made_at": self._clock(),
        }
        if cursor.execute(_QUERIES["swap"], parameters).rowcount != 1:
            raise Forked(old_size, "somebody else changed the checkpoint")
        cursor.execute(_QUERIES["keep_one_a_minute"], parameters)

    def _publish(self, connection: Connection, signed: _Signed) -> None:
        size = signed.frontier.size

        def check_older(present: bytes) -> None:
            newer = self._signer.verify(signed.keys, present, size, "the outside file").size
            if newer > size:  # we slept, and another has led meanwhile
                raise LeadLost(size, newer)

        self._outside.replace(signed.note, check_older)
        # A crash here leaves a file that is as new as the database; readers do not know it yet,
        # and start() tells them.
        self._at("file replaced")
        connection.execute(_QUERIES["publish"], {"size": size, "note": signed.note}, prepare=True)
        self._at("published")

    def _sign(self, frontier: Frontier, keys: LogKeys) -> _Signed:
        checkpoint = Checkpoint(self._signer.origin, frontier.size, frontier.root())
        note = self._signer.sign(keys, checkpoint, int(self._clock().timestamp()))
        return _Signed(note, frontier, keys)
