"""A record as it was known at a position: folded from its stream (DESIGN section 9)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from projections.change import Change
from projections.record_rows import (
    AMENDED,
    GUARDIAN_ADDED,
    GUARDIAN_REMOVED,
    MERGED,
    MERGED_INTO,
    REGISTERED,
    ROLL_CHANGED,
    SEPARATED,
    SEPARATED_FROM,
)
from projections.records import GuardianRow, RecordRow, RollRow

_MERGES = frozenset((MERGED, SEPARATED, MERGED_INTO, SEPARATED_FROM))


def record_as_of(changes: Iterable[Change], position: int) -> RecordRow | None:
    """Return the record as its row read when the log ended at a position.

    Args:
        changes: The stream of the record, in order.
        position: What was known up to there.

    Returns:
        The row, or None where the record was not yet registered.
    """
    row: RecordRow | None = None
    for change in changes:
        if change.position > position:
            break
        row = _registered(change) if row is None else _changed(row, change)
    return row


def _registered(change: Change) -> RecordRow:
    position, entry = change
    data = entry.data
    assert entry.topic == REGISTERED
    day = date.fromisoformat(data["derived"]["effective_on"])
    manager = UUID(data["managing_organisation"])
    guardians = tuple(
        GuardianRow(UUID(guardian["person"]), guardian["relation"])
        for guardian in data["guardians"]
    )
    return RecordRow(
        record=entry.stream,
        recipient=UUID(data["recipient"]),
        kind=data["kind"],
        birth_year=data["birth_year"],
        managing_organisation=manager,
        division=data["division"],
        roll=data["roll"],
        registered_on=day,
        registered_position=position,
        version=entry.version,
        guardians=guardians,
        rolls=(RollRow(position, data["roll"], day, day, manager, data["division"]),),
    )


def _changed(row: RecordRow, change: Change) -> RecordRow:
    position, entry = change
    row = replace(row, version=entry.version)
    if entry.topic == AMENDED:
        return replace(row, birth_year=entry.data.get("birth_year", row.birth_year))
    if entry.topic == GUARDIAN_ADDED:
        added = GuardianRow(UUID(entry.data["person"]), entry.data["relation"])
        return replace(row, guardians=(*row.guardians, added))
    if entry.topic == GUARDIAN_REMOVED:
        gone = UUID(entry.data["person"])
        left = tuple(guardian for guardian in row.guardians if guardian.person != gone)
        return replace(row, guardians=left)
    if entry.topic in _MERGES:
        return _merged(row, entry.topic, entry.data)
    if entry.topic == ROLL_CHANGED:
        moved = _moved(position, entry.data)
        return replace(
            row,
            roll=moved.status,
            managing_organisation=moved.managing_organisation or row.managing_organisation,
            division=moved.division or row.division,
            rolls=(*row.rolls, moved),
        )
    return row


def _merged(row: RecordRow, topic: str, data: Any) -> RecordRow:
    if topic == MERGED_INTO:
        return replace(row, merged_into=UUID(data["survivor"]))
    if topic == SEPARATED_FROM:
        return replace(row, merged_into=None)
    duplicate = UUID(data["duplicate"])
    others = tuple(one for one in row.merged if one != duplicate)
    return replace(row, merged=(*others, duplicate) if topic == MERGED else others)


def _moved(position: int, data: Any) -> RollRow:
    manager = data.get("managing_organisation")
    return RollRow(
        position,
        data["status"],
        date.fromisoformat(data["on"]),
        date.fromisoformat(data["derived"]["effective_on"]),
        UUID(manager) if manager else None,
        data.get("division"),
    )
