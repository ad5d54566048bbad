"""How records follow the log: the rows that entries make, and those that they change.

The record's row is what is known now; a record as of an earlier position is folded from its
stream. Birth year and roll follow at once; `rolls` has the days from which they count.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from projections.change import Change
from projections.connection import Cursor
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
_OF_A_RECORD = "vaccination-record."
_ABOUT_A_RECORD = ("correction.", "certificate.", "enrolment.", "check-statement.")
_FOLLOWED = (_OF_A_RECORD, *_ABOUT_A_RECORD)
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
                    entry.members["stream"],
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
                who = guardian["person"]
                rows.write_row((entry.members["stream"], ordinal, who, guardian["relation"]))


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
    about = [change for change in changes if change.entry.topic.startswith(_FOLLOWED)]
    if not about:
        return
    record_of = _records_of_streams(cursor, about)
    with cursor.copy(_SQL["copy_timeline"]) as rows:
        for position, entry in about:
            data, members = entry.data, entry.members
            stream, author = members["stream"], members["author"]
            rows.write_row(
                (
                    position,
                    record_of.get(stream, stream),
                    stream,
                    entry.version,
                    entry.topic,
                    members["recorded_at"],
                    author["org"],
                    author["keyid"],
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
    """Tell which record a stream belongs to that is none: what its first entry names."""
    record_of: dict[str, str] = {}
    unknown: set[str] = set()
    for _, entry in about:
        stream = entry.members["stream"]
        if entry.topic.startswith(_OF_A_RECORD):
            continue
        if entry.version == 1:
            record_of[stream] = entry.data["record"]
        elif stream not in record_of:
            unknown.add(stream)
    if unknown:
        cursor.execute(_SQL["records_of_streams"], {"streams": list(unknown)})
        record_of.update(cursor.fetchall())
    return record_of


PROJECTION = Projection(
    NAME,
    _FOLLOWED,
    (
        Table("records", ("record",)),
        Table("guardians", ("record", "ordinal")),
        Table("rolls", ("record", "position")),
        Table("merges", ("record", "from_position")),
        Table("timeline", ("position",), sought=("stream",)),
    ),
    apply,
)
