"""What an inspection of an installation finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: What is wrong, as a short stable slug.
        position: Of the entry it concerns; None where it concerns none.
        facts: What else tells where it is; nothing personal.
    """

    kind: str
    position: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
