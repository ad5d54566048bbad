"""A chunk of rows on its way into the log: the atom of an import."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from client.bulk import MAX_LINES
from client.importing.memory import KnownPerson, KnownRow
from client.importing.outcomes import Become, Outcome
from client.importing.planning import Planned
from client.importing.source import SourceRow
from client.importing.verdicts import Verdict
from domain.errors import DomainError

CHUNK = MAX_LINES // 2
"""Rows of a chunk: each makes two lines at most, a registration and a dose."""

Reviewed = tuple[SourceRow, Verdict]
"""A row with its verdict of the review."""


@dataclass(slots=True)
class Chunk:
    """Rows under way.

    Attributes:
        people: By their key, as far as their records are known to be.
        newcomers: Rows that describe people without a record, the first of each, by their key.
        only_people: Rows that tell of no dose.
        doses: Rows whose dose is to be written.
        changed: Rows whose dose stands otherwise in the log.
        found: What became of rows.
    """

    people: dict[bytes, KnownPerson] = field(default_factory=dict)
    newcomers: dict[bytes, Planned] = field(default_factory=dict)
    only_people: list[Planned] = field(default_factory=list)
    doses: list[Planned] = field(default_factory=list)
    changed: list[Planned] = field(default_factory=list)
    found: list[Become] = field(default_factory=list)

    def take(self, planned: Planned) -> None:
        """Put a row where it will be written from."""
        assert planned.person is not None, "a row without a person is refused"
        person = self.people.setdefault(planned.person.key, planned.person)
        if not person.version and planned.who is not None:
            self.newcomers.setdefault(person.key, planned)
        if planned.judged.verdict is Verdict.CHANGED:
            self.changed.append(planned)
        elif planned.dose is None:
            self.only_people.append(planned)
        else:
            self.doses.append(planned)

    def note(self, planned: Planned, outcome: Outcome, reason: DomainError | None = None) -> None:
        """Note what became of a row."""
        self.found.append(Become.of(planned.judged.number, outcome, reason))

    def person(self, planned: Planned) -> KnownPerson:
        """Return whom a row is about."""
        assert planned.person is not None, "a row without a person is refused"
        return self.people[planned.person.key]

    def send_again(self, planned: Planned) -> None:
        """Leave a dose to be sent at another version than it was."""
        assert planned.row is not None, "the row tells of a dose"
        self.doses.append(replace(planned, row=replace(planned.row, version=0)))

    def place(self, keep: Callable[[KnownRow], None]) -> None:
        """Give each dose the version that its record will have; `keep` is told of new ones.

        A newcomer's doses follow their registration. A dose that was signed before keeps its
        version: its statement must be the same.
        """
        reached = {
            key: person.version or int(key in self.newcomers) for key, person in self.people.items()
        }
        placed = []
        for planned in self.doses:
            key, row = self.person(planned).key, planned.row
            assert row is not None, "the row tells of a dose"
            if row.version:
                placed.append(planned)
            else:
                row = replace(row, version=reached[key])
                keep(row)
                placed.append(replace(planned, row=row))
            reached[key] = row.version + 1
        self.doses = placed


def chunks_of(rows: Iterable[Reviewed], most: int = CHUNK) -> Iterator[list[Reviewed]]:
    """Cut rows into chunks, if possible where a person's rows end.

    A file that has each person's rows together so has nobody in two chunks, and these need not
    wait for one another.

    Args:
        rows: In the order of the file.
        most: Rows of a chunk; it has at least half as many, but for the last.
    """
    held: list[Reviewed] = []
    for row in rows:
        held.append(row)
        if len(held) > most:
            ends = (at for at in range(most, most // 2, -1) if _is_end(held, at))
            end = next(ends, most)
            yield held[:end]
            held = held[end:]
    if held:
        yield held


def people_of(rows: Iterable[Reviewed]) -> frozenset[str]:
    """Return the source's ids of the people that rows tell of."""
    return frozenset(row.values.get("person", "") for row, _ in rows)


def _is_end(rows: list[Reviewed], at: int) -> bool:
    return rows[at - 1][0].values.get("person") != rows[at][0].values.get("person")
