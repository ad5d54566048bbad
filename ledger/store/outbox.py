"""The outbox: what is to be told to people outside, each once, and what became of it.

Messages are put in with the position up to which the log was looked at, in one transaction; so none
is forgotten, and whatever is looked at again finds its message there already. It holds no personal
data: whom a message goes to is opened when it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from ledger.store.connections import Connection, Pool, cursor_of, rows_of
from ledger.store.queries import load_queries

ROLE = "vaxledger_outbox"
"""Role of connections to the log's database."""
LEASE = timedelta(minutes=2)
"""For so long a message belongs to who took it; whoever dies with it loses it then."""

_QUERIES = load_queries("outbox.sql")


class Outcome(StrEnum):
    """What became of a message for good."""

    SENT = "sent"
    OUTDATED = "outdated"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told.

    Attributes:
        id: Follows from what it tells.
        kind: What it is about, as a code.
        stream: About which.
        about: Of that, what exactly: a day, a version.
        put_at: When it was put in.
        due_at: From when on it may be sent.
        attempts: How often it was taken, this time included.
    """

    id: UUID
    kind: str
    stream: UUID
    about: str
    put_at: datetime
    due_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the messages.

    Attributes:
        due_since: When the longest due one was due; later than now where none is late.
        waiting: How many are to be sent yet, now or on their day.
        failed: How many were given up, or refused by the provider.
        unreachable: How many had nobody to go to.
        failed_at: When one failed last.
    """

    due_since: datetime | None
    waiting: int
    failed: int
    unreachable: int
    failed_at: datetime | None

    def late(self, now: datetime) -> timedelta:
        """How long the longest due one has waited."""
        return max(timedelta(0), now - self.due_since) if self.due_since else timedelta(0)


def standing(pool: Pool) -> Standing:
    """Return how it stands with the messages.

    Args:
        pool: Connections of a role that may read them, such as ``vaxledger_read``.

    Raises:
        StoreUnavailable: The database does not answer.
    """
    return Standing(*rows_of(pool, _QUERIES["standing"])[0])


def standing_by(connection: Connection) -> Standing:
    """Likewise, by a connection of such a role.

    Raises:
        psycopg.Error: The database does not answer, or has no outbox yet.
    """
    row = connection.execute(_QUERIES["standing"]).fetchone()
    assert row is not None, "an aggregate has one row"
    return Standing(*row)


class Outbox:
    """The messages. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_outbox``.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def position(self) -> int:
        """Return up to which entry it was looked what is to be told."""
        return int(rows_of(self._pool, _QUERIES["position"])[0][0])

    def put(self, messages: Sequence[Message], *, after: int, upto: int) -> None:
        """Put in what the entries of a range tell; nothing happens where another did.

        Args:
            messages: Those that are known already stay as they are.
            after: Position from which was looked.
            upto: Position to which was looked.
        """
        rows = [(m.id, m.kind, m.stream, m.about, m.put_at, m.due_at) for m in messages]
        columns = [list(column) for column in zip(*rows, strict=True)]
        with cursor_of(self._pool) as cursor, cursor.connection.transaction():
            cursor.execute(_QUERIES["advance"], [upto, after])
            if cursor.rowcount and columns:
                cursor.execute(_QUERIES["put"], columns)

    def take(self, now: datetime, limit: int) -> list[Message]:
        """Take what is due, the longest due first; nobody else has it for two minutes."""
        asked = {"now": now, "lease": now + LEASE, "limit": limit}
        with cursor_of(self._pool) as cursor:
            rows = cursor.execute(_QUERIES["take"], asked).fetchall()
        return sorted((Message(*row) for row in rows), key=lambda one: one.due_at)

    def settle(self, message: UUID, outcome: Outcome, at: datetime, problem: str = "") -> None:
        """Note what became of a message for good."""
        asked = {"id": message, "state": outcome.value, "problem": problem or None, "at": at}
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["settle"], asked)

    def postpone(self, message: UUID, due_at: datetime, problem: str = "") -> None:
        """Let a message be taken again, not before a time."""
        asked = {"id": message, "due_at": due_at, "problem": problem or None}
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["postpone"], asked)

    def counts(self) -> dict[str, int]:
        """Return how many messages are in each state but sent."""
        return {state: int(number) for state, number in rows_of(self._pool, _QUERIES["counts"])}
