"""Movements of children between schools as JSON.

An event names its day and what happened either as ``{"date", "event": "joined"}`` or as a day of
its own, ``{"joined_on"}``; ``school`` is where. Rule authors call joining by the way in which it
happens (S-2); all of these words mean one of the three moves.
"""

from collections.abc import Iterator, Mapping

from domain.roll_up.pupil_case import FOUND, LATER
from domain.roll_up.transfer import Move, Movement
from domain.schedules.json_document import MissingMember, Node

WORDS: Mapping[str, Move] = {
    **dict.fromkeys(
        (
            *("joined", "join", "enrolled", "enrol", "enrolment", "registered", "entered", "entry"),
            *("transferred", "transfer", "transferred_in", "transfer_in", "moved", "moved_in"),
            *("visiting", "mid_term_join", "spring", "started", "start", "term_start", "new"),
        ),
        Move.JOINED,
    ),
    **dict.fromkeys(("checked", "check", "rechecked"), Move.CHECKED),
    **dict.fromkeys(
        ("left", "leave", "transferred_out", "transfer_out", "moved_out", "withdrawn"), Move.LEFT
    ),
}
DAYS = tuple(f"{word}_on" for word in WORDS)

_SCHOOL = ("school", "to", "to_school", "institution")
_WHEN = ("date", "day", "on")
_WHAT = ("event", "type", "kind", "action")
_WHO = ("pupil", "child")
_WHERE = ("township", "to_township")
_BESIDES = ("from", "from_school", "from_township", "class", "county", "entry_type", "note")


def read_movements(node: Node) -> Iterator[Movement]:
    """Read the events of a case.

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    for item in node.items():
        found = item.members(
            (),
            (*_SCHOOL, *_WHEN, *_WHAT, *_WHO, *_WHERE, *_BESIDES, *DAYS),
            (*FOUND, *LATER),
        )
        moves = [*days_of(found)]
        when, what = _first(found, _WHEN), _first(found, _WHAT)
        if when or not moves:
            for part, members in ((when, _WHEN), (what, _WHAT)):
                if part is None:
                    raise MissingMember(member=members[0]).at(item.pointer)
            assert when is not None
            assert what is not None
            moves.append((WORDS[what.choice(WORDS)], when))
        for move, day in moves:
            yield _movement(found, move, day)


def read_pupil_movements(node: Node) -> Iterator[Movement]:
    """Read the days of a child that is written as one object, such as its `joined_on`."""
    found = node.entries()
    for move, day in days_of(found):
        yield _movement(found, move, day)


def days_of(found: Mapping[str, Node]) -> Iterator[tuple[Move, Node]]:
    """Find the members that are days of movements."""
    for word, move in WORDS.items():
        day = found.get(f"{word}_on")
        if day is not None and day.value is not None:
            yield move, day


def _movement(found: Mapping[str, Node], move: Move, day: Node) -> Movement:
    school, township, who = (_first(found, names) for names in (_SCHOOL, _WHERE, _WHO))
    return Movement(
        day=day.day(),
        move=move,
        school=school.text() if school else "",
        township=township.text() if township else None,
        child=str(who.value) if who else "",
    )


def _first(found: Mapping[str, Node], names: tuple[str, ...]) -> Node | None:
    return next((found[name] for name in names if name in found), None)
