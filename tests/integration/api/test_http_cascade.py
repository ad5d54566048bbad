"""One correction, and all that reads differently by it: at its day, each with a link back to it.

A dose of hepatitis A vaccine was typed as one of Japanese encephalitis: so the school found
hepatitis A missing.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from client.signing import Draft
from ledger.entry import Entry
from projections import annex4
from tests.days import today, tomorrow
from tests.drafts import id_number
from tests.integration.api.conftest import (
    Author,
    Child,
    County,
    citizen,
    dose,
    doses_path,
    register,
)
from tests.integration.api.correcting import correct
from tests.integration.api.family import ok

YEAR = 2021  # other tests count the pupils of other years
HEPA = {"field": "vaccine", "before": "JE-L", "after": "HepA-L"}


@dataclass
class Case:
    """A vaccinated child with a certificate, found incomplete by its school."""

    county: County
    child: Child
    dose: str
    mother: Author
    certificate: UUID
    enrolment: UUID
    class_name: str

    def read(self, by: Author, path: str, **params: Any) -> dict[str, Any]:
        self.county.served.caught_up()
        answer = by.get(path, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def record(self, **params: Any) -> dict[str, Any]:
        """The one dose, as staff see it."""
        (found,) = self.read(self.county.clinic, f"/v1/records/{self.child.record}", **params)[
            "doses"
        ]
        return found

    def certified(self, **params: Any) -> dict[str, Any]:
        """The one dose, as the mother sees it."""
        (found,) = self.read(self.mother, f"/v1/certificates/{self.certificate}", **params)["doses"]
        return found

    def line(self, **params: Any) -> tuple[list[str], dict[str, Any]]:
        """The child's row of annex 3, and what it has no column for."""
        school = self.county.school.organisation
        path = f"/v1/institutions/{school}/classes/{self.class_name}/register"
        body = self.read(self.county.school, path, school_year=YEAR, **params)
        return body["rows"][0], body["lines"][0]

    def rolled_up(self, **params: Any) -> list[str]:
        """The total of annex 4."""
        asked = {"entry_type": "primary", "school_year": YEAR, **params}
        return self.read(self.county.cdc, "/v1/divisions/410299/roll-up", **asked)["total"]

    def state(self, supersedes: UUID | None = None) -> UUID:
        """A statement of the clinic for the school."""
        clinic, stream = self.county.clinic, uuid4()
        data = {
            "record": str(self.child.record),
            "division": clinic.principal.division,
            "clinic": str(clinic.organisation),
            "checked_on": "2021-09-10",
            "entry_type": "primary",
            "has_certificate": True,
            "paper_agrees": True,
            **({"supersedes": str(supersedes)} if supersedes else {}),
        }
        ok(clinic.post("/v1/check-statements", Draft("check-statement.issued.v1", stream, 0, data)))
        return stream

    def stated(self, statement: UUID) -> tuple[str, list[str]]:
        """Whether a statement stands, for whoever holds the paper; and what its clinic is told."""
        known = self.county.served.http.get(f"/v1/check-statements/{statement}/status").json()
        found = self.read(self.county.clinic, f"/v1/check-statements/{statement}")
        return known["status"], found["corrected_by"]

    def changes(self, since: int) -> list[dict[str, Any]]:
        """What annex 4 counts otherwise than a report on an earlier state."""
        asked = {"entry_type": "primary", "school_year": YEAR, "since": since}
        return self.read(self.county.cdc, "/v1/divisions/410299/roll-up/changes", **asked)[
            "changes"
        ]

    def credential(self) -> dict[str, Any]:
        return self.read(self.mother, f"/v1/certificates/{self.certificate}/credential")


@pytest.fixture
def case(county: County) -> Case:
    number = id_number("19880303", is_female=True)
    child = register(county.clinic, mother_number=number)
    given = dose(county.clinic, child, vaccine="JE-L", route="SC", occurred_on="2016-03-01")
    ok(county.clinic.post(doses_path(child), given))
    mother = citizen(county.served, number)
    claim = {"record": str(child.record), "has_consented": True}
    certificate = UUID(ok(mother.call("/v1/certificates", claim)).json()["stream"])
    enrolment, class_name = uuid4(), f"一年级{uuid4().hex[:6]}班"
    data = {
        "record": str(child.record),
        "institution": str(county.school.organisation),
        "division": county.school.principal.division,
        "school_year": YEAR,
        "class_name": class_name,
        "entry_type": "primary",
        "admission": "new",
        "number": 1,
        "joined_on": "2021-09-01",
    }
    ok(county.school.post("/v1/enrolments", Draft("enrolment.enrolled.v1", enrolment, 0, data)))
    checked = {"checked_on": "2021-09-10", "has_certificate": True}
    draft = Draft("enrolment.checked.v1", enrolment, 1, checked)
    ok(county.school.post(f"/v1/enrolments/{enrolment}/checks", draft))
    return Case(county, child, given.data["dose"], mother, certificate, enrolment, class_name)


