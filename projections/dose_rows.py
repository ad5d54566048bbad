"""How doses, contraindications and adverse events follow the log, with two clocks.

A correction takes effect on its day (C-21): until then the dose reads as before. A dose entered in
error ends on that day and stays readable for the days before.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ledger.stored import StoredEntry
from projections.change import Change
from projections.connection import Cursor
from projections.pieces import ALWAYS, FOR_EVER, OPEN_POSITION, Piece, Pieces
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "doses"
_SQL = named_queries("doses.sql")

_ADMINISTERED = "vaccination-record.dose-administered.v1"
_TRANSCRIBED = "vaccination-record.dose-transcribed.v1"
_CORRECTED = "vaccination-record.dose-corrected.v1"
_IN_ERROR = "vaccination-record.dose-entered-in-error.v1"
_REINSTATED = "vaccination-record.dose-reinstated.v1"
_CONTRAINDICATED = "vaccination-record.contraindication-recorded.v1"
_LIFTED = "vaccination-record.contraindication-lifted.v1"
_REPORTED = "vaccination-record.adverse-event-reported.v1"
_CLASSIFIED = "vaccination-record.adverse-event-classified.v1"
_ADVERSE_EVENTS = frozenset((_REPORTED, _CLASSIFIED))
_RESTATING = (_CORRECTED, _IN_ERROR, _REINSTATED)
_DOSES = frozenset((_ADMINISTERED, _TRANSCRIBED, *_RESTATING))
_CONTRAINDICATIONS = frozenset((_CONTRAINDICATED, _LIFTED))

_CORRECTABLE = (
    "vaccine",
    "national_code",
    "dose_number",
    "product",
    "maker",
    "lot",
    "expires_on",
    "occurred_on",
    "site",
    "route",
    "quantity",
    "clinic",
    "source_system",
    "province",
)
_COLUMNS = ("record", *_CORRECTABLE, "provenance", "evidence_kind")
_FOR_EVER = FOR_EVER.isoformat()
_CONTRAINDICATION_COLUMNS = (
    "record",
    "vaccine_groups",
    "lasting",
    "valid_from",
    "valid_to",
    "lifted_on",
    "clinic",
)


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add doses and contraindications, and close the pieces that later entries replace."""
    doses = [change for change in changes if change.entry.topic in _DOSES]
    if doses:
        _apply_doses(cursor, doses)
    contraindications = [c for c in changes if c.entry.topic in _CONTRAINDICATIONS]
    if contraindications:
        _apply_contraindications(cursor, contraindications)
    _apply_adverse_events(cursor, [c for c in changes if c.entry.topic in _ADVERSE_EVENTS])


