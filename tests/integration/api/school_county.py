"""A county of its own with one township that has schools, for tests that count."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from client.signing import Draft
from commands.principal import Role
from tests.integration.api.conftest import Author, Child, County, admit, register
from tests.integration.api.family import ok

YEAR = 2021


@dataclass
class SchoolCounty:
    """Who takes part in the school check of a county."""

    division: str
    cdc: Author
    township: Author
    other_township: Author
    clinic: Author
    school: Author
    kindergarten: Author

    @property
    def served(self) -> Any:
        return self.cdc.served

    def pupil(self, class_name: str, number: int, **options: Any) -> "Enrolled":
        """Register a child and enrol it at the school."""
        child = register(self.clinic, **options)
        return self.enrol(self.school, child, class_name, number)

    def enrol(self, school: Author, child: Child, class_name: str, number: int) -> "Enrolled":
        stream = uuid4()
        data = {
            "record": str(child.record),
            "institution": str(school.organisation),
            "division": school.principal.division,
            "school_year": YEAR,
            "class_name": class_name,
            "entry_type": "primary" if school is self.school else "kindergarten",
            "admission": "new",
            "number": number,
            "joined_on": "2021-09-01",
        }
        ok(school.post("/v1/enrolments", Draft("enrolment.enrolled.v1", stream, 0, data)))
        return Enrolled(school, child, stream)


@dataclass
class Enrolled:
    """A child at a school."""

    school: Author
    child: Child
    stream: UUID
    version: int = 1

    def _write(self, path: str, topic: str, **data: Any) -> int:
        draft = Draft(topic, self.stream, self.version, data)
        answer = ok(self.school.post(f"/v1/enrolments/{self.stream}/{path}", draft))
        self.version += 1
        position: int = answer.json()["position"]
        return position

    def check(self, *, has_certificate: bool = True, **more: Any) -> int:
        found = {"checked_on": "2021-09-06", "has_certificate": has_certificate, **more}
        return self._write("checks", "enrolment.checked.v1", **found)

    def recheck(self, day: str = "2021-11-20", **more: Any) -> int:
        return self._write("rechecks", "enrolment.rechecked.v1", rechecked_on=day, **more)

    def reissue(self) -> int:
        topic = "enrolment.certificate-reissued.v1"
        return self._write("reissues", topic, reissued_on="2021-10-11")


def school_county(county: County, division: str) -> SchoolCounty:
    """Admit one; each file of tests takes a division of its own."""
    cdc = admit(county.operator, Role.COUNTY_CDC, "查验县疾控中心", "county-cdc", division)
    town = f"{division}101"
    primary = {"institution_type": "primary", "ownership": "public"}
    kindergarten = {"institution_type": "kindergarten", "ownership": "private"}
    return SchoolCounty(
        division,
        cdc,
        admit(cdc, Role.TOWNSHIP, "城关镇卫生院", "township", town),
        admit(cdc, Role.TOWNSHIP, "北乡卫生院", "township", f"{division}102"),
        admit(cdc, Role.CLINIC, "城关接种门诊", "clinic", town),
        admit(cdc, Role.SCHOOL, "城关小学", "school", town, **primary),
        admit(cdc, Role.SCHOOL, "城关幼儿园", "school", town, **kindergarten),
    )
