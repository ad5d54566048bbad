"""Registers and roll-ups from a class to the county, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from client.signing import Draft
from commands.restating import restate_checks
from domain.calendar import civil_day
from domain.roll_up.row import COUNTS
from projections.annex4 import GROUPS
from tests.integration.api.conftest import Author, County, dose, doses_path, register
from tests.integration.api.family import ok
from tests.integration.api.school_county import YEAR, Enrolled, SchoolCounty, school_county
from workers.parts.calendar import Newest

SHEET = {"entry_type": "primary", "school_year": YEAR}


@pytest.fixture(scope="module")
def place(county: County) -> SchoolCounty:
    return school_county(county, "410277")


@pytest.fixture(scope="module")
def pupils(place: SchoolCounty) -> list[Enrolled]:
    """Three children of one class without a dose, one of them without certificate."""
    pupils = [place.pupil("一（1）班", number, name=f"学生{number}") for number in (1, 2, 3)]
    for pupil in pupils:
        pupil.check(has_certificate=pupil is not pupils[2])
    place.served.caught_up()
    return pupils


def hand_in_registers(
    place: SchoolCounty, position: int, edition: str = "september", school: Author | None = None
) -> UUID:
    stream, author = uuid4(), school or place.school
    data = {
        "institution": str(author.organisation),
        "division": author.principal.division,
        "school_year": YEAR,
        "edition": edition,
        "position": position,
        "effective_on": "2021-09-28",
    }
    draft = Draft("register-report.submitted.v1", stream, 0, data)
    ok(author.post("/v1/register-reports", draft))
    place.served.caught_up()
    return stream


def stated(row: list[Any]) -> dict[str, Any]:
    """The counts of a row of 29 cells, as they are signed."""
    doses = zip(row[9::2], row[10::2], strict=True)
    return dict(zip(COUNTS, row[1:9], strict=True)) | {
        "doses": [
            {"vaccine_group": code, "due": due, "done": done}
            for (code, _), (due, done) in zip(GROUPS, doses, strict=True)
        ]
    }


def roll_up_draft(reporter: Author, level: str, seen: dict[str, Any], **changes: int) -> Draft:
    data = {
        "organisation": str(reporter.organisation),
        "division": reporter.principal.division,
        "level": level,
        "school_year": YEAR,
        "entry_type": "primary",
        "position": seen["position"],
        "effective_on": "2021-12-01",
        "total": stated(seen["total"]) | changes,
    }
    return Draft("roll-up-report.submitted.v1", uuid4(), 0, data)


def hand_in(place: SchoolCounty, **changes: int) -> UUID:
    """The township's roll-up as it stands now."""
    place.served.caught_up()
    town = place.township.principal.division
    seen = place.township.get(f"/v1/divisions/{town}/roll-up", **SHEET).json()
    draft = roll_up_draft(place.township, "township", seen, **changes)
    ok(place.township.post("/v1/roll-up-reports", draft))
    place.served.caught_up()
    return draft.stream


def test_an_edition_is_printed_again_to_the_byte(place: SchoolCounty, pupils: list[Enrolled]):
    edition = hand_in_registers(place, place.served.caught_up())
    paths = [f"/v1/register-reports/{edition}.{kind}" for kind in ("pdf", "xlsx")]
    before = [place.township.get(path) for path in paths]
    assert [answer.status_code for answer in before] == [200, 200]
    latecomer = place.pupil("一（1）班", 4, name="后来的")
    latecomer.check()
    place.served.caught_up()
    assert [place.school.get(path).content for path in paths] == [one.content for one in before]
    again = hand_in_registers(place, place.served.caught_up())
    assert place.school.get(f"/v1/register-reports/{again}.pdf").content != before[0].content


def test_the_township_sees_which_schools_have_handed_in(
    place: SchoolCounty, pupils: list[Enrolled]
):
    before = place.served.caught_up()
    hand_in_registers(place, before, "november")
    town = place.township.principal.division
    body = place.township.get(
        f"/v1/divisions/{town}/register-reports", school_year=YEAR, edition="november"
    ).json()
    have = {unit["name"]: (unit["versions"], unit["late"]) for unit in body["units"]}
    assert have == {"城关小学": (1, True), "城关幼儿园": (0, False)}
    assert (body["completeness"]["num"], body["completeness"]["den"]) == (1, 2)
    assert body["due"] == "2021-11-30"
    then = place.township.get(
        f"/v1/divisions/{town}/register-reports",
        school_year=YEAR,
        edition="november",
        known_at=before,
    ).json()
    assert [unit["versions"] for unit in then["units"]] == [0, 0]
    mine = place.school.get(
        f"/v1/institutions/{place.school.organisation}/register-reports", school_year=YEAR
    ).json()
    assert mine["reports"][-1]["edition"] == "november"


