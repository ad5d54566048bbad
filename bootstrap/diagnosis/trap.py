"""A trap that an installation stands in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bootstrap.errors import spelt


@dataclass(frozen=True, slots=True)
class Trap:
    """Something that is wrong or will go wrong.

    Attributes:
        name: A slug that does not change.
        zh: What is wrong.
        en: The same in English.
        fix_zh: What to do.
        fix_en: The same in English.
        is_refused: Whether production mode does not start with it.
        facts: Which, where, how much; never a secret.
    """

    name: str
    zh: str
    en: str
    fix_zh: str
    fix_en: str
    is_refused: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name and the facts, in one line."""
        facts = ", ".join(f"{name}={spelt(value)}" for name, value in self.facts.items())
        return f"{self.name} {facts}".rstrip()
