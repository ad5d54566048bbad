"""What the views of records are made of, for many records in one trip to the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from projections.asking import Asked, columns_of
from projections.certificates import CertificateRow, GrantRow
from projections.connection import Pool
from projections.corrections import AppliedRow
from projections.doses import ContraindicationRow, DoseRow
from projections.gathering import gathered_each, rows_of_json
from projections.queries import named_queries
from projections.records import RECORD, RecordRow, record_row

_SQL = named_queries("about_record.sql")
_CERTIFICATES = named_queries("certificates.sql")
_DOSES = named_queries("doses.sql")
_ABOUT = (
    *RECORD,
    _DOSES["doses_of_record"],
    _DOSES["contraindications_of_record"],
    _SQL["corrections_of_record"],
    _SQL["held_of_record"],
)
_CLOCKS = {"record": "record", "day": "day", "at": "at"}
_ROWS = gathered_each(_SQL["asked_records"], _CLOCKS, *RECORD, _SQL["held_of_record"])
_OF_RECORDS = gathered_each(_SQL["asked_records"], _CLOCKS, *_ABOUT)
_OF_CERTIFICATES = gathered_each(
    _SQL["asked_certificates"],
    _CLOCKS | {"key": "certificate"},
    _CERTIFICATES["certificate"],
    _CERTIFICATES["grants"],
    *_ABOUT,
)


@dataclass(frozen=True)
class AboutRecord:
    """A record as known now, and what is said of it as known at a position.

    Attributes:
        row: The record itself.
        doses: As effective on a day, in the order in which they were given.
        contraindications: Those that hold on the day.
        corrections: Those that count on the day, oldest application first.
        held: Kinds of the claims, of those asked for, that are held of the record now.
    """

    row: RecordRow
    doses: Sequence[DoseRow]
    contraindications: Sequence[ContraindicationRow]
    corrections: Sequence[AppliedRow]
    held: frozenset[str]


@dataclass(frozen=True)
class AboutCertificate:
    """A certificate as known now, with every grant that it ever had, oldest first.

    `about` is what is said of its record; None where the views have none.
    """

    row: CertificateRow
    grants: Sequence[GrantRow]
    about: AboutRecord | None


class AboutRecords:
    """Questions about all that concerns one record.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def get(
        self, record: UUID, effective_on: date, at_position: int | None = None
    ) -> AboutRecord | None:
        """Return what is known of a record, None where there is no such record.

        What was merged into it counts with it.
        """
        (found,) = self._rows(_OF_RECORDS, [Asked(record, effective_on, at_position)], ())
        return _about(found)

    def rows(
        self, asked: Sequence[Asked], kinds: Sequence[str]
    ) -> list[tuple[RecordRow, frozenset[str]] | None]:
        """Return records themselves, each with the kinds of claims that are held of it.

        Args:
            asked: Which records; None stands for one that there is not.
            kinds: Of the claims that are looked for.
        """
        return [
            (row, _kinds(held)) if (row := record_row(*record)) else None
            for *record, held in self._rows(_ROWS, asked, kinds)
        ]

    def of_certificates(
        self, asked: Sequence[Asked], kinds: Sequence[str]
    ) -> list[AboutCertificate | None]:
        """Return certificates with what is known of their records, in the order of the questions.

        Args:
            asked: Which certificates; None stands for one that there is not.
            kinds: Of the claims that are looked for.
        """
        return [
            AboutCertificate(row, rows_of_json(GrantRow, grants), _about(about))
            if (row := next(iter(rows_of_json(CertificateRow, rows)), None))
            else None
            for rows, grants, *about in self._rows(_OF_CERTIFICATES, asked, kinds)
        ]

    def _rows(
        self, query: bytes, asked: Sequence[Asked], kinds: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        parameters = {**columns_of(asked), "kinds": list(kinds)}
        with self._pool.connection() as connection:
            return connection.execute(query, parameters).fetchall()


def _about(found: Sequence[str]) -> AboutRecord | None:
    row = record_row(*found[: len(RECORD)])
    if row is None:
        return None
    doses, contraindications, corrections, held = found[len(RECORD) :]
    return AboutRecord(
        row,
        rows_of_json(DoseRow, doses),
        rows_of_json(ContraindicationRow, contraindications),
        rows_of_json(AppliedRow, corrections),
        _kinds(held),
    )


def _kinds(held: str) -> frozenset[str]:
    return frozenset(one["kind"] for one in orjson.loads(held))
