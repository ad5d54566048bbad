"""Families of a simulated province, one after the other: the same ones in every run.

Ids and keys alone are new each time, in the order of time as those of real clients are. Who is
imported and who is written over HTTP live in one province, and nobody is taken for both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from client.identifiers import new_id
from domain.schedules.schedule import Schedule
from examples.kaifeng.making.draw import Draw
from simulation.child import Child, child
from simulation.files import history
from simulation.life import Happening, given, life
from simulation.province import Province
from simulation.statements import Statement, administration, registration

POPULATION = Province("1", 100_000, 6, date(2018, 9, 1))
_STRIDE = 7_919
"""Between one child and the next: births of all years, and nobody twice."""
_WRITTEN = 50_000
"""From here on they are written; those before are imported."""


@dataclass(frozen=True, slots=True)
class Family:
    """A child as its clinic writes it.

    Attributes:
        record: Its stream.
        handle: The child's.
        mother: The mother's.
        registration: What is written first.
        doses: What is written then, in order.
    """

    record: UUID
    handle: UUID
    mother: UUID
    registration: Statement
    doses: tuple[Statement, ...]


def histories() -> Iterator[list[str]]:
    """Yield the whole histories of children, as they are brought to an import."""
    schedule = _schedule()
    for number in range(_WRITTEN):
        yield list(history(POPULATION, schedule, _child(number)))


def families(clinic: UUID, township: str) -> Iterator[Family]:
    """Yield families with all doses of their child, as one clinic writes them.

    Args:
        clinic: That looks after all of them.
        township: Its place.
    """
    schedule = _schedule()
    for number in range(_WRITTEN, POPULATION.children):
        yield _family(schedule, _child(number), clinic, township)


def _family(schedule: Schedule, known: Child, clinic: UUID, township: str) -> Family:
    handle, mother = uuid4(), uuid4()
    doses = []
    for event in life(POPULATION, schedule, known):
        if event.kind is Happening.DOSE:
            draw = Draw(f"benchmark/vial/{known.number}/{event.dose}")
            what, day = given(known, event), event.day.isoformat()
            doses.append(administration(what, day, (new_id(), handle), clinic, draw))
    registered = registration(known, (handle, mother), clinic, township)
    return Family(new_id(), handle, mother, registered, tuple(doses))


def _schedule() -> Schedule:
    return Schedule.load("cn-nip-2021")


def _child(number: int) -> Child:
    return child(POPULATION, number * _STRIDE % POPULATION.children)
