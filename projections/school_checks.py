"""School checks: one row a child and school year, and one a missing or exempt dose.

Both of these keep row versions by position, so that the September register stays reproducible when
the November one has been made (S-14). What tables count are these child-level facts; nothing is
judged again here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from projections.change import Change
from projections.connection import Cursor
from projections.pieces import ALWAYS, FOR_EVER, OPEN_POSITION, Piece, Pieces
from projections.projection import Projection, Table
from projections.queries import named_queries
from projections.record_rows import MERGED_INTO

NAME = "school_checks"
_SQL = named_queries("school_checks.sql")

_ENROLLED = "enrolment.enrolled.v1"
_CHECKED = "enrolment.checked.v1"
_REISSUED = "enrolment.certificate-reissued.v1"
_RECHECKED = "enrolment.rechecked.v1"
_RESTATED = "enrolment.check-restated.v1"
_NOTICE = "enrolment.notice-given.v1"
_TOPICS = frozenset((_ENROLLED, _CHECKED, _REISSUED, _RECHECKED, _RESTATED))

_COLUMNS = (
    "enrolled_position",
    "record",
    "institution",
    "division",
    "school_year",
    "class_name",
    "entry_type",
    "admission",
    "number",
    "joined_on",
    "checked_on",
    "has_certificate",
    "age_years",
    "annex1_row",
    "complete",
    "requirement",
    "requirement_version",
    "record_version",
    "reissued_on",
    "rechecked_on",
    "completed",
)
_EMPTY: Mapping[str, Any] = dict.fromkeys(_COLUMNS)
_in_order = itemgetter(*_COLUMNS)
_FOUND = (
    "age_years",
    "annex1_row",
    "complete",
    "requirement",
    "requirement_version",
    "record_version",
)

Cell = tuple[str, str, int]
"""Enrolment, vaccine group, dose number."""


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Write the next version of each enrolment and cell that the entries change."""
    _note_notices(cursor, [change for change in changes if change.entry.topic == _NOTICE])
    concerned = [change for change in changes if change.entry.topic in _TOPICS]
    if concerned:
        _enter(cursor, concerned)
    _note_merges(cursor, [change for change in changes if change.entry.topic == MERGED_INTO])


def _enter(cursor: Cursor, concerned: Sequence[Change]) -> None:
    streams = {str(entry.stream) for _, entry in concerned if entry.topic != _ENROLLED}
    sheet = _Sheet.load(cursor, list(streams))
    for change in concerned:
        sheet.write(change)
    sheet.save(cursor)
    enrolled = [one.entry.data["record"] for one in concerned if one.entry.topic == _ENROLLED]
    if enrolled:
        cursor.execute(_SQL["note_twice_enrolled"], {"records": enrolled})
    restated = [change for change in concerned if change.entry.topic == _RESTATED]
    if restated:
        with cursor.copy(_SQL["copy_restated_checks"]) as rows:
            for position, entry in restated:
                rows.write_row((entry.stream, entry.data["correction"], position))


def _note_merges(cursor: Cursor, merges: Sequence[Change]) -> None:
    """Note whose records are one child's from now on, and were enrolled each."""
    if merges:
        asked = {
            "records": [change.entry.stream for change in merges],
            "survivors": [change.entry.data["survivor"] for change in merges],
            "positions": [change.position for change in merges],
        }
        cursor.execute(_SQL["note_merged_children"], asked)


def _note_notices(cursor: Cursor, given: Sequence[Change]) -> None:
    if not given:
        return
    with cursor.copy(_SQL["copy_notices_given"]) as rows:
        for position, entry in given:
            data, edition = entry.data, entry.data.get("derived", {})
            rows.write_row(
                (
                    *(entry.stream, position, data["given_on"], data["channel"]),
                    *(edition.get("requirement"), edition.get("requirement_version")),
                )
            )


