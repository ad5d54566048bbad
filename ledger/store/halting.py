"""The mark of a halted log: while it stands nothing is appended, by whichever process.

The integrator and a recovery set it, both under the integrator's role; a finished recovery and the
operator's word lift it.
"""

from dataclasses import dataclass
from datetime import datetime

from ledger.store.connections import Connection
from ledger.store.errors import LogHalted
from ledger.store.queries import load_queries

_QUERIES = load_queries("halting.sql")


@dataclass(frozen=True, slots=True)
class Halt:
    """Why and since when nothing is appended.

    Attributes:
        kind: Name of the error that halted the log, such as ``TamperFound``.
        halted_at: By the database's clock.
    """

    kind: str
    halted_at: datetime


def halt(connection: Connection, error: LogHalted) -> None:
    """Mark the log as halted; an earlier mark stays.

    Args:
        connection: Of the integrator's role.
        error: What was found.
    """
    connection.execute(_QUERIES["halt"], [type(error).__name__])


def standing_halt(connection: Connection) -> Halt | None:
    """Return the mark, None where there is none."""
    row = connection.execute(_QUERIES["halted"]).fetchone()
    return None if row is None else Halt(*row)


def lift(connection: Connection) -> None:
    """Let entries be appended again."""
    connection.execute(_QUERIES["lift"])
