"""Poison: an entry that a projection cannot apply parks its stream, and the others go on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from projections.change import Change
from projections.connection import Cursor
from projections.errors import ProjectionError
from projections.projection import Projection
from projections.queries import named_queries

_SQL = named_queries("loop.sql")

# What an entry can be guilty of; an unreachable or full database is not among it.
POISON = (
    ArithmeticError,
    LookupError,
    ProjectionError,
    TypeError,
    ValueError,
    psycopg.DataError,
    psycopg.IntegrityError,
)


@dataclass(frozen=True)
class Parked:
    """A stream that one projection does not follow any more.

    Attributes:
        name: The projection.
        stream: The stream.
        position: Entry that could not be applied.
        error: Class of the error; its text might hold values.
    """

    name: str
    stream: UUID
    position: int
    error: str


@dataclass
class Applying:
    """One projection, while a batch is applied inside the caller's transaction.

    Attributes:
        streams: Streams that are parked already; more come to it.
        alarms: Streams that were parked now.
    """

    cursor: Cursor
    projection: Projection
    streams: set[UUID]
    alarms: list[Parked] = field(default_factory=list)

    def run(self, changes: Sequence[Change]) -> None:
        """Apply what can be applied and park the rest."""
        self._halve(self._still_followed(changes))

    def _halve(self, changes: Sequence[Change]) -> None:
        """Apply as one set; on poison, halve until the guilty entry stands alone."""
        if not changes:
            return
        try:
            with self.cursor.connection.transaction():
                self.projection.apply(self.cursor, changes)
        except POISON as error:
            if len(changes) == 1:
                self._park(changes[0], type(error).__qualname__)
                return
            middle = len(changes) // 2
            self._halve(changes[:middle])
            self._halve(self._still_followed(changes[middle:]))

    def _still_followed(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Let entries of parked streams wait, and return the others."""
        if not self.streams:
            return changes
        for change in changes:
            if change.entry.stream in self.streams:
                self._write(change, None)
        return [change for change in changes if change.entry.stream not in self.streams]

    def _park(self, change: Change, error: str) -> None:
        self._write(change, error)
        self.streams.add(change.entry.stream)
        name = self.projection.name
        self.alarms.append(Parked(name, change.entry.stream, change.position, error))

    def _write(self, change: Change, error: str | None) -> None:
        self.cursor.execute(
            _SQL["park"],
            {
                "name": self.projection.name,
                "stream": change.entry.stream,
                "position": change.position,
                "error": error,
            },
        )
