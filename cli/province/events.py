"""What happens to a simulated child as what its clinics and schools write."""

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from cli.demo.writes import Write
from cli.province.organisations import Organisations
from cli.province.repeatable import write
from examples.kaifeng.making.draw import Draw, uuid7
from simulation.child import Child
from simulation.life import Event, Happening, given, is_mistaken, mistaken
from simulation.province import Province

_CLASSES = 3
_VACCINATORS = ("赵医生", "钱医生", "孙医生")


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
        handle, mother = self._id(child, "handle"), self._id(child, "mother")
        township = self._province.township(child.clinic)
        data = {
            "kind": "child",
            "recipient": str(handle),
            "guardians": [{"person": str(mother), "relation": "mother"}],
            "birth_year": child.birth_date.year,
            "managing_organisation": str(clinic.key.organisation),
            "division": township,
            "roll": "active",
        }
        private = {
            handle: {
                "name": child.name,
                "sex": child.sex,
                "birth_date": child.birth_date.isoformat(),
                "id_number": child.id_number,
                "residence_division": township[:6],
            },
            mother: {
                "name": child.mother_name,
                "id_number": child.mother_id_number,
                "phone": child.phone,
            },
        }
        record, version = self._next(child)
        return write(clinic, "vaccination-record.registered.v1", record, version, data, private)

    def _dose(self, child: Child, event: Event) -> Write:
        clinic, what = self._organisations.clinic(event.clinic), given(child, event)
        is_wrong = is_mistaken(self._province, child, event.dose)
        if is_wrong:
            self._mistaken[child.number, event.dose] = event
        data = {
            "dose": str(self._id(child, f"dose/{event.dose}")),
            "vaccine": what.product.vaccine,
            "product": what.product.name,
            "maker": what.product.maker,
            "lot": mistaken(what.lot) if is_wrong else what.lot,
            "expires_on": what.expires_on.isoformat(),
            "occurred_on": event.day.isoformat(),
            "site": what.site,
            "route": what.product.route,
            "quantity": what.product.quantity,
            "clinic": str(clinic.key.organisation),
            "source_system": "programme",
            "preparation": {"consent": "paper", "health_asked": True, "matched": True},
        }
        if what.product.national_code:
            data["national_code"] = what.product.national_code
        draw = Draw(f"{self._organisations.name}/vial/{child.number}/{event.dose}")
        at = f"{8 + draw.below(9):02}:{draw.below(60):02}:{draw.below(60):02}"
        private = {
            self._id(child, "handle"): {
                "vaccinator": draw.pick(_VACCINATORS),
                "occurred_at": f"{event.day.isoformat()}T{at}+08:00",
                "package_code": f"81{what.product.tracing}{draw.below(10**13):013}",
            }
        }
        record, version = self._next(child)
        topic = "vaccination-record.dose-administered.v1"
        return write(clinic, topic, record, version, data, private)

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
