"""Vaccination records: who they are about by handle, who manages them, and their timeline.

The record's row is what is known now; a record as of an earlier position is folded from its
stream. Birth year and roll follow at once; `rolls` has the days from which they count.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from projections.change import Change
from projections.connection import Cursor, Pool
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "records"
_SQL = named_queries("records.sql")

REGISTERED = "vaccination-record.registered.v1"
ROLL_CHANGED = "vaccination-record.roll-changed.v1"
AMENDED = "vaccination-record.identity-amended.v1"
GUARDIAN_ADDED = "vaccination-record.guardian-added.v1"
GUARDIAN_REMOVED = "vaccination-record.guardian-removed.v1"
MERGED = "vaccination-record.merged.v1"
SEPARATED = "vaccination-record.separated.v1"
MERGED_INTO = "vaccination-record.merged-into.v1"
SEPARATED_FROM = "vaccination-record.separated-from.v1"

_OF_GUARDIANS = frozenset((GUARDIAN_ADDED, GUARDIAN_REMOVED))
_OF_DUPLICATES = frozenset((MERGED_INTO, SEPARATED_FROM))

# Streams whose first entry names the record that all their entries belong to.
_ABOUT_A_RECORD = ("correction.", "certificate.", "enrolment.", "check-statement.")
_OTHER_DAYS = ("checked_on", "rechecked_on", "reissued_on", "joined_on", "on")


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add records and timeline lines, then the latest roll and birth year of each record."""
    by_topic: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_topic[change.entry.topic].append(change)
    registered = by_topic[REGISTERED]
    if registered:
        _add_records(cursor, registered)
    if registered or by_topic[ROLL_CHANGED]:
        _add_rolls(cursor, registered, by_topic[ROLL_CHANGED])
    _change_guardians(cursor, [one for one in changes if one.entry.topic in _OF_GUARDIANS])
    _amend_birth_years(cursor, by_topic[AMENDED])
    _merge(cursor, [change for change in changes if change.entry.topic in _OF_DUPLICATES])
    _add_timeline(cursor, changes)


def _add_records(cursor: Cursor, registered: Sequence[Change]) -> None:
    with cursor.copy(_SQL["copy_records"]) as rows:
        for position, entry in registered:
            data = entry.data
            rows.write_row(
                (
                    entry.stream,
                    data["recipient"],
                    data["kind"],
                    data["birth_year"],
                    data["managing_organisation"],
                    data["division"],
                    data["roll"],
                    data["derived"]["effective_on"],
                    position,
                )
            )
    with cursor.copy(_SQL["copy_guardians"]) as rows:
        for _, entry in registered:
            for ordinal, guardian in enumerate(entry.data["guardians"]):
                rows.write_row((entry.stream, ordinal, guardian["person"], guardian["relation"]))


def _add_rolls(cursor: Cursor, registered: Sequence[Change], moved: Sequence[Change]) -> None:
    with cursor.copy(_SQL["copy_rolls"]) as rows:
        for position, entry in registered:
            data, day = entry.data, entry.data["derived"]["effective_on"]
            manager = data["managing_organisation"]
            rows.write_row(
                (entry.stream, position, data["roll"], day, day, manager, data["division"])
            )
        for position, entry in moved:
            data = entry.data
            rows.write_row(
                (
                    entry.stream,
                    position,
                    data["status"],
                    data["on"],
                    data["derived"]["effective_on"],
                    data.get("managing_organisation"),
                    data.get("division"),
                )
            )
    if moved:
        streams = list({change.entry.stream for change in moved})
        cursor.execute(_SQL["follow_rolls"], {"records": streams})


def _change_guardians(cursor: Cursor, changes: Sequence[Change]) -> None:
    for _, entry in changes:
        query = "add_guardian" if entry.topic == GUARDIAN_ADDED else "remove_guardian"
        asked = {"relation": None, **entry.data, "record": entry.stream}
        cursor.execute(_SQL[query], asked)


