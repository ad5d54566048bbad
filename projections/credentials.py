"""Offline credentials: where their status bits are, and which hold no more.

A correction counts from its day on (C-21): from then the bits of what was issued before are set,
whether or not a successor was issued yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from uuid import UUID

from psycopg.rows import class_row

from ledger.entry import Entry
from projections.change import Change
from projections.connection import Cursor, Pool
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "credentials"
_SQL = named_queries("credentials.sql")

_ISSUED = "certificate.credential-issued.v1"
_REVOKED = "certificate.credential-revoked.v1"
_CORRECTED = "vaccination-record.dose-corrected.v1"
_IN_ERROR = "vaccination-record.dose-entered-in-error.v1"
_REINSTATED = "vaccination-record.dose-reinstated.v1"
_AMENDED = "vaccination-record.identity-amended.v1"
_SEPARATED = "vaccination-record.separated.v1"
_SHREDDED = "vaccination-record.shredded.v1"
_RESTATING = (_IN_ERROR, _REINSTATED, _SEPARATED, _SHREDDED)
_SHOWN_OF_A_DOSE = frozenset(
    ("vaccine", "occurred_on", "lot", "clinic", "source_system", "province")
)
_SHOWN_OF_A_PERSON = frozenset(("name", "birth_date"))
_SHANGHAI = timezone(timedelta(hours=8))


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add credentials, end what is superseded or revoked, and note what restates a record."""
    issued = [change for change in changes if change.entry.topic == _ISSUED]
    if issued:
        _add_credentials(cursor, issued)
        _supersede(cursor, issued)
    revoked = [change for change in changes if change.entry.topic == _REVOKED]
    if revoked:
        _revoke(cursor, revoked)
    restated = [change for change in changes if _restates(change)]
    if restated:
        _add_restatements(cursor, restated)


def _add_credentials(cursor: Cursor, issued: Sequence[Change]) -> None:
    with cursor.copy(_SQL["copy_credentials"]) as rows:
        for position, entry in issued:
            data = entry.data
            rows.write_row(
                (
                    *(data["credential"], entry.stream, data["content"], data.get("entry_type")),
                    *(data["status_list"], data["status_index"], data["reflects"]),
                    *(data["effective_on"], data["expires_on"], position),
                )
            )


def _supersede(cursor: Cursor, issued: Sequence[Change]) -> None:
    ended = [(one, change.position) for change in issued for one in change.entry.data["supersedes"]]
    if ended:
        asked = {
            "credentials": [credential for credential, _ in ended],
            "positions": [position for _, position in ended],
        }
        cursor.execute(_SQL["supersede"], asked)


def _revoke(cursor: Cursor, revoked: Sequence[Change]) -> None:
    asked = {
        "credentials": [change.entry.data["credential"] for change in revoked],
        "positions": [change.position for change in revoked],
    }
    cursor.execute(_SQL["revoke"], asked)


def _restates(change: Change) -> bool:
    """Whether a credential issued before may show what is right no more."""
    topic, data = change.entry.topic, change.entry.data
    if topic == _CORRECTED:
        return any(one["field"] in _SHOWN_OF_A_DOSE for one in data["changes"])
    if topic == _AMENDED:
        return not _SHOWN_OF_A_PERSON.isdisjoint(data["fields"])
    return topic in _RESTATING


def _add_restatements(cursor: Cursor, restated: Sequence[Change]) -> None:
    with cursor.copy(_SQL["copy_restatements"]) as rows:
        for position, entry in restated:
            person = entry.data.get("person")
            rows.write_row((entry.stream, position, _effective_day(entry), person))


def _effective_day(entry: Entry) -> date:
    """The day that the entry states; a shred or a separation counts at once."""
    stated = entry.data.get("derived", {}).get("effective_on")
    if stated is not None:
        return date.fromisoformat(stated)
    return entry.recorded_at.astimezone(_SHANGHAI).date()


PROJECTION = Projection(
    NAME,
    (_ISSUED, _REVOKED, _CORRECTED, _AMENDED, *_RESTATING),
    (Table("credentials", ("credential",)), Table("restatements", ("record", "position"))),
    apply,
)


@dataclass(frozen=True)
class OutdatedRow:
    """A credential in force by the log that shows what was corrected."""

    certificate: UUID
    credential: UUID
    content: str
    entry_type: str | None


@dataclass(frozen=True)
class Status:
    """The set bits of one status list.

    Attributes:
        ended: Indexes of credentials that hold no more.
        superseded: Those of them that have a successor.
    """

    ended: frozenset[int]
    superseded: frozenset[int]


class Credentials:
    """Questions about credentials.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def outdated(self, day: date, certificate: UUID | None = None) -> list[OutdatedRow]:
        """Return those whose content was corrected with effect up to a day.

        Args:
            day: Civil day.
            certificate: Of which certificate only.
        """
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(OutdatedRow))
            asked = {"day": day, "certificate": certificate}
            return cursor.execute(_SQL["outdated"], asked).fetchall()

    def status(self, number: int, day: date) -> Status:
        """Return the bits of a status list that are set on a day."""
        with self._pool.connection() as connection:
            rows = connection.execute(_SQL["status"], {"list": number, "day": day}).fetchall()
        superseded = frozenset(index for index, is_superseded in rows if is_superseded)
        return Status(frozenset(index for index, _ in rows), superseded)

    def statement_status(self, first: int, after: int) -> Status:
        """Return the log positions, from `first`, of check statements that hold no more.

        Args:
            first: First position.
            after: The one after the last.
        """
        with self._pool.connection() as connection:
            asked = {"first": first, "after": after}
            rows = connection.execute(_SQL["statement_status"], asked).fetchall()
        superseded = frozenset(position for position, is_superseded in rows if is_superseded)
        return Status(frozenset(position for position, _ in rows), superseded)

    def newest_position(self) -> int:
        """Return the last position that the views of records show."""
        with self._pool.connection() as connection:
            row = connection.execute(_SQL["newest_position"]).fetchone()
        return row[0] if row else 0

    def lists(self) -> int:
        """Return how many status lists are in use; there is always a first."""
        with self._pool.connection() as connection:
            row = connection.execute(_SQL["lists"]).fetchone()
        return 1 + (row[0] or 0 if row else 0)
