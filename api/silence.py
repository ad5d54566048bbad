"""Whom the server waits for, who has been silent longest first: they make room when it is full."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Silence(Generic[T]):
    """Connections on which it is the client's turn, in the order in which they fell silent.

    Whoever is being answered is in neither order: nobody is cut off for what the server owes.
    """

    def __init__(self) -> None:
        self._idle: dict[T, None] = {}
        self._dawdling: dict[T, None] = {}

    def begin(self, connection: T, *, is_idle: bool) -> None:
        """It is silent from now on: between requests, or with half a body or an unread answer."""
        self.end(connection)
        (self._idle if is_idle else self._dawdling)[connection] = None

    def end(self, connection: T) -> None:
        """It is the server's turn, or the connection is gone."""
        self._idle.pop(connection, None)
        self._dawdling.pop(connection, None)

    def longest(self) -> T | None:
        """Who has been silent longest, between requests before all others; None if nobody is."""
        return next(iter(self._idle), None) or next(iter(self._dawdling), None)