def recheck(case: Case) -> None:
    day = today().isoformat()
    draft = Draft("enrolment.rechecked.v1", case.enrolment, 2, {"rechecked_on": day})
    ok(case.county.school.post(f"/v1/enrolments/{case.enrolment}/rechecks", draft))


def test_a_correction_reaches_every_view_at_its_day_with_a_link_back(case: Case):
    before = case.county.served.caught_up()
    first = case.credential()
    statement = case.state()
    assert case.stated(statement) == ("valid", [])
    row, line = case.line()
    assert line["corrections"] == []
    rolled_up = case.rolled_up()
    stream, applied = correct(case.county.clinic, case.child, case.dose, HEPA, urgency="immediate")

    # Record and certificate read anew from its day on, and name it.
    for view in (case.record, case.certified):
        assert (view()["vaccine"], view()["corrections"]) == ("HepA-L", [str(stream)])
        assert view()["from_position"] == applied + 1
        assert (view(known_at=before)["vaccine"], view(known_at=before)["corrections"]) == (
            "JE-L",
            [],
        )

    # What was issued before holds no more; what is issued now says the new thing.
    second = case.credential()
    assert second != first
    *_, newest = case.county.served.parts.reader.stream(case.certificate)
    assert Entry.decode(newest[1]).data["corrections"] == [str(stream)]

    # The school's line names the correction at once; its cell waits for the school to look again.
    same, marked = case.line()
    assert (same, marked["corrections"]) == (row, [str(stream)])
    recheck(case)
    filled, rechecked = case.line()
    changed = [(old, new) for old, new in zip(row, filled, strict=True) if old != new]
    assert changed == [("/", "1/3"), ("", "否")]  # the cell's day, and whether all is made up
    assert rechecked["corrections"] == [str(stream)]

    # What a clinic stated on paper holds no more, and another stands in its place.
    assert case.stated(statement) == ("corrected", [str(stream)])
    page = case.county.served.http.get(f"/statement/{statement}").text
    assert "接种记录已更正" in page
    newer = case.state(supersedes=statement)
    assert (case.stated(statement)[0], case.stated(newer)) == ("superseded", ("valid", []))

    # Whoever has handed in a report sees whom it counts otherwise now, and because of what.
    (changed,) = [one for one in case.changes(before) if one["enrolment"] == str(case.enrolment)]
    assert str(stream) in {cause["stream"] for cause in changed["causes"]}

    # Annex 4 counts one dose more as made up.
    restated = case.rolled_up()
    moved = {
        name: (old, new)
        for name, old, new in zip(annex4.COLUMNS, rolled_up, restated, strict=True)
        if old != new
    }
    assert moved == {"甲肝疫苗补种剂次数": (0, 1)}

    # And what everyone saw before stays what they saw.
    assert case.line(known_at=before)[0] == row
    assert case.rolled_up(known_at=before) == rolled_up

    # The trail leads from what was made back to the correction.
    lines = case.read(case.county.regulator, f"/v1/records/{case.child.record}/audit")["lines"]
    made = next(one for one in lines if one["topic"].endswith("dose-corrected.v1"))
    assert made["cause"] == {"stream": str(stream), "version": 3, "position": applied}
    assert made["data"]["correction"] == str(stream)


def test_a_correction_of_the_next_day_reaches_views_on_the_next_day(case: Case):
    statement = case.state()
    stream, _ = correct(case.county.clinic, case.child, case.dose, HEPA)
    assert case.stated(statement) == ("valid", [])
    for view in (case.record, case.certified):
        assert view(effective_on=today().isoformat())["corrections"] == []
        later = view(effective_on=tomorrow().isoformat())
        assert (later["vaccine"], later["corrections"]) == ("HepA-L", [str(stream)])
    _, line = case.line()
    assert line["corrections"] == []


def test_a_correction_of_what_a_statement_does_not_say_leaves_it(case: Case):
    statement = case.state()
    lot = {"field": "lot", "before": "A20140601", "after": "A20140602"}
    correct(case.county.clinic, case.child, case.dose, lot, urgency="immediate")
    assert case.stated(statement) == ("valid", [])
