"""What happens to a simulated child as what its clinics and schools write."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from cli.demo.writes import Write
from cli.province.organisations import Organisations
from cli.province.repeatable import write
from examples.kaifeng.making.draw import Draw, uuid7
from simulation.child import Child
from simulation.life import Event, Happening, given, is_mistaken, mistaken
from simulation.province import Province
from simulation.statements import ADMINISTERED, REGISTERED, administration, registration

_CLASSES = 3


class Writing:
    """Draws up the writes of a province in the order in which things happen.

    Args:
        province: Which.
        organisations: Who writes.
    """

    def __init__(self, province: Province, organisations: Organisations) -> None:
        self._province = province
        self._organisations = organisations
        self._versions: dict[int, int] = {}
        self._mistaken: dict[tuple[int, int], Event] = {}
        self._pupils: defaultdict[str, int] = defaultdict(int)

    def writes(self, child: Child, event: Event) -> Iterator[Write]:
        """Yield the writes of one event; those of a child belong in this order."""
        match event.kind:
            case Happening.REGISTERED:
                yield self._registered(child)
            case Happening.DOSE:
                yield self._dose(child, event)
            case Happening.MOVED:
                yield self._moved(child, event)
            case Happening.CORRECTED:
                yield from self._corrected(child, event)
            case Happening.ENROLLED:
                yield self._enrolled(child, event)

    def _registered(self, child: Child) -> Write:
        clinic = self._organisations.clinic(child.clinic)
        people = self._id(child, "handle"), self._id(child, "mother")
        township = self._province.township(child.clinic)
        statement = registration(child, people, clinic.key.organisation, township)
        return write(clinic, REGISTERED, *self._next(child), *statement)

    def _dose(self, child: Child, event: Event) -> Write:
        clinic, what = self._organisations.clinic(event.clinic), given(child, event)
        if is_mistaken(self._province, child, event.dose):
            self._mistaken[child.number, event.dose] = event
            what = replace(what, lot=mistaken(what.lot))
        ids = self._id(child, f"dose/{event.dose}"), self._id(child, "handle")
        draw = Draw(f"{self._organisations.name}/vial/{child.number}/{event.dose}")
        day = event.day.isoformat()
        statement = administration(what, day, ids, clinic.key.organisation, draw)
        return write(clinic, ADMINISTERED, *self._next(child), *statement)

    def _moved(self, child: Child, event: Event) -> Write:
        """The clinic to which it moved takes the record over."""
        clinic = self._organisations.clinic(event.clinic)
        data = {
            "status": "active",
            "on": event.day.isoformat(),
            "managing_organisation": str(clinic.key.organisation),
            "division": self._province.township(event.clinic),
        }
        record, version = self._next(child)
        return write(clinic, "vaccination-record.roll-changed.v1", record, version, data)

    def _corrected(self, child: Child, event: Event) -> Iterator[Write]:
        """The clinic asks for the lot as it should have been, verifies and applies it."""
        clinic = self._organisations.clinic(event.clinic)
        lot = given(child, self._mistaken.pop((child.number, event.dose))).lot
        name = str(clinic.key.organisation)
        stream = self._id(child, f"correction/{event.dose}")
        data = {
            "record": str(self._id(child, "record")),
            "dose": str(self._id(child, f"dose/{event.dose}")),
            "division": self._province.township(event.clinic),
            "kind": "amend",
            "changes": [{"field": "lot", "before": mistaken(lot), "after": lot}],
            "urgency": "next-day",
            "reason": "wrong-lot",
            "requested_by": "clinic",
            "clinic": name,
        }
        yield write(clinic, "correction.requested.v1", stream, 0, data)
        yield write(clinic, "correction.verified.v1", stream, 1, {"clinic": name})
        self._next(child)  # the dose, restated by the platform
        yield write(clinic, "correction.applied.v1", stream, 2, {"clinic": name})

    def _enrolled(self, child: Child, event: Event) -> Write:
        school = self._organisations.school(event.clinic, event.what)
        institution = str(school.key.organisation)
        year = f"{institution}/{event.day.year}"
        self._pupils[year] += 1
        number = self._pupils[year]
        data = {
            "record": str(self._id(child, "record")),
            "institution": institution,
            "division": self._province.township(event.clinic),
            "school_year": event.day.year,
            "class_name": f"{number % _CLASSES + 1}班",
            "entry_type": event.what,
            "admission": "new",
            "number": number,
            "joined_on": event.day.isoformat(),
        }
        stream = self._id(child, f"enrolment/{event.what}")
        return write(school, "enrolment.enrolled.v1", stream, 0, data)

    def _next(self, child: Child) -> tuple[UUID, int]:
        """Return a child's record, and the version at which it stands before its next event."""
        version = self._versions.get(child.number, 0)
        self._versions[child.number] = version + 1
        return self._id(child, "record"), version

    def _id(self, child: Child, what: str) -> UUID:
        return uuid7(f"{self._organisations.name}/{child.number}/{what}")
