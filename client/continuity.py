"""Whether a message follows the last one: by counting, or along its division's own chain.

A subscriber of everything counts. One that sees a province, a city or a county only follows the
previous positions that each message names, which form a chain within the division.
"""

from enum import StrEnum

from client.errors import FeedGapError
from client.message import Delivered

_DIGITS = 2
_LONGEST = 6


class Place(StrEnum):
    """Where a message stands in relation to what was accepted."""

    NEXT = "next"
    SEEN = "seen"
    AFTER_GAP = "after-gap"


def parse_division(text: str) -> str:
    """Return a division's digits: "41.02" and "4102" are the same city, "" is everything.

    Raises:
        ValueError: If it is not zero, two, four or six digits.
    """
    digits = text.replace(".", "")
    if digits and not (digits.isascii() and digits.isdigit()):
        raise ValueError("a division is digits")
    if len(digits) % _DIGITS or len(digits) > _LONGEST:
        raise ValueError("a division is two, four or six digits")
    return digits


def subjects_of(division: str) -> str:
    """Return the NATS filter of a division, such as ``vax.41.02.>``."""
    tokens = [division[at : at + _DIGITS] for at in range(0, len(division), _DIGITS)]
    return ".".join(("vax", *tokens, ">"))


class Continuity:
    """What a subscriber of one division has accepted, and what must come next.

    Args:
        division: Zero, two, four or six digits.
        after: Position that the subscriber has reached before, 0 for none.
    """

    def __init__(self, division: str = "", after: int = 0) -> None:
        self.division = division
        self.last = after
        self._started = False

    def place(self, message: Delivered) -> Place:
        """Tell where a message stands.

        Raises:
            FeedGapError: If it belongs to another division, or its chain goes behind an entry
                that was accepted: no honest log writes that.
        """
        if not message.entry.division.startswith(self.division):
            raise FeedGapError("The message is another division's.", position=message.position)
        if message.position <= self.last:
            return Place.SEEN
        previous = self.previous(message)
        if previous > self.last:
            return Place.AFTER_GAP
        if self._started and previous < self.last:
            raise FeedGapError(
                "The chain leaves out an entry.", position=message.position, previous=previous
            )
        return Place.NEXT

    def previous(self, message: Delivered) -> int:
        """Return the position that must have been accepted just before a message."""
        if not self.division:
            return message.position - 1
        return message.previous[len(self.division) // _DIGITS - 1]

    def accept(self, position: int) -> None:
        """Note that an entry was accepted."""
        self.last = position
        self._started = True