def test_a_report_states_what_the_log_counts(place: SchoolCounty, pupils: list[Enrolled]):
    report = hand_in(place)
    body = place.cdc.get(f"/v1/roll-up-reports/{report}").json()
    assert body["agrees"] is True
    assert (body["late"], body["due"]) == (True, "2021-12-10")
    rate = body["rates"]["institution_check"]
    assert (rate["num"], rate["den"], rate["meets_target"]) == (1, 1, True)
    assert body["rates"]["reissue"]["percent"] == "0.00"
    assert body["rates"]["reissue"]["meets_target"] is False
    assert place.cdc.get(f"/v1/roll-up-reports/{report}.pdf").status_code == 200


def test_a_further_report_replaces_and_another_total_is_told(
    place: SchoolCounty, pupils: list[Enrolled]
):
    before = place.served.caught_up()
    first = hand_in(place)
    between = place.served.caught_up()
    second = hand_in(place, certificates_reissued=1)
    body = place.cdc.get(f"/v1/roll-up-reports/{first}").json()
    assert body["replaced_by"] == str(second)
    path = f"/v1/roll-up-reports/{first}"
    assert place.cdc.get(path, known_at=between).json()["replaced_by"] is None
    assert place.cdc.get(path, known_at=before).status_code == 404
    newest = place.cdc.get(f"/v1/roll-up-reports/{second}").json()
    assert (newest["agrees"], newest["version"]) == (False, newest["versions"])


def test_the_county_sees_which_townships_have_reported(place: SchoolCounty, pupils: list[Enrolled]):
    hand_in(place)
    path = f"/v1/divisions/{place.division}/roll-up-reports"
    body = place.cdc.get(path, level="township", **SHEET).json()
    assert [bool(unit["versions"]) for unit in body["units"]] == [True, False]
    assert body["completeness"]["percent"] == "50.00"
    assert body["completeness"]["meets_target"] is False


def test_impossible_totals_and_states_to_come_are_refused(
    place: SchoolCounty, pupils: list[Enrolled]
):
    town = place.township.principal.division
    seen = place.township.get(f"/v1/divisions/{town}/roll-up", **SHEET).json()
    draft = roll_up_draft(place.township, "township", seen, checked=99)
    answer = place.township.post("/v1/roll-up-reports", draft)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/impossible-counts")
    draft = roll_up_draft(place.township, "township", {**seen, "position": 10**9})
    answer = place.township.post("/v1/roll-up-reports", draft)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/state-unknown")
    draft = roll_up_draft(place.cdc, "township", seen)
    assert place.cdc.post("/v1/roll-up-reports", draft).status_code == 422


def test_a_number_opens_into_its_children(place: SchoolCounty, pupils: list[Enrolled]):
    path = f"/v1/divisions/{place.division}/roll-up/children"
    body = place.cdc.get(path, column="without_certificate", **SHEET).json()
    assert [child["name"] for child in body["children"]] == ["学生3"]
    due = place.cdc.get(path, column="due", vaccine_group="HepB", **SHEET).json()["children"]
    mine = [line["dose_number"] for line in due if line["enrolment"] == str(pupils[0].stream)]
    assert mine == [1, 2, 3]
    roll_up = place.cdc.get(f"/v1/divisions/{place.division}/roll-up", **SHEET).json()
    assert len(due) == roll_up["total"][11]
    assert place.cdc.get(path, column="due", **SHEET).status_code == 422
    assert place.school.get(path, column="enrolled", **SHEET).status_code == 403


def test_what_changed_since_a_report_names_its_cause(place: SchoolCounty, pupils: list[Enrolled]):
    report = hand_in(place)
    shown = place.cdc.get(f"/v1/roll-up-reports/{report}").json()["shown_position"]
    at = pupils[2].reissue()
    place.served.caught_up()
    path = f"/v1/divisions/{place.division}/roll-up/changes"
    body = place.cdc.get(path, since=shown, **SHEET).json()
    (change,) = body["changes"]
    assert change["enrolment"] == str(pupils[2].stream)
    assert change["before"]["reissued_on"] is None
    assert change["after"]["reissued_on"] == "2021-10-11"
    causes = [(cause["topic"], cause["position"]) for cause in change["causes"]]
    assert causes == [("enrolment.certificate-reissued.v1", at)]
    assert place.cdc.get(path, since=at, **SHEET).json()["changes"] == []


