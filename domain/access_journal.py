"""The access journal in the log: one closing for each minute in which somebody read a record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.sealed import Fact, Sealed
from domain.shape import Pattern, Size
from domain.vocabulary import Division, Hex32

Minute = Annotated[str, Pattern("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z")]
"""A minute in UTC, such as `2026-11-21T13:05Z`."""


class AccessJournal(BaseAggregate[UUID]):
    """One minute of the access journal; nothing follows its closing.

    Attributes:
        minute: which minute.
        division: division of the platform.
    """

    TOPIC = "access-journal"
    Event = Fact

    def __init__(self, minute: str, division: str) -> None:
        self.minute = minute
        self.division = division

    @classmethod
    def close(
        cls, stream: UUID, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> Self:
        """Close a minute.

        Args:
            stream: id of the new stream, the same each time for the same minute.
            recorded_at: our clock.
            sealed: sealed parts; there are none.
            **fields: clear fields of `access-journal.closed.v1`.
        """
        return cls._create(
            event_class=cls.Closed, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    class Closed(Fact, AggregateCreated):
        """A minute of the access journal was closed.

        Attributes:
            minute: which minute, UTC.
            division: division of the platform.
            reads: how many rows it has.
            root: RFC 9162 root of the rows' canonical JSON, in the order of their random ids.
        """

        TOPIC = "access-journal.closed.v1"

        minute: Minute
        division: Division
        reads: Annotated[int, Size(1, 2**53 - 1)]
        root: Hex32

        def apply(self, aggregate: AccessJournal) -> None:
            """Nothing follows."""
