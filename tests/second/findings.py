"""What an examination finds: a place in the log, what kind of thing is wrong there, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong.

    Args:
        position: Where; 0 if it concerns the log as a whole.
        kind: What is wrong there: `checkpoint`, `tile`, `leaf`, `bundle`, `entry`, `version`,
            `time`, `data`, `envelope`, `statement`, `author`, `key`, `idempotency`, `cause` or
            `blob`.
        reason: Why, for a person to read.
    """

    position: int
    kind: str
    reason: str


class Wrong(ValueError):
    """Something is not what the specification says; the message says what."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason

    def at(self, position: int) -> Finding:
        """Return it as a finding at a position."""
        return Finding(position, self.kind, self.reason)


def demand(holds: bool, kind: str, reason: str) -> None:  # noqa: FBT001 - reads like an assert
    """Raise Wrong unless a condition holds."""
    if not holds:
        raise Wrong(kind, reason)
