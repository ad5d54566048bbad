"""A county of 1,000 institutions and 100,000 checked children: its class pages and roll-ups.

The read models are filled as a rebuild would leave them; corrections go through the projection.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial
from itertools import product
from uuid import UUID

from benchmarks.contest import Contestant, Pace
from benchmarks.ground import Ground
from benchmarks.measuring import Step, alone
from bootstrap.migrate import migrate_all
from ledger.entry import Author, Entry
from projections import school_checks
from projections.change import read_change
from projections.connection import PROJECT, READ, READ_PEOPLE, connect, open_pool
from projections.people import People
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries
from projections.register import Registers
from projections.roll_up import Level, RollUps

ROLL_UP = "county roll-up by township"
SMALL_ROLL_UP = "county roll-up by township, a tenth of the children"
RESTATED = "county roll-up restated after 1,000 re-checks"
CLASS = "class table, 50 children, of 100,000"

_ORGANISATIONS, _SCHOOL_CHECKS, _LOOP = (
    named_queries(f"{name}.sql") for name in ("organisations", "school_checks", "loop")
)
_COUNTY, _SMALL, YEAR = "410204", "410205", 2025
_TOWNSHIPS, INSTITUTIONS, _CHILDREN, IN_A_CLASS = 20, 1_000, 100, 50
CHILDREN = INSTITUTIONS * _CHILDREN
_TIMES_SMALLER = 10
CHECKED_ON = date(2025, 9, 5)
_RESTATED = 1_000
_ONE_IN_MOVED = 50
_LACKING = (("MenAC", 1), ("PV", 4), ("MCV", 2))


def contestants(ground: Ground, stack: ExitStack, pace: Pace) -> list[Contestant]:
    """Fill the county, then ask for what its schools and its CDC look at."""
    log, keys = ground.pair()
    migrate_all(log, keys)
    county = County(log, _COUNTY, range(pace.amount(INSTITUTIONS)))
    first = county.institutions.stop
    County(log, _SMALL, range(first, first + first // _TIMES_SMALLER)).fill()
    county.fill()
    county.advance()
    pool = stack.enter_context(open_pool(log, READ, 2))
    people = People(stack.enter_context(open_pool(keys, READ_PEOPLE, 1)))
    roll_ups, registers = RollUps(pool), Registers(pool, people)
    draw = random.Random(2025)

    def roll_up(level: Level, code: str = _COUNTY) -> int:
        roll_ups.roll_up(code, "primary", school_year=YEAR, level=level)
        return 1

    def class_table() -> int:
        number = draw.randrange(first)
        found = registers.register(
            _id(1, number), f"{draw.randrange(2)}班", school_year=YEAR, effective_on=CHECKED_ON
        )
        assert len(found.lines) == IN_A_CLASS
        return 1

    def restated() -> int:
        county.recheck(_RESTATED)
        return roll_up(Level.TOWNSHIP)

    size = f"{first:,} institutions, {first * _CHILDREN:,} children"
    small = f"{first // _TIMES_SMALLER:,} institutions, beside the others"
    return [
        _contestant(ROLL_UP, "roll-ups/s", partial(roll_up, Level.TOWNSHIP), size),
        _contestant(SMALL_ROLL_UP, "roll-ups/s", partial(roll_up, Level.TOWNSHIP, _SMALL), small),
        _contestant("county roll-up by institution", "roll-ups/s",
                    partial(roll_up, Level.INSTITUTION), size),
        _contestant(CLASS, "tables/s", class_table, f"{size}; without names"),
        _contestant(RESTATED, "restatements/s", restated, "through the projection"),
    ]  # fmt: skip


def _contestant(name: str, unit: str, step: Step, note: str) -> Contestant:
    return Contestant(name, unit, lambda seconds: alone(step, seconds), note=note, has_latency=True)


class County:
    """The read models of a county.

    Args:
        url: Of the log's database.
        code: Its six digits.
        institutions: Their numbers; of 100 children each.
    """

    def __init__(self, url: str, code: str, institutions: range) -> None:
        self.code = code
        self.institutions = institutions
        self._children = range(institutions.start * _CHILDREN, institutions.stop * _CHILDREN)
        self._connection = connect(url, PROJECT, "views")
        self._position = 2 * self._children.stop
        self._next = 0

    def fill(self) -> None:
        """Fill the views; a third of the children lack three doses, one in fifty changed school."""
        with self._connection.cursor() as cursor:
            with cursor.copy(_ORGANISATIONS["copy_organisations"]) as rows:
                for number in self.institutions:
                    named = (_id(1, number), f"第{number}小学", None, "school")
                    placed = (self._division(number), None, "primary", "public", 1)
                    rows.write_row(named + placed)
            with cursor.copy(_SCHOOL_CHECKS["copy_enrolments"]) as rows:
                for row in self._enrolments():
                    rows.write_row(row)
                for row in self._earlier_enrolments():
                    rows.write_row(row)
            moved = {"records": [_id(2, child) for child in self._moved()]}
            cursor.execute(_SCHOOL_CHECKS["note_twice_enrolled"], moved)
            with cursor.copy(_SCHOOL_CHECKS["copy_cells"]) as rows:
                lacking = (child for child in self._children if child % 3 == 0)
                for child, (group, dose) in product(lacking, _LACKING):
                    rows.write_row((_id(3, child), group, dose, 2, OPEN_POSITION, False, None))
            cursor.execute(b"ANALYZE")

    def _enrolments(self) -> Iterator[tuple[object, ...]]:
        for number in self.institutions:
            for pupil in range(_CHILDREN):
                child = number * _CHILDREN + pupil
                is_complete = child % 3 != 0
                yield (
                    *(_id(3, child), 2, OPEN_POSITION, child + 1, _id(2, child)),
                    *(_id(1, number), self._division(number), YEAR, f"{pupil // IN_A_CLASS}班"),
                    *("primary", "new", pupil % IN_A_CLASS + 1, date(2025, 9, 1)),
                    *(CHECKED_ON, child % 50 != 0, 6, 6, is_complete),
                    *("kaifeng-2018-school-entry", "1", 23, None, None, None),
                )

    def _division(self, institution: int) -> str:
        return f"{self.code}{1 + institution % _TOWNSHIPS:03}"

    def _moved(self) -> range:
        """Children who came from another school of the county in that year."""
        return self._children[::_ONE_IN_MOVED]

    def _earlier_enrolments(self) -> Iterator[tuple[object, ...]]:
        for child in self._moved():
            left = self.institutions[(child // _CHILDREN + 1) % len(self.institutions)]
            yield (
                *(_id(4, child), 2, OPEN_POSITION, child + 1, _id(2, child)),
                *(_id(1, left), self._division(left), YEAR, "转出", "primary", "new", 1),
                *(date(2025, 8, 25), None, None, None, None, None, None, None, None),
                *(None, None, None),
            )

    def recheck(self, count: int) -> None:
        """Apply re-checks that find one of three doses made up, each of another child."""
        changes = []
        for _ in range(count):
            child = 3 * self._next % (len(self._children) // 3 * 3)
            self._next += 1
            self._position += 1
            entry = _rechecked(child, self._position, self._division(child // _CHILDREN))
            changes.append(read_change(self._position, entry.encode()))
        with self._connection.cursor() as cursor, self._connection.transaction():
            school_checks.apply(cursor, changes)
            self.advance()

    def advance(self) -> None:
        """Let the views stand where they are filled to."""
        asked = {"names": [school_checks.NAME], "position": self._position}
        self._connection.execute(_LOOP["advance_positions"], asked)


def _rechecked(child: int, position: int, division: str) -> Entry:
    made_up = [{"vaccine_group": "MenAC", "dose_number": 1, "date": "2025-10-08"}]
    found = {"made_up": made_up, "completed": False, "record_version": 24}
    return Entry(
        "bench.example/log",
        "enrolment.rechecked.v1",
        _id(3, child),
        position,
        division,
        datetime(2025, 11, 3, tzinfo=UTC),
        Author(str(_id(1, child // _CHILDREN)), "a" * 64, "b" * 64),
        {"rechecked_on": "2025-11-03", "derived": found},
        (),
    )


def _id(kind: int, number: int) -> UUID:
    return UUID(int=kind << 96 | number)