def _merge(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Follow the duplicates' own entries; the survivors' say the same."""
    for position, entry in changes:
        query = "merge" if entry.topic == MERGED_INTO else "separate"
        survivor = entry.data["survivor"]
        asked = {"record": entry.stream, "survivor": survivor, "position": position}
        cursor.execute(_SQL[query], asked)


def _amend_birth_years(cursor: Cursor, amended: Sequence[Change]) -> None:
    years = {
        entry.stream: entry.data["birth_year"] for _, entry in amended if "birth_year" in entry.data
    }
    if years:
        cursor.execute(
            _SQL["amend_birth_years"],
            {"records": list(years), "years": list(years.values())},
        )


def _add_timeline(cursor: Cursor, changes: Sequence[Change]) -> None:
    about = [
        change
        for change in changes
        if change.entry.topic.startswith(("vaccination-record.", *_ABOUT_A_RECORD))
    ]
    if not about:
        return
    record_of = _records_of_streams(cursor, about)
    with cursor.copy(_SQL["copy_timeline"]) as rows:
        for position, entry in about:
            data = entry.data
            rows.write_row(
                (
                    position,
                    record_of[str(entry.stream)],
                    entry.stream,
                    entry.version,
                    entry.topic,
                    entry.recorded_at,
                    entry.author.org,
                    entry.author.keyid,
                    _occurred_on(data),
                    data.get("derived", {}).get("effective_on"),
                    data.get("dose"),
                )
            )


def _occurred_on(data: Mapping[str, Any]) -> str | None:
    """Return the day that an entry says its fact happened on."""
    if "occurred_on" in data:
        return str(data["occurred_on"])
    return next((data[name] for name in _OTHER_DAYS if name in data), None)


def _records_of_streams(cursor: Cursor, about: Sequence[Change]) -> dict[str, str]:
    """Tell which record each stream belongs to: itself, or what its first entry names."""
    record_of: dict[str, str] = {}
    unknown: set[str] = set()
    for _, entry in about:
        stream = str(entry.stream)
        if entry.topic.startswith("vaccination-record."):
            record_of[stream] = stream
        elif entry.version == 1:
            record_of[stream] = entry.data["record"]
        elif stream not in record_of:
            unknown.add(stream)
    if unknown:
        cursor.execute(_SQL["records_of_streams"], {"streams": list(unknown)})
        record_of.update(cursor.fetchall())
    return record_of


PROJECTION = Projection(
    NAME,
    (
        Table("records", ("record",)),
        Table("guardians", ("record", "ordinal")),
        Table("rolls", ("record", "position")),
        Table("merges", ("record", "from_position")),
        Table("timeline", ("position",)),
    ),
    apply,
)


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
            asked = {"record": record}
            row = connection.cursor(row_factory=dict_row).execute(_SQL["record"], asked).fetchone()
            if row is None:
                return None
            guardians = connection.cursor(row_factory=class_row(GuardianRow))
            guardians.execute(_SQL["guardians"], asked)
            rolls = connection.cursor(row_factory=class_row(RollRow))
            rolls.execute(_SQL["rolls"], asked)
            merged = connection.execute(_SQL["merged"], asked)
            return RecordRow(
                **row,
                guardians=tuple(guardians),
                rolls=tuple(rolls),
                merged=tuple(one for (one,) in merged),
            )

    def of_person(self, handle: UUID) -> list[UUID]:
        """Return the records that a person is recipient or guardian of, oldest first."""
        return self._ids("records_of_person", {"handle": handle})

    def streams_of(self, record: UUID) -> list[UUID]:
        """Return the streams about a record, itself among them."""
        return self._ids("streams_of_record", {"record": record})

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
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(TimelineRow))
            return cursor.execute(
                _SQL["timeline"],
                {"records": list(records), "up_to": up_to, "after": after, "limit": limit},
            ).fetchall()

    def _by_position(self, query: str, asked: dict[str, Any]) -> dict[int, UUID]:
        with self._pool.connection() as connection:
            return dict(connection.execute(_SQL[query], asked).fetchall())

    def _ids(self, query: str, asked: dict[str, Any]) -> list[UUID]:
        with self._pool.connection() as connection:
            return [row[0] for row in connection.execute(_SQL[query], asked)]
