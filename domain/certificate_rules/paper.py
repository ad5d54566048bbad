"""Paper and electronic certificate side by side: both are valid (C-4), one may know more."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A line that only one of the two has; neither wins by itself (C-4).

    Attributes:
        line: Vaccine and day.
        is_on_paper: Whether paper has it, and the electronic certificate not: a dose to be
            transcribed with its evidence (C-26). The other way round, paper is to be printed up to
            date (C-25).
    """

    line: str
    is_on_paper: bool


def differences(electronic: Iterable[str], paper: Iterable[str]) -> tuple[Difference, ...]:
    """Return what the two do not share, line by line; empty where they agree.

    Args:
        electronic: Lines of the electronic certificate.
        paper: Lines of the paper one, in any order; a line that stands twice counts twice.
    """
    shown, printed = Counter(electronic), Counter(paper)
    only_paper = sorted((printed - shown).elements())
    only_electronic = sorted((shown - printed).elements())
    return (
        *(Difference(line, is_on_paper=True) for line in only_paper),
        *(Difference(line, is_on_paper=False) for line in only_electronic),
    )