def _apply_doses(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add what a dose first says as it is said; make pieces of those that say more."""
    restated = {entry.data["dose"] for _, entry in changes if entry.topic in _RESTATING}
    pieces = _restated_doses(cursor, restated, changes) if restated else []
    with cursor.copy(_SQL["copy_doses"]) as rows:
        for position, entry in changes:
            data = entry.data
            if data["dose"] not in restated:
                day, said = data["derived"]["effective_on"], _said_first(entry).get
                span = (position, OPEN_POSITION, day, _FOR_EVER)
                rows.write_row((data["dose"], *span, *map(said, _COLUMNS)))
        for piece in pieces:
            rows.write_row(
                (
                    piece.key,
                    piece.known_from,
                    piece.known_to,
                    piece.effective_from,
                    piece.effective_to,
                    *map(piece.values.get, _COLUMNS),
                )
            )


def _said_first(entry: StoredEntry) -> Mapping[str, Any]:
    """Return what the entry says that gives or transcribes a dose, by column and more."""
    return {
        **entry.data,
        "record": entry.members["stream"],
        "provenance": _provenance(entry.topic, entry.data),
    }


def _restated_doses(
    cursor: Cursor, restated: set[str], changes: Sequence[Change]
) -> list[Piece[str]]:
    """Close the pieces of doses that the batch restates; return the new ones."""
    stored = _stored_doses(cursor, list(restated))
    pieces = Pieces(stored)
    _recall_ends(
        cursor,
        pieces,
        stored,
        [entry.data["dose"] for _, entry in changes if entry.topic == _REINSTATED],
    )
    for position, entry in changes:
        data = entry.data
        if (dose := data["dose"]) not in restated:
            continue
        day = date.fromisoformat(data["derived"]["effective_on"])
        if entry.topic == _CORRECTED:
            pieces.change(dose, position, day, _patch(data["changes"]))
        elif entry.topic == _IN_ERROR:
            pieces.end(dose, position, day)
        elif entry.topic == _REINSTATED:
            pieces.resume(dose, position, day)
        else:
            pieces.begin(dose, position, day, _said_first(entry))
    _close(cursor, "close_doses", pieces.closed())
    return pieces.added()


def _apply_contraindications(cursor: Cursor, changes: Sequence[Change]) -> None:
    lifted = [entry.data["contraindication"] for _, entry in changes if entry.topic == _LIFTED]
    pieces = Pieces(_stored_contraindications(cursor, lifted))
    for position, entry in changes:
        data = entry.data
        key = data["contraindication"]
        if entry.topic == _LIFTED:
            pieces.change(key, position, ALWAYS, {"lifted_on": data["on"]})
        else:
            pieces.begin(key, position, ALWAYS, {**data, "record": entry.stream})
    _close(cursor, "close_contraindications", pieces.closed())
    with cursor.copy(_SQL["copy_contraindications"]) as rows:
        for piece in pieces.added():
            said = [piece.values.get(column) for column in _CONTRAINDICATION_COLUMNS]
            rows.write_row((piece.key, piece.known_from, piece.known_to, *said))


def _apply_adverse_events(cursor: Cursor, changes: Sequence[Change]) -> None:
    """One by one: they are rare."""
    for position, entry in changes:
        query = "report" if entry.topic == _REPORTED else "classify"
        asked = {**entry.data, "record": entry.stream, "position": position}
        cursor.execute(_SQL[query], asked)


def _stored_doses(cursor: Cursor, doses: list[str]) -> list[Piece[str]]:
    if not doses:
        return []
    cursor.execute(_SQL["open_doses"], {"doses": doses})
    return [
        Piece(
            dose, known, OPEN_POSITION, start, end, dict(zip(_COLUMNS, values, strict=True)), True
        )
        for dose, known, start, end, *values in cursor.fetchall()
    ]


def _recall_ends(
    cursor: Cursor, pieces: Pieces[str], stored: Sequence[Piece[str]], reinstated: list[str]
) -> None:
    """Recall what was struck out last of doses that are to read again.

    It was closed at the position of the strike; what was left of its earlier days begins there,
    and ends on the day of the strike.
    """
    if not reinstated:
        return
    ended: dict[str, list[Piece[str]]] = {}
    cursor.execute(_SQL["last_closed_doses"], {"doses": reinstated})
    for dose, known, until, start, end, *values in cursor.fetchall():
        said = dict(zip(_COLUMNS, values, strict=True))
        ended.setdefault(dose, []).append(Piece(dose, known, until, start, end, said, True))
    for dose, closed in ended.items():
        struck_at = closed[0].known_to
        rest = (one for one in stored if one.key == dose and one.known_from == struck_at)
        day = max((piece.effective_to for piece in rest), default=ALWAYS)
        pieces.recall_end(dose, day, closed)


def _stored_contraindications(cursor: Cursor, keys: list[str]) -> list[Piece[str]]:
    if not keys:
        return []
    cursor.execute(_SQL["open_contraindications"], {"contraindications": keys})
    return [
        Piece(
            key,
            known,
            OPEN_POSITION,
            ALWAYS,
            date.max,
            dict(zip(_CONTRAINDICATION_COLUMNS, values, strict=True)),
            True,
        )
        for key, known, *values in cursor.fetchall()
    ]


def _close(cursor: Cursor, query: str, closed: Sequence[Piece[str]]) -> None:
    if closed:
        cursor.execute(
            _SQL[query],
            {
                "keys": [piece.key for piece in closed],
                "known": [piece.known_from for piece in closed],
                "days": [piece.effective_from for piece in closed],
                "until": [piece.known_to for piece in closed],
            },
        )


def _patch(changes: Sequence[Mapping[str, str]]) -> dict[str, str | None]:
    """Return what a correction says of the clear columns; an absent `after` empties one."""
    return {
        change["field"]: change.get("after")
        for change in changes
        if change["field"] in _CORRECTABLE
    }


def _provenance(topic: str, data: Mapping[str, Any]) -> str:
    """Tell where the knowledge comes from (C-26, C-27): shown beside every dose."""
    if topic == _ADMINISTERED:
        return "given"
    if "province" in data or data["source_system"] == "other-province":
        return "other-province"
    return "other-system" if data["evidence_kind"] == "other-system" else "paper"


PROJECTION = Projection(
    NAME,
    (*_DOSES, *_CONTRAINDICATIONS, *_ADVERSE_EVENTS),
    (
        Table("doses", ("dose", "from_position", "effective_from")),
        Table("contraindications", ("contraindication", "from_position")),
        Table("adverse_events", ("adverse_event", "from_position")),
    ),
    apply,
)
