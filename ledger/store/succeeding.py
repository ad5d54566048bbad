"""The origin that a log goes on under, once entries are lost that its old one has promised."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ledger.checkpoint import Checkpoint, LogSigner, verify_checkpoint
from ledger.entry import Entry
from ledger.errors import NoteError
from ledger.frontier import Frontier
from ledger.store.lost import LostWrite
from ledger.succession import SUCCEEDED


@dataclass(frozen=True, slots=True)
class Successor:
    """A new origin of a log.

    Attributes:
        signer: Its founding pair of keys.
        write: Makes its first entry, as the operator signs it, from the position, the time and
            the newest note of the old origin.
    """

    signer: LogSigner
    write: Callable[[int, datetime, bytes], LostWrite]

    def sign(self, frontier: Frontier, now: datetime) -> bytes:
        """Return its first checkpoint."""
        checkpoint = Checkpoint(self.signer.origin, frontier.size, frontier.root())
        return self.signer.sign(checkpoint, int(now.timestamp()))

    def has_signed(self, note: bytes) -> bool:
        """Whether a checkpoint is its own."""
        try:
            verify_checkpoint(note, self.signer.verifier_keys(), self.signer.origin)
        except NoteError:
            return False
        return True

    def is_first(self, entry: Entry) -> bool:
        """Whether an entry is its first one."""
        return (entry.topic, entry.origin) == (SUCCEEDED, self.signer.origin)

    def check_replaced(self, verify: Callable[[bytes], Checkpoint], present: bytes) -> None:
        """Check what the file outside holds before its first checkpoint takes the place of it.

        Args:
            verify: Verifies a checkpoint of the old origin.
            present: The note in the file.

        Raises:
            Forked: If it is neither origin's.
        """
        if not self.has_signed(present):
            verify(present)
