"""Answering a write that was answered before: the first answer stands, for ever."""

from dataclasses import dataclass
from uuid import UUID

from commands.services import Services
from domain.quality import Check
from ledger.entry import Entry
from ledger.store.errors import KeyReused


@dataclass(frozen=True, slots=True)
class Written:
    """Where a write stands in the log, and the bytes of its entry.

    Attributes:
        remarks: What deserves a second look in it; told once, not to a retry.
    """

    position: int
    stream: UUID
    version: int
    entry: bytes
    replayed: bool
    remarks: tuple[Check, ...] = ()


def first_answer(
    services: Services, author: UUID, key: UUID, request: bytes, refused: Exception
) -> Written:
    """The answer that the key had before.

    A retry of a write that went through finds the world changed by its own first attempt. Only
    then is the key looked up: the common way pays nothing.

    Raises:
        KeyReused: the key stands for another request.
        Exception: `refused`, if the key was never answered.
    """
    earlier = services.reader.answered(author, key)
    if earlier is None:
        raise refused
    if earlier.request != request:
        raise KeyReused(key) from refused
    raw = services.reader.recorded(earlier.first_position)
    entry = Entry.decode(raw)
    return Written(earlier.first_position, entry.stream, entry.version, raw, replayed=True)
