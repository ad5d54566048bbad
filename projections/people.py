"""Who a handle is: names, numbers, contacts. The only projection with personal values in clear.

It lives in the key database. Rows say what one stream says of one person, with two clocks: an
amendment reads from its effective day on (C-21, C-23). A person whose key was destroyed cannot be
unsealed and has no rows; the digest covers handles, positions and days, never a value.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta, timezone
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from projections.asking import Asked, columns_of
from projections.change import Change
from projections.connection import Connection, Cursor, Pool
from projections.pieces import OPEN_POSITION, Piece, Pieces
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "people"
_SQL = named_queries("people.sql")

_AMENDED = "vaccination-record.identity-amended.v1"
_TOPICS = frozenset(
    (
        "vaccination-record.registered.v1",
        "vaccination-record.guardian-added.v1",
        "certificate.granted.v1",
        _AMENDED,
    )
)
_SHANGHAI = timezone(timedelta(hours=8))

Key = tuple[str, str]
"""Handle and stream."""


class Unsealer(Protocol):
    """Who can open sealed values."""

    def unseal(
        self, changes: Sequence[Change]
    ) -> Mapping[tuple[int, UUID], Mapping[str, Any] | None]:
        """Open what is sealed in entries.

        Returns:
            By position and person: the values, or None where the person's key was destroyed.
        """


@dataclass(frozen=True)
class Person:
    """What is known of a person on a day; None for what nobody said."""

    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    id_type: str | None = None
    id_number: str | None = None
    birth_certificate_number: str | None = None
    certificate_number: str | None = None
    household_division: str | None = None
    residence_division: str | None = None
    address: str | None = None
    phone: str | None = None


_COLUMNS = tuple(field.name for field in fields(Person))


class Listed(NamedTuple):
    """What lists of children show of a person."""

    name: str | None
    sex: str | None
    birth_date: date | None
    phone: str | None


def projection(unsealer: Unsealer) -> Projection:
    """Return the projection.

    Args:
        unsealer: Opens the sealed values of the entries that it is fed.
    """

    def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
        concerned = [
            change for change in changes if change.entry.topic in _TOPICS and change.entry.sealed
        ]
        if concerned:
            _apply(cursor, concerned, unsealer.unseal(concerned))

    key = ("handle", "stream", "from_position", "effective_from")
    digested = (*key[:3], "to_position", key[3], "effective_to")
    table = Table("people", key, digested, sought=("stream",))
    return Projection(NAME, tuple(_TOPICS), (table,), apply)


def _apply(
    cursor: Cursor,
    changes: Sequence[Change],
    opened: Mapping[tuple[int, UUID], Mapping[str, Any] | None],
) -> None:
    streams = [str(entry.stream) for _, entry in changes if entry.topic == _AMENDED]
    pieces = Pieces(_stored(cursor, streams))
    for change in changes:
        position, entry = change
        day = _effective_day(change)
        for seal in entry.sealed:
            values = opened.get((position, UUID(seal.subject)))
            if values is None:  # destroyed
                continue
            key = (seal.subject, str(entry.stream))
            if entry.topic == _AMENDED:
                after = values["after"]
                said = {name: after.get(name) for name in entry.data["fields"] if name in _COLUMNS}
            else:
                said = {name: values[name] for name in _COLUMNS if name in values}
            if key in pieces:
                pieces.change(key, position, day, said)
            else:
                pieces.begin(key, position, day, said)
    _close(cursor, pieces.closed())
    with cursor.copy(_SQL["copy_people"]) as rows:
        for piece in pieces.added():
            rows.write_row(
                (
                    *piece.key,
                    piece.known_from,
                    piece.known_to,
                    piece.effective_from,
                    piece.effective_to,
                    *[piece.values.get(column) for column in _COLUMNS],
                )
            )


def _effective_day(change: Change) -> date:
    """Return the day that the entry states, else the civil day on which it was recorded."""
    stated = change.entry.data.get("derived", {}).get("effective_on")
    if stated is not None:
        return date.fromisoformat(stated)
    return change.entry.recorded_at.astimezone(_SHANGHAI).date()


def _stored(cursor: Cursor, streams: list[str]) -> list[Piece[Key]]:
    if not streams:
        return []
    cursor.execute(_SQL["open_people"], {"streams": streams})
    return [
        Piece(
            (handle, stream),
            known,
            OPEN_POSITION,
            start,
            end,
            dict(zip(_COLUMNS, values, strict=True)),
            True,
        )
        for handle, stream, known, start, end, *values in cursor.fetchall()
    ]


def _close(cursor: Cursor, closed: Sequence[Piece[Key]]) -> None:
    if closed:
        cursor.execute(
            _SQL["close_people"],
            {
                "handles": [piece.key[0] for piece in closed],
                "streams": [piece.key[1] for piece in closed],
                "known": [piece.known_from for piece in closed],
                "days": [piece.effective_from for piece in closed],
                "until": [piece.known_to for piece in closed],
            },
        )


class People:
    """Questions about people.

    Args:
        pool: Connections to the key database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def position(self) -> int:
        """Return up to where personal values are applied."""
        with self._pool.connection() as connection:
            row = connection.execute(_SQL["position"]).fetchone()
            return row[0] if row else 0

    def lookup(
        self, handles: Collection[UUID], effective_on: date, at_position: int | None = None
    ) -> dict[UUID, Person]:
        """Return what is known of people; whoever is missing is unknown or was deleted.

        Where several streams speak of a person, the newest word on each field wins.

        Args:
            handles: Whom.
            effective_on: Civil day.
            at_position: What was known then; now when absent.
        """
        asked = [Asked(handle, effective_on, at_position) for handle in set(handles)]
        return {one.which: person for one, person in self.lookup_each(asked).items()}

    def lookup_each(self, asked: Collection[Asked]) -> dict[Asked, Person]:
        """Return likewise what each question asks for."""
        if not asked:
            return {}
        numbered = list(asked)
        found: dict[Asked, dict[str, Any]] = {}
        with self._pool.connection() as connection:
            for number, *row in connection.execute(_SQL["people"], columns_of(numbered)):
                said = {name: value for name, value in zip(_COLUMNS, row, strict=True) if value}
                found.setdefault(numbered[number - 1], {}).update(said)
        return {one: Person(**said) for one, said in found.items()}

    def listed(
        self, handles: Collection[UUID], effective_on: date, at_position: int
    ) -> tuple[int, dict[UUID, Listed]]:
        """Return up to where personal values are applied, and what a list shows of people.

        Whoever is missing, and was registered up to there, was deleted.
        """
        asked = {"handles": list(handles), "day": effective_on, "at": at_position}
        with self._pool.connection() as connection:
            rows = connection.execute(_SQL["people_of_list"], asked).fetchall()
        found: dict[UUID, Listed] = {}
        for _, handle, *said in rows:
            if handle is not None:
                found[handle] = _newest(found.get(handle), Listed(*said))
        return rows[0][0], found


def _newest(before: Listed | None, said: Listed) -> Listed:
    if before is None:
        return said
    return Listed(
        said.name or before.name,
        said.sex or before.sex,
        said.birth_date or before.birth_date,
        said.phone or before.phone,
    )


def erase(connection: Connection, handles: Collection[UUID], streams: Collection[UUID]) -> int:
    """Delete all rows of people, and all that streams say of anyone; return how many there were.

    Part of destroying keys: the projection cannot write them again, since nothing opens any more.

    Args:
        connection: As the role that projects people.
        handles: Whose keys are destroyed.
        streams: Streams about a record that was shredded.
    """
    asked = {"handles": list(handles), "streams": list(streams)}
    return connection.execute(_SQL["erase_people"], asked).rowcount
