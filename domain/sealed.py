"""What every event of the domain carries: its sealed parts, by handle and digest only.

The domain never sees a name, a number or an address. It sees that a blob with a given digest
is sealed for a person with a given handle, so that an aggregate still loads after that
person's key was shredded (DESIGN sections 4 and 6).
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar
from uuid import UUID

from eventsourcing.domain import AggregateEvent
from eventsourcing.utils import register_topic


@dataclasses.dataclass(frozen=True)
class Sealed:
    """One sealed part of an event: whose it is and which blob holds it.

    Attributes:
        subject: handle of the person whose key seals the blob.
        sha256: 64 lower-case hexadecimal digits, digest of the sealed blob.
    """

    subject: UUID
    sha256: str


class Fact(AggregateEvent):
    """An event of the ledger: immutable, named by its topic, with sealed parts beside it.

    `timestamp` is the entry's `recorded_at`; it is passed in, never taken from a clock.
    """

    TOPIC: ClassVar[str] = ""

    sealed: tuple[Sealed, ...] = dataclasses.field(default=(), kw_only=True)

    def __init_subclass__(cls) -> None:
        """Register the stored topic, so that no class path is ever written to the log."""
        super().__init_subclass__()
        if "TOPIC" in cls.__dict__:
            register_topic(cls.TOPIC, cls)
