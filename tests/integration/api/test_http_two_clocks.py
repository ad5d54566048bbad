"""Every view with both clocks: what was known then, and as of which day it reads."""

from datetime import datetime, timedelta

import pytest

from client.trust import Trust
from domain.calendar import civil_day
from ledger.proof import TlogProof
from tests.days import today, tomorrow
from tests.integration.api.conftest import County
from tests.integration.api.correcting import LOT, correct, vaccinated
from tests.integration.api.family import YEAR, Family, family


@pytest.fixture(scope="module")
def household(county: County) -> Family:
    return family(county)


def positions(county: County, household: Family) -> dict[str, list[int]]:
    """Positions of the record's entries by topic."""
    lines = county.clinic.get(f"{household.path}/timeline").json()["lines"]
    found: dict[str, list[int]] = {}
    for line in lines:
        found.setdefault(line["topic"], []).append(line["position"])
    return found


def newest(county: County) -> int:
    county.served.caught_up()
    return county.served.head()


def test_known_now_and_known_at_the_newest_position_are_the_same(county: County, household: Family):
    at = newest(county)
    school = household.county.school
    for reader, path, params in (
        (county.clinic, household.path, {}),
        (county.clinic, f"{household.path}/timeline", {}),
        (household.mother, f"/v1/certificates/{household.certificate}", {}),
        (school, household.register_path, {"school_year": YEAR}),
        (
            county.cdc,
            "/v1/divisions/410299/roll-up",
            {"entry_type": "primary", "school_year": YEAR},
        ),
    ):
        now, then = reader.get(path, **params), reader.get(path, known_at=at, **params)
        assert now.status_code == then.status_code == 200, then.text
        assert now.json() == then.json(), path


def test_a_record_reads_as_it_was_known_before_each_dose(county: County, household: Family):
    given = positions(county, household)["vaccination-record.dose-administered.v1"]
    seen = [
        len(county.clinic.get(household.path, known_at=at).json()["doses"])
        for position in given
        for at in (position - 1, position)
    ]
    assert seen == [0, 1, 1, 2]
    early = county.clinic.get(household.path, known_at=given[0])
    assert early.json()["position"] == given[0]
    assert early.headers["etag"] == '"2"'


def test_before_its_registration_a_record_answers_like_none(county: County, household: Family):
    (registered,) = positions(county, household)["vaccination-record.registered.v1"]
    assert county.clinic.get(household.path, known_at=registered).status_code == 200
    answer = county.clinic.get(household.path, known_at=registered - 1)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert county.clinic.get(household.path, known_at=0).status_code == 404


def test_a_moment_means_all_that_was_recorded_by_then(county: County, household: Family):
    lines = county.clinic.get(f"{household.path}/timeline").json()["lines"]
    second = [line for line in lines if line["topic"].endswith("dose-administered.v1")][1]
    moment = datetime.fromisoformat(second["recorded_at"])
    for spelt in (
        moment.isoformat(),
        moment.isoformat().replace("+00:00", "Z"),
        moment.isoformat().replace("+", " "),  # what an unescaped plus sign becomes
    ):
        body = county.clinic.get(household.path, known_at=spelt).json()
        assert len(body["doses"]) == 2, spelt
        assert body["effective_on"] == civil_day(moment).isoformat()
    before = (moment - timedelta(microseconds=1)).isoformat()
    assert len(county.clinic.get(household.path, known_at=before).json()["doses"]) == 1


def test_a_day_means_its_end_and_today_means_now(county: County, household: Family):
    now = county.clinic.get(household.path, known_at=today().isoformat())
    assert len(now.json()["doses"]) == 2
    yesterday = today() - timedelta(days=1)
    assert county.clinic.get(household.path, known_at=yesterday.isoformat()).status_code == 404


