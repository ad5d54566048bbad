"""Two clocks: pieces against the plain reading of a history."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.errors import UnknownSubject
from projections.pieces import ALWAYS, FOR_EVER, OPEN_POSITION, Piece, Pieces

FIRST = date(2018, 9, 1)
DAYS = st.integers(0, 6)
# Days after FIRST, and the new value; None ends it.
CHANGES = st.lists(st.tuples(DAYS, st.none() | st.integers(0, 99)), max_size=6)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def plainly(start: int, changes, position: int, on: int) -> int | None:
    """Fold what was known at a position over the days: later knowledge overrides earlier."""
    if on < start or position < 1:
        return None
    value: int | None = -1
    for known, (effective, new) in enumerate(changes, 2):
        if known <= position and effective <= on and value is not None:
            value = new
    return value


def stored_and_loaded(pieces: Pieces[str]) -> tuple[list[Piece[str]], Pieces[str]]:
    """End a batch: return all pieces it wrote, and begin the next with the open ones."""
    written = pieces.added()
    for piece in written:
        piece.stored = True
    return written, Pieces([piece for piece in written if piece.known_to == OPEN_POSITION])


@given(start=DAYS, changes=CHANGES, batch=st.integers(0, 7))
def test_the_piece_of_a_position_and_a_day_is_the_plain_reading(start, changes, batch):
    pieces: Pieces[str] = Pieces()
    pieces.begin("x", 1, day(start), {"v": -1, "w": "kept"})
    everything: list[Piece[str]] = []
    for position, (effective, new) in enumerate(changes, 2):
        if position == batch:
            written, pieces = stored_and_loaded(pieces)
            everything += written
        if "x" not in pieces:
            return  # nothing is left to change: refused, see below
        if new is None:
            pieces.end("x", position, day(effective))
        else:
            pieces.change("x", position, day(effective), {"v": new})
    everything += pieces.added()
    for position in range(9):
        for on in range(8):
            found = [
                piece.values["v"]
                for piece in everything
                if piece.known_from <= position < piece.known_to
                and piece.effective_from <= day(on) < piece.effective_to
            ]
            expected = plainly(start, changes, position, on)
            assert found == ([] if expected is None else [expected])


def test_what_a_stream_never_brought_up_cannot_change():
    with pytest.raises(UnknownSubject, match="position=7"):
        Pieces[str]().change("x", 7, FIRST, {})


def test_a_stored_piece_is_closed_and_not_written_again():
    stored = Piece("x", 1, OPEN_POSITION, ALWAYS, FOR_EVER, {"v": 1}, stored=True)
    pieces = Pieces([stored])
    pieces.change("x", 5, ALWAYS, {"v": 2})
    pieces.change("x", 6, ALWAYS, {"v": 3})
    assert [(piece.known_from, piece.known_to) for piece in pieces.closed()] == [(1, 5)]
    added = [(piece.known_from, piece.known_to, piece.values["v"]) for piece in pieces.added()]
    assert added == [(5, 6, 2), (6, OPEN_POSITION, 3)]
    assert pieces.current("x") == {"v": 3}


def test_nothing_is_current_once_it_ended():
    pieces: Pieces[str] = Pieces()
    assert pieces.current("x") is None
    pieces.begin("x", 1, ALWAYS, {"v": 1})
    pieces.end("x", 2, ALWAYS)
    assert pieces.current("x") is None
    pieces.begin("x", 2, ALWAYS, {"v": 2})
    assert pieces.current("x") == {"v": 2}
