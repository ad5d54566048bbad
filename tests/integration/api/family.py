"""Two siblings with one mother, and everything that can be said of the elder one."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from client.signing import Draft
from commands.principal import Role
from tests.drafts import id_number
from tests.integration.api.conftest import (
    Author,
    Child,
    County,
    admit,
    citizen,
    dose,
    doses_path,
    register,
    registration,
)
from tests.integration.api.grants import grant

YEAR = 2020  # other tests count the pupils of 2018


@dataclass
class Family:
    """The elder child has doses, a correction, a certificate with a grant, and goes to school."""

    county: County
    city: Author
    mother: Author
    child: Child
    sibling: Child
    number: str
    certificate: UUID
    class_name: str

    @property
    def path(self) -> str:
        return f"/v1/records/{self.child.record}"

    @property
    def register_path(self) -> str:
        school = self.county.school.organisation
        return f"/v1/institutions/{school}/classes/{self.class_name}/register"

    def version(self) -> int:
        answer = self.county.cdc.get(f"{self.path}/protection")
        assert answer.status_code == 200, answer.text
        return answer.json()["version"]

    def decide(self, by: Author, what: str, **fields: Any) -> httpx.Response:
        """Restrict, lift, ask for shredding, withdraw or confirm it."""
        path = "restriction" if what.startswith("restrict") else "shredding"
        data = {"organisation": str(by.organisation), **fields}
        draft = Draft(f"vaccination-record.{what}.v1", self.child.record, self.version(), data)
        return by.post(f"{self.path}/{path}", draft)

    def restrict(self) -> httpx.Response:
        return self.decide(self.county.cdc, "restricted", reason="consent-withdrawn")

    def lift(self) -> httpx.Response:
        return self.decide(self.county.cdc, "restriction-lifted", reason="matter-settled")

    def shred(self) -> int:
        """Ask and confirm; returns the position of the event."""
        asked = self.decide(self.county.cdc, "shred-requested", ground="retention-ended")
        assert asked.status_code == 201, asked.text
        confirmed = self.decide(self.city, "shredded", request=asked.json()["version"])
        assert confirmed.status_code == 201, confirmed.text
        self.county.served.caught_up()
        return confirmed.json()["position"]


def family(county: County) -> Family:
    """Make one."""
    number, mother_number = id_number(), id_number("19880303", is_female=True)
    child = register(county.clinic, number=number, mother_number=mother_number)
    for version, occurred_on in ((1, "2014-08-15"), (2, "2014-09-20")):
        given = dose(county.clinic, replace(child, version=version), occurred_on=occurred_on)
        ok(county.clinic.post(doses_path(child), given))
    sibling = _sibling(county, child, mother_number)
    mother = citizen(county.served, mother_number)
    claimed = ok(
        mother.call("/v1/certificates", {"record": str(child.record), "has_consented": True})
    )
    certificate = UUID(claimed.json()["stream"])
    ok(grant(mother, certificate, id_number("19600101")))
    _correct(county, child, given.data["dose"])
    city = admit(county.operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", "410200")
    class_name = f"一年级{uuid4().hex[:6]}班"
    _enrol(county, child, class_name)
    county.served.caught_up()
    return Family(
        county,
        replace(city, principal=replace(city.principal, division="4102")),
        mother,
        child,
        sibling,
        number,
        certificate,
        class_name,
    )


def ok(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 201, answer.text
    return answer


def _sibling(county: County, child: Child, mother_number: str) -> Child:
    """A brother of whom the same mother takes care."""
    draft, brother = registration(
        county.clinic, mother_number=mother_number, birth_date="2016-03-01", name="王小弟"
    )
    private = dict(draft.private)
    private[child.mother] = private.pop(brother.mother)
    guardians = [{"person": str(child.mother), "relation": "mother"}]
    draft = replace(draft, data={**draft.data, "guardians": guardians}, private=private)
    ok(county.clinic.post("/v1/records", draft))
    return replace(brother, mother=child.mother)


def _correct(county: County, child: Child, which: str) -> None:
    """Another vaccinator, asked for by the clinic and not yet decided."""
    data = {
        "record": str(child.record),
        "dose": which,
        "division": county.clinic.principal.division,
        "kind": "amend",
        "changes": [],
        "urgency": "next-day",
        "reason": "wrong-vaccinator",
        "requested_by": "clinic",
        "clinic": str(county.clinic.organisation),
    }
    private = {
        child.handle: {"before": {"vaccinator": "赵医生"}, "after": {"vaccinator": "钱医生"}}
    }
    ok(
        county.clinic.post(
            "/v1/corrections", Draft("correction.requested.v1", uuid4(), 0, data, private)
        )
    )


def _enrol(county: County, child: Child, class_name: str) -> None:
    school, enrolment = county.school, uuid4()
    data = {
        "record": str(child.record),
        "institution": str(school.organisation),
        "division": school.principal.division,
        "school_year": YEAR,
        "class_name": class_name,
        "entry_type": "primary",
        "admission": "new",
        "number": 1,
        "joined_on": "2020-09-03",
    }
    ok(school.post("/v1/enrolments", Draft("enrolment.enrolled.v1", enrolment, 0, data)))
    checked = {"checked_on": "2020-09-10", "has_certificate": True}
    ok(
        school.post(
            f"/v1/enrolments/{enrolment}/checks",
            Draft("enrolment.checked.v1", enrolment, 1, checked),
        )
    )