@dataclass
class _Sheet:
    """The enrolments and cells that a batch works on."""

    enrolments: Pieces[str]
    cells: Pieces[Cell]
    cells_of: dict[str, list[Cell]]

    @classmethod
    def load(cls, cursor: Cursor, streams: list[str]) -> "_Sheet":
        enrolments: list[Piece[str]] = []
        cells: list[Piece[Cell]] = []
        cells_of: dict[str, list[Cell]] = {}
        if streams:
            cursor.execute(_SQL["open_enrolments"], {"enrolments": streams})
            for key, known, *row in cursor.fetchall():
                values = dict(zip(_COLUMNS, row, strict=True))
                enrolments.append(Piece(key, known, OPEN_POSITION, ALWAYS, FOR_EVER, values, True))
            cursor.execute(_SQL["open_cells"], {"enrolments": streams})
            for key, group, number, known, exempt, made_up_on in cursor.fetchall():
                said = {"exempt": exempt, "made_up_on": made_up_on}
                cell = (key, group, number)
                cells.append(Piece(cell, known, OPEN_POSITION, ALWAYS, FOR_EVER, said, True))
                cells_of.setdefault(key, []).append(cell)
        return cls(Pieces(enrolments), Pieces(cells), cells_of)

    def write(self, change: Change) -> None:
        position, entry = change
        key, data = str(entry.stream), entry.data
        if entry.topic == _ENROLLED:
            values = {**_EMPTY, **data, "enrolled_position": position}
            self.enrolments.begin(key, position, ALWAYS, values)
        elif entry.topic == _REISSUED:
            self._restate(key, position, {"reissued_on": data["reissued_on"]})
        elif entry.topic == _CHECKED:
            self._check(key, position, data)
        elif entry.topic == _RESTATED:
            self._restate_check(key, position, data["derived"])
        else:
            self._recheck(key, position, data)

    def save(self, cursor: Cursor) -> None:
        """Close what was replaced, then add what replaces it."""
        if closed := self.enrolments.closed():
            asked = {
                "enrolments": [piece.key for piece in closed],
                "known": [piece.known_from for piece in closed],
                "until": [piece.known_to for piece in closed],
            }
            cursor.execute(_SQL["close_enrolments"], asked)
        if closed_cells := self.cells.closed():
            asked = {
                "enrolments": [piece.key[0] for piece in closed_cells],
                "groups": [piece.key[1] for piece in closed_cells],
                "numbers": [piece.key[2] for piece in closed_cells],
                "known": [piece.known_from for piece in closed_cells],
                "until": [piece.known_to for piece in closed_cells],
            }
            cursor.execute(_SQL["close_cells"], asked)
        with cursor.copy(_SQL["copy_enrolments"]) as rows:
            for piece in self.enrolments.added():
                said = _in_order(piece.values)
                rows.write_row((piece.key, piece.known_from, piece.known_to, *said))
        if added := self.cells.added():
            with cursor.copy(_SQL["copy_cells"]) as rows:
                for cell in added:
                    said = [cell.values["exempt"], cell.values["made_up_on"]]
                    rows.write_row((*cell.key, cell.known_from, cell.known_to, *said))

    def _restate(self, key: str, position: int, patch: Mapping[str, Any]) -> None:
        self.enrolments.change(key, position, ALWAYS, patch)

    def _check(self, key: str, position: int, data: Mapping[str, Any]) -> None:
        """Put the finding in the place of an earlier one, with whatever was made up of that."""
        found = data["derived"]
        patch = {name: found.get(name) for name in _FOUND}
        patch |= {"checked_on": data["checked_on"], "has_certificate": data["has_certificate"]}
        self._restate(key, position, {**patch, "rechecked_on": None, "completed": None})
        self._replace_cells(key, position, found, {})

    def _restate_check(self, key: str, position: int, found: Mapping[str, Any]) -> None:
        """Put what the corrected record says in the place of the finding."""
        patch = {name: found.get(name) for name in _FOUND}
        self._restate(key, position, {**patch, "completed": found.get("completed")})
        self._replace_cells(key, position, found, _days(key, found["made_up"]))

    def _replace_cells(
        self, key: str, position: int, found: Mapping[str, Any], made_up: Mapping[Cell, date]
    ) -> None:
        for cell in self.cells_of.get(key, ()):
            self.cells.end(cell, position, ALWAYS)
        cells = dict.fromkeys(_cells(key, found["missing"]), False)
        cells |= dict.fromkeys(_cells(key, found["exempt"]), True)
        for cell, exempt in cells.items():
            said = {"exempt": exempt, "made_up_on": made_up.get(cell)}
            self.cells.begin(cell, position, ALWAYS, said)
        self.cells_of[key] = list(cells)

    def _recheck(self, key: str, position: int, data: Mapping[str, Any]) -> None:
        """Keep the finding (S-36) and date the cells that are made up by now (S-12)."""
        found = data["derived"]
        patch = {
            "rechecked_on": data["rechecked_on"],
            "completed": found["completed"],
            "record_version": found["record_version"],
        }
        self._restate(key, position, patch)
        made_up = _days(key, found["made_up"])
        for cell in dict.fromkeys((*self.cells_of.get(key, ()), *made_up)):
            said, day = self.cells.current(cell), made_up.get(cell)
            if said is None or said["made_up_on"] != day:  # None: unknown, which `change` refuses
                self.cells.change(cell, position, ALWAYS, {"made_up_on": day})


def _days(key: str, made_up: Sequence[Mapping[str, Any]]) -> dict[Cell, date]:
    return {
        (key, dose["vaccine_group"], dose["dose_number"]): date.fromisoformat(dose["date"])
        for dose in made_up
    }


def _cells(key: str, groups: Sequence[Mapping[str, Any]]) -> Iterator[Cell]:
    for group in groups:
        for number in group["dose_numbers"]:
            yield key, group["vaccine_group"], number


PROJECTION = Projection(
    NAME,
    (*_TOPICS, _NOTICE, MERGED_INTO),
    (
        Table("enrolments", ("enrolment", "from_position")),
        Table("cells", ("enrolment", "vaccine_group", "dose_number", "from_position")),
        Table("restated_checks", ("enrolment", "correction")),
        Table("twice_enrolled", ("record", "school_year", "entry_type")),
        Table("notices_given", ("enrolment", "position")),
    ),
    apply,
)
