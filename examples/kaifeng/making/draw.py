"""Repeatable draws: each value follows from a label alone, on every Python and in any order."""

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

SEED = "kaifeng-2018"

ID_MOMENT_MS = 1_528_243_200_000
"""2018-06-06T00:00:00Z, the day of the notice. One moment for all ids: they tell nobody's age."""

_UUID7_FIXED = (0x7 << 76) | (0b10 << 62)
_UUID7_RANDOM = ((1 << 76) - (1 << 64)) | ((1 << 62) - 1)

T = TypeVar("T")


class Draw:
    """A stream of draws named by a label; two streams never influence each other."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._count = 0

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound)."""
        self._count += 1
        digest = sha256(f"{SEED}/{self._label}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:16]) % bound

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """Say yes in so many of a hundred cases."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.below(len(choices))]

    def order(self, items: Sequence[T]) -> list[T]:
        """Return the items in a drawn order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in items]

    def day(self, first: date, last: date) -> date:
        """Return a day in [first, last]."""
        return first + timedelta(days=self.below((last - first).days + 1))

    def hex32(self) -> str:
        """Return 32 bytes in hexadecimal."""
        return "".join(f"{self.below(1 << 64):016x}" for _ in range(4))


def uuid7(name: str) -> UUID:
    """Return the UUID in the form of RFC 9562 version 7 that belongs to a name."""
    random = int.from_bytes(sha256(f"{SEED}/id/{name}".encode()).digest()[:16])
    return UUID(int=(ID_MOMENT_MS << 80) | _UUID7_FIXED | (random & _UUID7_RANDOM))
