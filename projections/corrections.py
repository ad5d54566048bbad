"""Corrections: where each of them stands, in versions by position."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from projections.change import Change
from projections.connection import Cursor, Pool
from projections.pieces import ALWAYS, FOR_EVER, OPEN_POSITION, Piece, Pieces
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "corrections"
_SQL = named_queries("corrections.sql")

_REQUESTED = "correction.requested.v1"
_PREFIX, _SUFFIX = "correction.", ".v1"
_DECIDED = frozenset(("rejected", "withdrawn"))
_COLUMNS = (
    "requested_position",
    "version",
    "record",
    "dose",
    "division",
    "kind",
    "urgency",
    "reason",
    "requested_by",
    "clinic",
    "list",
    "state",
    "decision",
    "effective_on",
)
_EMPTY: Mapping[str, Any] = dict.fromkeys(_COLUMNS)
_in_order = itemgetter(*_COLUMNS)


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Write the next version of each correction that took a step."""
    steps = [change for change in changes if change.entry.topic.startswith(_PREFIX)]
    if not steps:
        return
    earlier = [str(entry.stream) for _, entry in steps if entry.topic != _REQUESTED]
    pieces = Pieces(_stored(cursor, earlier))
    for position, entry in steps:
        key, data = str(entry.stream), entry.data
        state = entry.topic.removeprefix(_PREFIX).removesuffix(_SUFFIX)
        said = {"version": entry.version, "state": state}
        if entry.topic == _REQUESTED:
            values = {**_EMPTY, **data, **said, "requested_position": position}
            pieces.begin(key, position, ALWAYS, values)
            continue
        said["effective_on"] = data.get("derived", {}).get("effective_on")
        said["decision"] = data["reason"] if state in _DECIDED else None
        pieces.change(key, position, ALWAYS, said)
    _save(cursor, pieces)


def _stored(cursor: Cursor, corrections: list[str]) -> list[Piece[str]]:
    if not corrections:
        return []
    cursor.execute(_SQL["open_corrections"], {"corrections": corrections})
    return [
        Piece(
            key,
            known,
            OPEN_POSITION,
            ALWAYS,
            FOR_EVER,
            dict(zip(_COLUMNS, values, strict=True)),
            True,
        )
        for key, known, *values in cursor.fetchall()
    ]


def _save(cursor: Cursor, pieces: Pieces[str]) -> None:
    if closed := pieces.closed():
        asked = {
            "corrections": [piece.key for piece in closed],
            "known": [piece.known_from for piece in closed],
            "until": [piece.known_to for piece in closed],
        }
        cursor.execute(_SQL["close_corrections"], asked)
    with cursor.copy(_SQL["copy_corrections"]) as rows:
        for piece in pieces.added():
            rows.write_row((piece.key, piece.known_from, piece.known_to, *_in_order(piece.values)))


PROJECTION = Projection(
    NAME, (_PREFIX,), (Table("corrections", ("correction", "from_position")),), apply
)


@dataclass(frozen=True)
class CorrectionRow:
    """A correction as known at a position.

    Attributes:
        requested_position: Where it was asked for.
        version: Of its stream, for the next step.
        list: Digest of the mass correction that it belongs to.
        state: `requested`, `verified`, `applied`, `rejected` or `withdrawn`.
        decision: Why it was rejected or withdrawn.
        effective_on: From when views show it, once applied.
    """

    correction: UUID
    requested_position: int
    version: int
    record: UUID
    dose: UUID
    division: str
    kind: str
    urgency: str
    reason: str
    requested_by: str
    clinic: UUID
    list: str | None
    state: str
    decision: str | None
    effective_on: date | None


@dataclass(frozen=True)
class AppliedRow:
    """A correction that counts, and where it was applied."""

    correction: UUID
    record: UUID
    dose: UUID
    kind: str
    effective_on: date
    applied_position: int


@dataclass(frozen=True)
class Asked:
    """Which corrections are asked for; None for any.

    Attributes:
        division: First digits of the records' division.
        states: Where they stand.
        list: Digest of a mass correction.
    """

    division: str = ""
    record: UUID | None = None
    clinic: UUID | None = None
    states: Sequence[str] | None = None
    list: str | None = None


class Corrections:
    """Questions about corrections.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def applied(
        self, records: Collection[UUID], day: date, at_position: int | None = None
    ) -> Sequence[AppliedRow]:
        """Return the corrections of records that count on a day, oldest application first.

        Args:
            records: Whose.
            day: Civil day.
            at_position: What was known then; now when absent.
        """
        if not records:
            return []
        at = OPEN_POSITION - 1 if at_position is None else at_position
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(AppliedRow))
            asked = {"records": list(records), "day": day, "at": at}
            return cursor.execute(_SQL["applied"], asked).fetchall()

    def find(
        self, asked: Asked, *, at_position: int | None = None, after: int = 0, limit: int = 200
    ) -> Sequence[CorrectionRow]:
        """Return corrections in the order in which they were asked for.

        Args:
            asked: Which.
            at_position: What was known then; now when absent.
            after: Position of the request of the last one already had.
            limit: How many at most.
        """
        values = {
            "division": asked.division,
            "record": asked.record,
            "clinic": asked.clinic,
            "states": None if asked.states is None else list(asked.states),
            "list": asked.list,
            "at": OPEN_POSITION - 1 if at_position is None else at_position,
            "after": after,
            "limit": limit,
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(CorrectionRow))
            return cursor.execute(_SQL["corrections"], values).fetchall()
