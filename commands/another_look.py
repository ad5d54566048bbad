"""Deciding anew when what a decision rests on moved before it was stored."""

from commands.papers import PAPER
from commands.seats import SEAT
from commands.statements import PAPER_DIFFERS
from commands.writing import PERSON
from ledger.store.errors import ClaimTaken

ATTEMPTS = 3
"""How often a decision is made anew."""

_SEEN_NOW = frozenset((PERSON, SEAT, PAPER, PAPER_DIFFERS))


def is_worth_another_look(moved: Exception) -> bool:
    """Whether what was in the way can be seen and taken into account by now.

    A clock is behind when the write waited for seconds while other processes appended: deciding
    again takes a fresh time, and a clock that is really behind is refused in the end.
    A guardian's handle that another record took meanwhile is a sibling's guardian at the next look;
    instead of a seat that somebody took meanwhile another one is withdrawn; a statement that a
    difference came before is refused with its reason, and so is a shred that a paper came before.
    """
    return not isinstance(moved, ClaimTaken) or moved.kind in _SEEN_NOW
