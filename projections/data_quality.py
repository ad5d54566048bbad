"""Data quality of clinics: how soon, how completely and how plausibly they write doses.

Counts by clinic and day of recording, from clear fields alone. What a dose turned out to be later
changes no count: a correction speaks well of a clinic's data, not ill.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from domain.calendar import civil_day
from projections.change import Change
from projections.connection import Cursor, Pool
from projections.pieces import OPEN_POSITION
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "data_quality"
_SQL = named_queries("data_quality.sql")

_ADMINISTERED = "vaccination-record.dose-administered.v1"
_TRANSCRIBED = "vaccination-record.dose-transcribed.v1"
_FILLABLE: Mapping[str, frozenset[str]] = {
    _ADMINISTERED: frozenset(("national_code", "dose_number", "preparation")),
    _TRANSCRIBED: frozenset(
        ("national_code", "dose_number", "product", "maker", "lot", "expires_on")
    ),
}
"""What may be left out of a dose, and is missed where it is."""
IN_TIME = timedelta(days=1)
"""A dose is written in time on its day, or on the next."""
CONCERNED = tuple(topic.encode() for topic in _FILLABLE)
"""One of these stands in every entry that counts."""
COUNTS = ("given", "in_time", "transcribed", "filled", "fillable", "remarked")
_TO_THE_HOUR = len("2026-11-22T01")


@dataclass(slots=True)
class _Day:
    """What a clinic wrote on a day, by the names of the counts."""

    given: int = 0
    in_time: int = 0
    transcribed: int = 0
    filled: int = 0
    fillable: int = 0
    remarked: int = 0


_Days = Mapping[tuple[str, date], _Day]
_Remarks = Counter[tuple[str, date, str]]


def _counted(changes: Iterable[Change]) -> tuple[_Days, _Remarks]:
    """Add up what the entries tell of each clinic and day."""
    days: defaultdict[tuple[str, date], _Day] = defaultdict(_Day)
    remarks: _Remarks = Counter()
    for _, entry in changes:
        if entry.topic not in _FILLABLE:
            continue
        data = entry.data
        clinic, day = data["clinic"], _day_of(entry.members["recorded_at"][:_TO_THE_HOUR])
        found = data["derived"].get("remarks", ())
        is_given = entry.topic == _ADMINISTERED
        fields = _FILLABLE[entry.topic]
        late = day - date.fromisoformat(data["occurred_on"])
        counts = days[clinic, day]
        counts.given += is_given
        counts.in_time += is_given and late <= IN_TIME
        counts.transcribed += not is_given
        counts.filled += len(fields & data.keys())
        counts.fillable += len(fields)
        if found:
            counts.remarked += 1
            remarks.update((clinic, day, remark) for remark in found)
    return days, remarks


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add to the counts of each clinic and day."""
    days, remarks = _counted(changes)
    if days:
        asked: dict[str, list[Any]] = {
            name: [getattr(one, name) for one in days.values()] for name in COUNTS
        }
        asked |= {"clinics": [clinic for clinic, _ in days], "days": [day for _, day in days]}
        cursor.execute(_SQL["add_days"], asked)
    if remarks:
        clinics, told, ids = (list(column) for column in zip(*remarks, strict=True))
        asked = {"clinics": clinics, "days": told, "remarks": ids, "doses": list(remarks.values())}
        cursor.execute(_SQL["add_remarks"], asked)


@lru_cache(maxsize=64)  # entries follow one another by the hour
def _day_of(hour: str) -> date:
    """Return the civil day of an hour in UTC, `YYYY-MM-DDTHH`."""
    return civil_day(datetime.fromisoformat(f"{hour}:00:00Z"))


PROJECTION = Projection(
    NAME,
    tuple(_FILLABLE),
    (
        Table("clinic_days", ("clinic", "day")),
        Table("clinic_remarks", ("clinic", "day", "remark")),
    ),
    apply,
)


@dataclass(frozen=True)
class Score:
    """What a clinic wrote in a period.

    Attributes:
        given: Doses that it gave.
        in_time: Of these, written on their day or the next.
        transcribed: Doses that it transcribed.
        filled: Fields filled that may be left out.
        fillable: Such fields.
        remarked: Doses in which something deserved a second look.
        remarks: Doses by what was remarked on.
    """

    clinic: UUID
    name: str
    division: str
    given: int
    in_time: int
    transcribed: int
    filled: int
    fillable: int
    remarked: int
    remarks: Mapping[str, int] = field(default_factory=dict)

    @property
    def timeliness(self) -> float | None:
        """Share of given doses written in time; None without any."""
        return _share(self.in_time, self.given)

    @property
    def completeness(self) -> float | None:
        """Share of fields filled that may be left out."""
        return _share(self.filled, self.fillable)

    @property
    def validity(self) -> float | None:
        """Share of doses in which nothing deserved a second look."""
        doses = self.given + self.transcribed
        return _share(doses - self.remarked, doses)


def with_day(scores: Iterable[Score], day: date, changes: Iterable[Change]) -> list[Score]:
    """Return scores with what the entries tell of one more day, on which they were recorded."""
    days, remarks = _counted(changes)
    return [_with(score, day, days, remarks) for score in scores]


def _with(score: Score, day: date, days: _Days, remarks: _Remarks) -> Score:
    own = str(score.clinic)
    more = days.get((own, day), _Day())
    told = Counter(score.remarks)
    told.update({one: n for (clinic, on, one), n in remarks.items() if (clinic, on) == (own, day)})
    counts = {name: getattr(score, name) + getattr(more, name) for name in COUNTS}
    return replace(score, **counts, remarks=dict(sorted(told.items())))


class DataQuality:
    """Questions about the data quality of clinics.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def scores(
        self,
        since: date,
        until: date,
        *,
        division: str = "",
        clinic: UUID | None = None,
        at_position: int | None = None,
    ) -> list[Score]:
        """Return the scores of clinics, in the order of their divisions.

        Args:
            since: First day of recording.
            until: Last day of recording.
            division: First digits of the clinics' divisions.
            clinic: Only this one.
            at_position: Clinics registered up to there; days are counted whole (`with_day`).
        """
        at = OPEN_POSITION - 1 if at_position is None else at_position
        asked = {"since": since, "until": until, "division": division, "clinic": clinic, "at": at}
        with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=dict_row).execute(_SQL["scores"], asked).fetchall()
            asked["clinics"] = [row["clinic"] for row in rows]
            remarks: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
            for which, remark, doses in connection.execute(_SQL["remarks"], asked):
                remarks[which][remark] = doses
        return [Score(**row, remarks=remarks[row["clinic"]]) for row in rows]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
