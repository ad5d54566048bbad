"""A log that goes on under a new name, after entries were lost that its old name had promised.

The survivors stay as they are. The first entry behind them is the new origin's own: it names the
old one, its newest known checkpoint, and how much is lost. So the name of a log is a function of
its entries, for everybody who reads them from the first on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ledger.errors import LedgerError, VerificationError
from ledger.note import Note
from ledger.treehead import Checkpoint

SUCCEEDED = "log.succeeded.v1"


class SuccessionError(VerificationError):
    """A log took a new name against the rules.

    Attributes:
        reason: Which rule, as a slug.
    """

    def __init__(self, reason: str, **facts: object) -> None:
        self.reason = reason
        super().__init__(f"A succession breaks a rule: {reason}.", **facts)


@dataclass(frozen=True, slots=True)
class Succession:
    """What the first entry of a new origin says.

    Attributes:
        origin: The new name.
        final: The newest known checkpoint of the old one; its signatures are not judged here,
            since keys that were introduced in a lost entry may have made them.
        adopted: How many entries the new origin took over.
    """

    origin: str
    final: Checkpoint
    adopted: int

    @classmethod
    def read(cls, position: int, origin: str, data: Mapping[str, Any]) -> Self:
        """Read an entry of the topic.

        Args:
            position: Its place.
            origin: The name that it stands under.
            data: Its data.

        Raises:
            SuccessionError: ``predecessor-unclear``, ``adopted-differs`` or ``lost-differs``.
        """
        try:
            final = Checkpoint.parse(Note.parse(str(data.get("checkpoint")).encode()).text)
        except (LedgerError, UnicodeEncodeError) as error:
            raise SuccessionError("predecessor-unclear") from error
        if final.origin != data.get("predecessor") or final.origin == origin:
            raise SuccessionError("predecessor-unclear", origin=final.origin)
        adopted = position - 1
        if data.get("adopted") != adopted:
            raise SuccessionError("adopted-differs", adopted=adopted)
        if data.get("lost") != max(final.size - adopted, 0):
            raise SuccessionError("lost-differs", signed=final.size)
        return cls(origin, final, adopted)


class Origins:
    """The names of a log as of the last entry that was taken.

    Args:
        first: The name that its first entry stands under.

    Attributes:
        current: The name that the next entry must stand under.
        adopted: How many entries of each earlier name its successor has taken over.
    """

    def __init__(self, first: str) -> None:
        self.current = first
        self.adopted: dict[str, int] = {}

    def take(self, position: int, origin: str, data: Mapping[str, Any]) -> None:
        """Apply an entry about a succession.

        Whether its author was entitled to it is not judged here.

        Raises:
            SuccessionError: As ``Succession.read``, ``not-the-predecessor`` or
                ``origin-used-before``.
        """
        found = Succession.read(position, origin, data)
        if found.final.origin != self.current:
            raise SuccessionError("not-the-predecessor", origin=found.final.origin)
        if origin in self.adopted:
            raise SuccessionError("origin-used-before", origin=origin)
        self.adopted[self.current] = found.adopted
        self.current = origin
