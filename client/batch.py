"""What a follower hands on: proven entries in batches, and alarms about what it did not believe."""

from dataclasses import dataclass, field
from typing import Any

from client.remembering import Memory
from ledger.entry import Entry


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that an honest feed or log does not do; the follower has not believed it.

    Attributes:
        kind: ``message-refused`` (unreadable, oversized, wrongly hashed or out of place),
            ``message-altered`` (readable, but not what the signed tree holds),
            ``redelivery-altered`` (an old position with other content), ``message-missing``,
            ``ahead-of-the-log`` (no signed checkpoint covers it), ``checkpoint-not-trusted``,
            ``rolled-back``, ``forked``, ``not-in-the-tree`` or ``log-incomplete`` (the server
            leaves out what its own checkpoint covers).
        position: Where, None if it concerns the log as a whole.
        reason: The sentence of what was refused.
        facts: More about it; nothing personal.
    """

    kind: str
    position: int | None = None
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry, proven.

    Attributes:
        position: Place in the log.
        entry: The entry; its topic may be one that this edition does not know.
        raw: Its bytes.
        leaf: Their leaf hash.
        repaired: Whether it came from the log's server, not by the stream.
    """

    position: int
    entry: Entry
    raw: bytes
    leaf: bytes
    repaired: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries whose effect belongs into one transaction, together with the memory.

    Attributes:
        events: In order, each position once; empty where only the memory moved on.
        memory: What to remember once the effect is stored.
        witnessed: Whether the policy's quorum of witnesses had cosigned; if not: included, not
            yet witnessed.
    """

    events: tuple[Event, ...]
    memory: Memory
    witnessed: bool
