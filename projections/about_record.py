"""What the views of one record are made of, in one trip to the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import orjson

from projections.connection import Pool
from projections.corrections import AppliedRow
from projections.doses import ContraindicationRow, DoseRow
from projections.gathering import gathered, rows_of_json
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries
from projections.records import RECORD, RecordRow, record_row

_SQL = named_queries("about_record.sql")
_DOSES = named_queries("doses.sql")
_ABOUT = gathered(
    *RECORD,
    _DOSES["doses_of_record"],
    _DOSES["contraindications_of_record"],
    _SQL["corrections_of_record"],
    _SQL["held_of_record"],
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


class AboutRecords:
    """Questions about all that concerns one record.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def get(
        self,
        record: UUID,
        effective_on: date,
        at_position: int | None = None,
        *,
        kinds: Sequence[str] = (),
    ) -> AboutRecord | None:
        """Return what is known of a record, None where there is no such record.

        What was merged into it counts with it.

        Args:
            record: The record.
            effective_on: Civil day.
            at_position: What was known then; now when absent.
            kinds: Of the claims that are looked for.
        """
        at = OPEN_POSITION - 1 if at_position is None else at_position
        with self._pool.connection() as connection:
            asked = {"record": record, "day": effective_on, "at": at, "kinds": list(kinds)}
            found = connection.execute(_ABOUT, asked).fetchone()
        if found is None or (row := record_row(*found[: len(RECORD)])) is None:
            return None
        doses, contraindications, corrections, held = found[len(RECORD) :]
        return AboutRecord(
            row,
            rows_of_json(DoseRow, doses),
            rows_of_json(ContraindicationRow, contraindications),
            rows_of_json(AppliedRow, corrections),
            frozenset(one["kind"] for one in orjson.loads(held)),
        )
