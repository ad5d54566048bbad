"""What a subscriber remembers between two runs, stored with its data in one transaction.

It says how far the effect reaches and which tree that was, so that a log which forks or goes back
is noticed by whoever has followed it, even over restarts and against its own signing key.
"""

from dataclasses import dataclass
from typing import Self

from client.continuity import parse_division
from client.errors import RememberedError
from ledger import jcs
from ledger.errors import LedgerError
from ledger.frontier import Frontier
from ledger.note import Note
from ledger.syntax import decode_base64, encode_base64
from ledger.treehead import Checkpoint

_MEMBERS = {"v", "origin", "division", "position", "frontier", "checkpoint"}


@dataclass(frozen=True, slots=True)
class Memory:
    """How far a subscriber came.

    Attributes:
        origin: Name of the log.
        division: Zero, two, four or six digits: what is subscribed to.
        position: Up to here every entry of the division has had its effect.
        frontier: Right edge of the tree at that position, as ``Frontier.encode``; only a
            subscriber of everything has one, for the others it stays that of the empty tree.
        checkpoint: The newest signed note that was believed, empty for none.
    """

    origin: str
    division: str = ""
    position: int = 0
    frontier: bytes = Frontier().encode()
    checkpoint: bytes = b""

    @property
    def tree(self) -> Checkpoint | None:
        """The remembered checkpoint; its signature was verified when it was taken in."""
        return Checkpoint.parse(Note.parse(self.checkpoint).text) if self.checkpoint else None

    def encode(self) -> bytes:
        """Return the memory as canonical JSON, some kilobytes."""
        return jcs.canonical(
            {
                "v": 1,
                "origin": self.origin,
                "division": self.division,
                "position": self.position,
                "frontier": encode_base64(self.frontier),
                "checkpoint": self.checkpoint.decode("utf-8"),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read what ``encode`` writes.

        Raises:
            RememberedError: For anything else.
        """
        try:
            found = jcs.parse_canonical(raw)
            if type(found) is not dict or found.keys() != _MEMBERS or found["v"] != 1:
                raise RememberedError
            memory = cls(
                str(found["origin"]),
                parse_division(str(found["division"])),
                int(found["position"]),
                decode_base64(str(found["frontier"])),
                str(found["checkpoint"]).encode("utf-8"),
            )
            memory.check()
        except (LedgerError, ValueError, TypeError) as error:
            raise RememberedError(reason=str(error)) from error
        return memory

    def check(self) -> None:
        """Refuse a memory whose parts contradict each other.

        Raises:
            RememberedError: It is not one that ``client.confirming`` leaves.
            LedgerError: The frontier or the note is malformed.
        """
        size = Frontier.decode(self.frontier).size
        tree = self.tree
        covered = 0 if tree is None else tree.size
        if size != (0 if self.division else self.position) or not 0 <= self.position <= covered:
            raise RememberedError(position=self.position)
        if tree is not None and tree.origin != self.origin:
            raise RememberedError(origin=tree.origin)