def correct(place: SchoolCounty, pupil: Enrolled, given: Draft, changed: dict[str, str]) -> UUID:
    """Correct a dose at once."""
    stream, clinic = uuid4(), str(place.clinic.organisation)
    data = {
        "record": str(pupil.child.record),
        "dose": given.data["dose"],
        "division": place.clinic.principal.division,
        "kind": "amend",
        "changes": [changed],
        "urgency": "immediate",
        "reason": "typing-error",
        "requested_by": "clinic",
        "clinic": clinic,
    }
    draft = Draft("correction.requested.v1", stream, 0, data)
    ok(place.clinic.post("/v1/corrections", draft))
    for version, step, path in ((1, "verified", "verification"), (2, "applied", "application")):
        draft = Draft(f"correction.{step}.v1", stream, version, {"clinic": clinic})
        ok(place.clinic.post(f"/v1/corrections/{stream}/{path}", draft))
    place.served.caught_up()
    return stream


@pytest.mark.parametrize("by", ["school", "platform"])
def test_a_correction_restates_the_check_and_the_roll_up_says_so(place: SchoolCounty, by: str):
    pupil = place.pupil("二（1）班", 1, name="更正的")
    given = dose(place.clinic, pupil.child, occurred_on="2021-09-05", expires_on="2022-01-31")
    ok(place.clinic.post(doses_path(pupil.child), given))
    pupil.check()
    since = place.served.caught_up()
    later = {"field": "occurred_on", "before": "2021-09-05", "after": "2021-09-25"}
    correction = correct(place, pupil, given, later)
    due = (pupil.stream, correction)
    today = civil_day(datetime.now(UTC))
    services, views = place.served.parts.services, place.served.views
    assert due in list(views.restatements.due(today))
    path = f"/v1/enrolments/{pupil.stream}/restatements"
    draft = Draft("enrolment.check-restated.v1", pupil.stream, 2, {"correction": str(correction)})
    if by == "school":
        ok(place.school.post(path, draft))
    else:
        newest = Newest(services, views)
        assert newest.restate() >= 1, "whatever others have left as well"
        place.served.caught_up()
        assert newest.restate() == 0
    place.served.caught_up()
    assert due not in list(views.restatements.due(today))
    assert restate_checks(services, [due]) == 0
    again = Draft("enrolment.check-restated.v1", pupil.stream, 3, {"correction": str(correction)})
    assert place.school.post(path, again).json()["type"] == "/problems/already-restated"
    asked = {"since": since, **SHEET}
    body = place.cdc.get(f"/v1/divisions/{place.division}/roll-up/changes", **asked).json()
    change = next(one for one in body["changes"] if one["enrolment"] == str(pupil.stream))
    assert (change["before"]["due"], change["after"]["due"]) == (21, 22)
    causes = {cause["topic"]: cause for cause in change["causes"]}
    assert causes["enrolment.check-restated.v1"]["stream"] == str(pupil.stream)
    assert causes["correction.applied.v1"]["stream"] == str(correction)
    for lang, sayings in {
        "en": ("doses due: 21 → 22", "Check restated after a correction", "Correction applied"),
        "zh": ("应补种剂次: 21 → 22", "更正后重述查验", "更正执行"),
    }.items():
        page = place.cdc.get("/roll-up/changes", division=place.division, lang=lang, **asked)
        assert all(said in page.text for said in sayings), page.text
    assert place.school.get("/roll-up/changes", division=place.division, **asked).status_code == 403


def test_checks_are_restated_together_and_each_of_them_once(place: SchoolCounty):
    due = []
    for number in (1, 2):
        pupil = place.pupil("二（2）班", number, name="更正的")
        given = dose(place.clinic, pupil.child, occurred_on="2021-09-05", expires_on="2022-01-31")
        ok(place.clinic.post(doses_path(pupil.child), given))
        pupil.check()
        for before, after in (("2021-09-05", "2021-09-25"), ("2021-09-25", "2021-09-06")):
            changed = {"field": "occurred_on", "before": before, "after": after}
            due.append((pupil.stream, correct(place, pupil, given, changed)))
    first, *others = due
    services = place.served.parts.services
    assert restate_checks(services, [first]) == 1  # as if killed after it
    with ThreadPoolExecutor(2) as pool:  # and begun again, by two processes
        assert sum(pool.map(lambda _: restate_checks(services, due), range(2))) == len(others)
    written = services.reader.streams({stream for stream, _ in due}).values()
    assert [len(entries) for entries in written] == [4, 4]
    place.served.caught_up()
    today = civil_day(datetime.now(UTC))
    assert not set(due) & set(place.served.views.restatements.due(today))


