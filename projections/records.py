"""Vaccination records: who they are about by handle, who manages them, and their timeline."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from projections.connection import Pool
from projections.gathering import cast, gathered, rows_of_json
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries

_SQL = named_queries("records.sql")

RECORD = (_SQL["record"], _SQL["guardians"], _SQL["rolls"], _SQL["merged"])
"""What a record's row is gathered from."""
_RECORD = gathered(*RECORD)


@dataclass(frozen=True)
class GuardianRow:
    """A guardian by handle."""

    person: UUID
    relation: str


@dataclass(frozen=True)
class RollRow:
    """One state of the roll; organisation and division only where they changed."""

    position: int
    status: str
    moved_on: date
    effective_on: date
    managing_organisation: UUID | None
    division: str | None


@dataclass(frozen=True)
class RecordRow:
    """A record as known now.

    Attributes:
        version: Entries in its stream, for an ETag.
        guardians: In the order of the registration.
        rolls: Oldest first.
        merged: Records that were merged into this one.
        merged_into: Record that this one was merged into.
    """

    record: UUID
    recipient: UUID
    kind: str
    birth_year: int
    managing_organisation: UUID
    division: str
    roll: str
    registered_on: date
    registered_position: int
    version: int
    guardians: tuple[GuardianRow, ...]
    rolls: tuple[RollRow, ...]
    merged: tuple[UUID, ...] = ()
    merged_into: UUID | None = None


def record_row(record: str, guardians: str, rolls: str, merged: str) -> RecordRow | None:
    """Return the row that the columns of `RECORD` tell of, None where there is no such record."""
    found = orjson.loads(record)
    if not found:
        return None
    return RecordRow(
        **cast(RecordRow, found[0]),
        guardians=tuple(rows_of_json(GuardianRow, guardians)),
        rolls=tuple(rows_of_json(RollRow, rolls)),
        merged=tuple(UUID(row["record"]) for row in orjson.loads(merged)),
    )


@dataclass(frozen=True)
class TimelineRow:
    """One entry about a record; the entry at `position` has its reason, before and after."""

    position: int
    record: UUID
    stream: UUID
    version: int
    topic: str
    recorded_at: datetime
    organisation: UUID
    keyid: str
    occurred_on: date | None
    effective_on: date | None
    dose: UUID | None


class Page(NamedTuple):
    """Lines of a timeline.

    Attributes:
        records: A record, and what was merged into it.
        up_to: Last position to look at.
        after: Position of the last line already had.
        limit: How many lines at most.
    """

    records: tuple[UUID, ...]
    up_to: int
    after: int
    limit: int


class Records:
    """Questions about records.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def get(self, record: UUID) -> RecordRow | None:
        """Return one record."""
        with self._pool.connection() as connection:
            found = connection.execute(_RECORD, {"record": record}).fetchone()
        return record_row(*found) if found else None

    def of_person(self, handle: UUID) -> list[UUID]:
        """Return the records that a person is recipient or guardian of, oldest first."""
        return self._ids("records_of_person", {"handle": handle})

    def streams_of(self, record: UUID) -> list[UUID]:
        """Return the streams about a record, itself among them."""
        return self._ids("streams_of_record", {"record": record})

    def newest_statements(self, records: Collection[UUID], at: int) -> dict[UUID, UUID]:
        """Return by record the check statement that was issued last, as known at a position."""
        asked = {"records": list(records), "at": at}
        with self._pool.connection() as connection:
            return dict(connection.execute(_SQL["newest_statements"], asked).fetchall())

    def records_of(self, positions: Collection[int]) -> dict[int, UUID]:
        """Return by position the record that an entry is about; about none, and it is missing."""
        return self._by_position("records_of_positions", {"positions": list(positions)})

    def positions_of(self, records: Collection[UUID]) -> dict[int, UUID]:
        """Return by position the record of every entry about some records."""
        return self._by_position("positions_of_records", {"records": list(records)})

    def managed_by(self, organisation: UUID, after: int = 0, limit: int = 100) -> list[UUID]:
        """Return records that an organisation manages, by position of registration.

        Args:
            organisation: The clinic.
            after: Position of registration of the last one already had.
            limit: How many at most.
        """
        asked = {"organisation": organisation, "after": after, "limit": limit}
        return self._ids("records_managed_by", asked)

    def timeline(
        self,
        records: Collection[UUID],
        *,
        up_to: int | None = None,
        after: int = 0,
        limit: int = 200,
    ) -> list[TimelineRow]:
        """Return what happened about records, oldest first.

        Args:
            records: A record, and what was merged into it.
            up_to: Last position to look at.
            after: Position of the last line already had.
            limit: How many at most.
        """
        last = OPEN_POSITION if up_to is None else up_to
        (found,) = self.timelines([Page(tuple(records), last, after, limit)])
        return found

    def timelines(self, pages: Sequence[Page]) -> list[list[TimelineRow]]:
        """Return pages of timelines, in their order."""
        lines: list[list[TimelineRow]] = [[] for _ in pages]
        asked = [
            (number, record, page.after, page.up_to, page.limit)
            for number, page in enumerate(pages)
            for record in page.records
        ]
        if not asked:
            return lines
        names = ("numbers", "records", "afters", "up_to", "limits")
        columns = dict(zip(names, map(list, zip(*asked, strict=True)), strict=True))
        with self._pool.connection() as connection:
            for number, *row in connection.execute(_SQL["timelines"], columns):
                lines[number].append(TimelineRow(*row))
        return [found[: page.limit] for found, page in zip(lines, pages, strict=True)]

    def _by_position(self, query: str, asked: dict[str, Any]) -> dict[int, UUID]:
        with self._pool.connection() as connection:
            return dict(connection.execute(_SQL[query], asked).fetchall())

    def _ids(self, query: str, asked: dict[str, Any]) -> list[UUID]:
        with self._pool.connection() as connection:
            return [row[0] for row in connection.execute(_SQL[query], asked)]
