"""The text of a checkpoint: which log, how many entries, which root (C2SP tlog-checkpoint)."""

from dataclasses import dataclass
from typing import Self

from ledger.errors import NoteError
from ledger.syntax import MAX_SIZE, decode_base64, decode_decimal, encode_base64

HASH_BYTES = 32

_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head, not yet signed or already verified.

    Attributes:
        origin: Name of the log.
        size: Number of entries.
        root: RFC 9162 root hash of the tree of that size.
        extensions: Opaque further lines; ours has none, other logs may.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or any(char < " " for char in line):
                raise NoteError("A checkpoint's lines are not empty and hold no control character.")
        if not 0 <= self.size <= MAX_SIZE:
            raise NoteError("The tree size of a checkpoint is out of range.", size=self.size)
        if len(self.root) != HASH_BYTES:
            raise NoteError("The root hash of a checkpoint has 32 bytes.", size=self.size)

    def text(self) -> str:
        """Return the note text: origin, size, root and extensions, a line each."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note text strictly.

        Raises:
            NoteError: If it is not at least three non-empty lines, each ended by a newline, with a
                decimal without leading zeroes and 32 bytes of base64 on the second and third.
        """
        *lines, rest = text.split("\n")
        if rest or len(lines) < _LINES:
            raise NoteError("A checkpoint has at least three lines.")
        origin, size, root, *extensions = lines
        try:
            return cls(origin, decode_decimal(size), decode_base64(root), tuple(extensions))
        except ValueError as error:
            raise NoteError("A checkpoint's size and root are decimal and base64.") from error