def test_others_see_no_report(county: County, place: SchoolCounty, pupils: list[Enrolled]):
    report = hand_in(place)
    assert county.cdc.get(f"/v1/roll-up-reports/{report}").status_code == 404
    edition = hand_in_registers(place, place.served.caught_up())
    assert county.cdc.get(f"/v1/register-reports/{edition}.pdf").status_code == 404
    assert place.kindergarten.get(f"/v1/register-reports/{edition}.pdf").status_code == 404


def test_preparation_is_done_late_or_overdue(place: SchoolCounty):
    """S-6, S-18."""

    def record(author: Author, task: str, day: str, **more: Any) -> Any:
        data = {
            "organisation": str(author.organisation),
            "division": author.principal.division,
            "school_year": YEAR,
            "task": task,
            "done_on": day,
            **more,
        }
        draft = Draft("preparation.recorded.v1", uuid4(), 0, data)
        return author.post("/v1/preparations", draft)

    few = record(place.school, "posters", "2021-06-10", count=1)
    assert few.json()["type"] == "/problems/too-few-posters"
    before = place.served.caught_up()
    ok(record(place.school, "posters", "2021-06-10", count=2))
    ok(record(place.cdc, "training-held", "2021-06-17"))
    assert record(place.cdc, "posters", "2021-06-10", count=2).status_code == 422
    place.served.caught_up()
    path = f"/v1/divisions/{place.division}/preparations"
    body = place.cdc.get(path, school_year=YEAR).json()
    assert body["due"] == "2021-06-16"
    told = {(task["name"], task["task"]): (task["late"], task["overdue"]) for task in body["tasks"]}
    assert told == {
        ("查验县疾控中心", "forms-distributed"): (None, True),
        ("查验县疾控中心", "training-held"): (True, False),
        ("城关小学", "posters"): (False, False),
        ("城关幼儿园", "posters"): (None, True),
    }
    then = place.cdc.get(path, school_year=YEAR, known_at=before).json()
    assert {task["done_on"] for task in then["tasks"]} == {None}
    early = place.cdc.get(path, school_year=YEAR, effective_on="2021-06-16").json()
    late = {task["name"] for task in early["tasks"] if task["done_on"] or task["overdue"]}
    assert late == {"城关小学"}


def supervised(place: SchoolCounty, **clocks: Any) -> Any:
    """The kindergarten as its county supervises it."""
    path = f"/v1/divisions/{place.division}/supervision"
    body = place.cdc.get(path, school_year=YEAR, entry_type="kindergarten", **clocks).json()
    (found,) = body["institutions"]
    return found


def test_supervision_has_the_figures_of_the_roll_up_and_the_duties_not_done(place: SchoolCounty):
    """S-19, S-20."""
    missed, _ = (
        place.enrol(place.kindergarten, register(place.clinic), "小班", number) for number in (1, 2)
    )
    missed.check()
    shown = place.served.caught_up()
    found = supervised(place)
    told = {one["finding"]: one["count"] for one in found["findings"]}
    assert told == {
        "check-undone": 1,
        "missed-child-unreported": 1,
        "register-missing": 2,
        "posters-missing": 1,
    }
    path = f"/v1/divisions/{place.division}/roll-up"
    counted = place.cdc.get(path, school_year=YEAR, entry_type="kindergarten").json()["rates"]
    assert found["rates"] == {name: counted[name] for name in found["rates"]}
    assert found["rates"]["child_check"]["percent"] == "50.00"
    hand_in_registers(place, shown, school=place.kindergarten)
    place.served.caught_up()
    later = supervised(place)
    told = {one["finding"]: one["count"] for one in later["findings"]}
    assert told == {"check-undone": 1, "register-missing": 1, "posters-missing": 1}
    assert (later["forms"]["num"], later["forms"]["den"]) == (1, 2)
    assert supervised(place, known_at=shown) == found
    early = supervised(place, effective_on="2021-08-31")
    assert [one["finding"] for one in early["findings"]] == ["posters-missing"]
    asked = {"school_year": YEAR, "entry_type": "primary"}
    refused = place.school.get(f"/v1/divisions/{place.division}/supervision", **asked)
    assert refused.status_code == 403