@pytest.mark.parametrize(
    "known_at",
    [
        *("2018-02-30", "2018-09-28T12:00:00", "2018-09-28T25:00:00Z", "yesterday", "-1", ""),
        *("9" * 16, "2999-01-01", "2999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_moments_of_another_form_or_in_the_future(county: County, household: Family, known_at: str):
    answer = county.clinic.get(household.path, known_at=known_at)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed-parameter")


def test_a_position_that_is_not_there(county: County, household: Family):
    answer = county.clinic.get(household.path, known_at=99_999_999)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_a_correction_moves_on_both_clocks(county: County):
    clinic, (child, which) = county.clinic, vaccinated(county)
    _, applied = correct(clinic, child, which, LOT)
    county.served.caught_up()

    def lot(known_at: int, day) -> str:
        body = clinic.get(
            f"/v1/records/{child.record}", known_at=known_at, effective_on=day.isoformat()
        ).json()
        return body["doses"][0]["lot"]

    # Its own event follows the application at the next position, in the same transaction.
    assert lot(applied + 1, tomorrow()) == "A20140610"
    assert lot(applied + 1, today()) == "A20140601"  # C-21
    assert lot(applied - 1, tomorrow()) == "A20140601"  # nobody knew yet


def test_a_certificate_reads_as_it_was_known(county: County, household: Family):
    path = f"/v1/certificates/{household.certificate}"
    at = positions(county, household)
    (claimed,), (granted,) = at["certificate.claimed.v1"], at["certificate.granted.v1"]
    assert household.mother.get(path, known_at=claimed - 1).status_code == 404
    assert household.mother.get(path, known_at=claimed).json()["grants"] == []
    (grant,) = household.mother.get(path, known_at=granted).json()["grants"]
    gone = household.mother.call(f"{path}/revocations", {"grant": grant["grant_id"]})
    assert gone.status_code == 201, gone.text
    county.served.caught_up()
    (now,) = household.mother.get(path).json()["grants"]
    (then,) = household.mother.get(path, known_at=granted).json()["grants"]
    assert (now["active"], then["active"]) == (False, True)


def test_a_register_and_a_roll_up_read_as_they_were_known(county: County, household: Family):
    at = positions(county, household)
    (enrolled,), (checked,) = at["enrolment.enrolled.v1"], at["enrolment.checked.v1"]
    school = county.school

    def lines(known_at: int) -> list:
        answer = school.get(household.register_path, school_year=YEAR, known_at=known_at)
        return [line["checked_on"] for line in answer.json()["lines"]]

    assert lines(enrolled - 1) == []
    assert lines(enrolled) == [None]
    assert lines(checked) == ["2020-09-10"]
    classes = f"/v1/institutions/{school.organisation}/classes"
    for known_at, there in ((enrolled - 1, False), (enrolled, True)):
        body = school.get(classes, school_year=YEAR, known_at=known_at).json()
        names = [row["class_name"] for row in body["classes"]]
        assert (household.class_name in names) == there
    asked = {"entry_type": "primary", "school_year": YEAR}
    body = county.cdc.get("/v1/divisions/410299/roll-up", **asked, known_at=checked).json()
    assert body["position"] == checked


def test_who_may_not_read_now_may_not_read_then(county: County, household: Family):
    answer = county.far_clinic.get(household.path, known_at=newest(county))
    assert answer.status_code == 404


# What a school saw ---------------------------------------------------------------------------


def test_what_a_school_saw_on_a_day_is_one_call_with_a_proof(county: County, household: Family):
    at = positions(county, household)
    (enrolled,), (checked,) = at["enrolment.enrolled.v1"], at["enrolment.checked.v1"]
    path, school = f"{household.path}/as-seen", county.school
    for reader in (school, county.regulator, county.clinic):
        asked = {"institution": str(school.organisation), "known_at": checked}
        answer = reader.get(path, **asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["class_name"] == household.class_name
        assert body["line"]["checked_on"] == "2020-09-10"
        assert len(body["row"]) == len(body["columns"]) == 30
        assert [one["position"] for one in body["entries"]] == [enrolled, checked]
        for one in body["entries"]:
            proof = TlogProof.parse(one["proof"].encode())
            size = checkpoint_of(county, proof)
            assert size >= checked
            assert proof.index == one["position"] - 1
    before = school.get(path, institution=str(school.organisation), known_at=enrolled).json()
    assert before["line"]["checked_on"] is None
    none = school.get(path, institution=str(school.organisation), known_at=enrolled - 1)
    assert none.status_code == 404


def checkpoint_of(county: County, proof: TlogProof) -> int:
    """Verify the checkpoint of a proof by the log's own keys; returns its size."""
    keys = county.served.http.get("/log.vkey").text.split()
    return Trust.parse(chr(10).join(keys).encode()).judge(proof.checkpoint).checkpoint.size


def test_nobody_asks_what_another_school_saw(county: County, household: Family):
    path = f"{household.path}/as-seen"
    asked = {"institution": str(county.school.organisation)}
    for reader in (county.kindergarten, county.far_clinic, household.mother):
        assert reader.get(path, **asked).status_code == 404
    asked = {"institution": str(county.kindergarten.organisation)}
    for reader in (county.kindergarten, county.regulator):
        assert reader.get(path, **asked).status_code == 404
