"""A log that goes on under a new name, since its old one has promised entries that are lost."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.sealed import Fact
from domain.shape import Size
from domain.vocabulary import Code, Division, LogOrigin, SignedNote


class LogSuccession(BaseAggregate[UUID]):
    """The moment at which a log took a new name; nothing follows in its stream.

    Attributes:
        division: the operator's.
    """

    TOPIC = "log-succession"
    Event = Fact

    def __init__(self, division: str) -> None:
        self.division = division

    class Succeeded(Fact, AggregateCreated):
        """A new origin took over the surviving entries of an old one.

        Attributes:
            division: the operator's.
            predecessor: the old origin.
            checkpoint: its newest known checkpoint, a note with its own signatures.
            adopted: how many entries survived; this is the one behind them.
            lost: how many entries of that checkpoint nobody has any more.
            reason: why the log could not go on as it was.
        """

        TOPIC = "log.succeeded.v1"

        division: Division
        predecessor: LogOrigin
        checkpoint: SignedNote
        adopted: Annotated[int, Size(1, 2**53 - 1)]
        lost: Annotated[int, Size(0, 2**53 - 1)]
        reason: Code

        def apply(self, aggregate: LogSuccession) -> None:
            """Nothing follows."""
