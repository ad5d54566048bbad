"""Two clocks for one value: from when it was known, and on which days it counts.

A thing's history is a set of pieces, rectangles of [known_from, known_to) positions times
[effective_from, effective_to) days. A change known at position p and effective on day d ends
every piece that still reaches d, and puts new ones in their place: the days before d as they
were, the days from d on changed. "As effective on day D, known at position p" is then the one
piece that contains (p, D).
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from projections.errors import UnknownSubject

OPEN_POSITION = 2**63 - 1
"""Still known."""

ALWAYS = date.min
"""The effective day of facts that are known or not, without a day from which they count."""

FOR_EVER = date.max

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Piece(Generic[Key]):
    """One rectangle.

    Attributes:
        key: Whose.
        known_from: First position.
        known_to: Position at which it was replaced, or `OPEN_POSITION`.
        effective_from: First day.
        effective_to: Day after the last, or `FOR_EVER`.
        values: What is said, by column.
        stored: Whether the database has it already.
    """

    key: Key
    known_from: int
    known_to: int
    effective_from: date
    effective_to: date
    values: Mapping[str, Any]
    stored: bool = False


class Pieces(Generic[Key]):
    """The open pieces that a batch of entries works on, and what became of them.

    Args:
        stored: Open pieces from the database of all keys that the batch changes.
    """

    def __init__(self, stored: Iterable[Piece[Key]] = ()) -> None:
        self._open: dict[Key, list[Piece[Key]]] = {}
        self._touched: list[Piece[Key]] = []
        self._ended: dict[Key, tuple[date, list[Piece[Key]]]] = {}
        for piece in stored:
            self._open.setdefault(piece.key, []).append(piece)

    def __contains__(self, key: Key) -> bool:
        """Whether anything is known of a key."""
        return key in self._open

    def current(self, key: Key) -> Mapping[str, Any] | None:
        """Return what holds from the last effective day on, or None when nothing does."""
        pieces = self._open.get(key)
        return max(pieces, key=lambda piece: piece.effective_from).values if pieces else None

    def begin(self, key: Key, position: int, day: date, values: Mapping[str, Any]) -> None:
        """State something that was not known before."""
        self._add(Piece(key, position, OPEN_POSITION, day, FOR_EVER, values))

    def change(self, key: Key, position: int, day: date, patch: Mapping[str, Any]) -> None:
        """State other values for some columns from a day on.

        Raises:
            UnknownSubject: If nothing is known of the key.
        """
        for piece in self._cut(key, position, day):
            self._add(
                Piece(
                    key,
                    position,
                    OPEN_POSITION,
                    max(piece.effective_from, day),
                    piece.effective_to,
                    {**piece.values, **patch},
                )
            )

    def end(self, key: Key, position: int, day: date) -> None:
        """State that nothing holds from a day on.

        Raises:
            UnknownSubject: If nothing is known of the key.
        """
        self._ended[key] = (day, self._cut(key, position, day))

    def recall_end(self, key: Key, day: date, pieces: list[Piece[Key]]) -> None:
        """Tell what an earlier batch ended, and from which day on."""
        self._ended[key] = (day, pieces)

    def resume(self, key: Key, position: int, day: date) -> None:
        """State that what was ended last holds again from a day on.

        Raises:
            UnknownSubject: If nothing of the key was ended.
        """
        if key not in self._ended:
            raise UnknownSubject(key=str(key), position=position)
        ended_on, pieces = self._ended.pop(key)
        for piece in pieces:
            begin = max(piece.effective_from, ended_on, day)
            if begin < piece.effective_to:
                until = piece.effective_to
                self._add(Piece(key, position, OPEN_POSITION, begin, until, piece.values))

    def added(self) -> list[Piece[Key]]:
        """Return the pieces that the database does not have yet, some of them closed again."""
        return [piece for piece in self._touched if not piece.stored]

    def closed(self) -> list[Piece[Key]]:
        """Return the pieces of the database that are known no longer."""
        return [piece for piece in self._touched if piece.stored]

    def _add(self, piece: Piece[Key]) -> None:
        self._open.setdefault(piece.key, []).append(piece)
        self._touched.append(piece)

    def _cut(self, key: Key, position: int, day: date) -> list[Piece[Key]]:
        """Close what reaches the day, keep its earlier days, and return what was closed."""
        if key not in self._open:
            raise UnknownSubject(key=str(key), position=position)
        pieces = self._open[key]
        reached = [piece for piece in pieces if piece.effective_to > day]
        self._open[key] = [piece for piece in pieces if piece.effective_to <= day]
        for piece in reached:
            piece.known_to = position
            if piece.stored:
                self._touched.append(piece)
            if piece.effective_from < day:
                self._add(
                    Piece(key, position, OPEN_POSITION, piece.effective_from, day, piece.values)
                )
        return reached
