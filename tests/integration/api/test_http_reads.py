"""Reads over HTTP: what staff, schools and citizens see, and what they cannot tell apart."""

from dataclasses import replace
from uuid import UUID, uuid4

import httpx
import pytest

from api import parameters
from client.signing import Draft
from commands.principal import Role
from domain.schedules.schedule import Schedule
from projections import annex3, annex4
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
from tests.integration.api.correcting import LOT, correct, vaccinated
from tests.integration.api.family import ok
from tests.integration.api.grants import GRANDMOTHER, grant, revoke

YEAR = 2018


@pytest.fixture(scope="module")
def mother_number() -> str:
    return id_number("19880303")


@pytest.fixture(scope="module")
def number() -> str:
    return id_number()


@pytest.fixture(scope="module")
def child(county: County, mother_number: str, number: str) -> Child:
    """With two doses, one of them of the bite-injury system."""
    child = register(county.clinic, mother_number=mother_number, number=number)
    first = county.clinic.post(doses_path(child), dose(county.clinic, child))
    assert first.status_code == 201, first.text
    bite = dose(
        county.clinic,
        replace(child, version=2),
        vaccine="Rabies",
        source_system="bite-injury",
        occurred_on="2016-01-05",
    )
    second = county.clinic.post(doses_path(child), bite)
    assert second.status_code == 201, second.text
    county.served.caught_up()
    return replace(child, version=3)


def told(answer: httpx.Response) -> dict:
    """A problem without what is each request's own."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}


# Records ---------------------------------------------------------------------------------------


def test_a_record_reads_with_its_persons_and_doses(county: County, child: Child, number: str):
    answer = county.clinic.get(f"/v1/records/{child.record}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"3"'
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["recipient"]["name"] == "王小明"
    assert body["recipient"]["id_number"] == number
    assert body["recipient"]["birth_date"] == "2014-06-15"
    assert [(one["relation"], one["name"]) for one in body["guardians"]] == [("mother", "李梅")]
    assert [one["vaccine"] for one in body["doses"]] == ["HepB", "Rabies"]
    assert body["doses"][0]["clinic_name"] == "第一门诊"
    assert body["doses"][0]["vaccine_name"]["zh"]
    assert body["doses"][0]["provenance"] == "given"
    assert body["effective_on"] == today().isoformat()


def test_a_record_tells_the_doses_to_come_by_the_schedule_of_the_day(county: County, child: Child):
    path = f"/v1/records/{child.record}"
    told = county.clinic.get(path).json()["next_due"]
    assert told["schedule"]["id"] == Schedule.in_force(today()).edition.id
    by_series = {one["series"]: one for one in told["doses"]}
    assert by_series["Polio"]["status"] == "overdue"
    assert by_series["Polio"]["earliest"] == "2014-08-15"
    assert by_series["Polio"]["group_name"] == {"zh": "脊灰疫苗", "en": "polio"}
    assert "BCG" not in by_series  # too old for it
    assert county.clinic.get(path, effective_on="2020-07-01").json()["next_due"] is None


def test_a_contraindication_takes_its_doses_out_of_those_to_come(county: County):
    child = register(county.clinic)
    against = Draft(
        "vaccination-record.contraindication-recorded.v1",
        child.record,
        1,
        {
            "contraindication": str(uuid4()),
            "vaccine_groups": ["JE"],
            "lasting": True,
            "valid_from": "2016-01-05",
            "clinic": str(county.clinic.organisation),
        },
        {child.handle: {"kind": "allergy"}},
    )
    path = f"/v1/records/{child.record}"
    answer = county.clinic.post(f"{path}/contraindications", against)
    assert answer.status_code == 201, answer.text
    county.served.caught_up()
    told = county.clinic.get(path).json()["next_due"]
    series = [one["series"] for one in told["doses"]]
    assert "MMR" in series
    assert "JE" not in series


def test_a_writer_reads_its_own_write(county: County):
    for _ in range(5):
        child = register(county.clinic)
        position = county.clinic.post(doses_path(child), dose(county.clinic, child)).json()
        answer = county.clinic.get(
            f"/v1/records/{child.record}", at_least=position["position"]
        ).json()
        assert answer["version"] == 2
        assert answer["position"] >= position["position"]
        assert len(answer["doses"]) == 1


def test_a_position_beyond_the_views_is_not_visible_yet(county: County, child: Child, monkeypatch):
    monkeypatch.setattr(parameters, "WAIT_SECONDS", 0.1)
    answer = county.clinic.get(f"/v1/records/{child.record}", at_least=99_999_999)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "/problems/not-yet-visible"


@pytest.mark.parametrize("reader", ["far_clinic", "school"])
def test_a_record_outside_the_scope_answers_like_none(county: County, child: Child, reader: str):
    author: Author = getattr(county, reader)
    for path in ("", "/timeline"):
        hit = author.get(f"/v1/records/{child.record}{path}")
        miss = author.get(f"/v1/records/{uuid4()}{path}")
        assert hit.status_code == miss.status_code == 404
        assert told(hit) == told(miss)
        assert _comparable(hit.headers) == _comparable(miss.headers)


def test_another_clinic_of_the_county_and_the_cdc_read_it(county: County, child: Child):
    for reader in (county.other_clinic, county.cdc, county.regulator):
        assert reader.get(f"/v1/records/{child.record}").status_code == 200


def test_a_correction_shows_from_the_next_day_on(county: County):
    clinic, (child, which) = county.clinic, vaccinated(county)
    correct(clinic, child, which, LOT)
    county.served.caught_up()

    def lot(day) -> str:
        body = clinic.get(f"/v1/records/{child.record}", effective_on=day.isoformat()).json()
        return body["doses"][0]["lot"]

    assert lot(today()) == "A20140601"
    assert lot(tomorrow()) == "A20140610"
    lines = clinic.get(f"/v1/records/{child.record}/timeline").json()["lines"]
    assert [line["topic"] for line in lines] == [
        "vaccination-record.registered.v1",
        "vaccination-record.dose-administered.v1",
        "correction.requested.v1",
        "correction.verified.v1",
        "correction.applied.v1",
        "vaccination-record.dose-corrected.v1",
    ]
    assert lines[-1]["data"]["changes"] == [LOT]


def test_a_timeline_comes_in_pages(county: County, child: Child):
    first = county.clinic.get(f"/v1/records/{child.record}/timeline", limit=2)
    assert len(first.json()["lines"]) == 2
    following = first.headers["link"]
    assert following.endswith('rel="next"')
    rest = county.clinic.get(following.partition(">")[0].lstrip("<"))
    assert len(rest.json()["lines"]) == 1
    assert "link" not in rest.headers


def test_a_record_is_found_by_its_number(county: County, child: Child, number: str):
    answer = county.clinic.call("/v1/records/search", {"id_number": number})
    assert answer.status_code == 200
    (found,) = answer.json()["records"]
    assert (found["record"], found["matched"]) == (str(child.record), "recipient")
    assert found["recipient"]["name"] == "王小明"


def test_a_record_is_found_by_its_guardians_number(
    county: County, child: Child, mother_number: str
):
    answer = county.cdc.call("/v1/records/search", {"id_number": mother_number})
    (found,) = answer.json()["records"]
    assert (found["record"], found["matched"]) == (str(child.record), "guardian")


def test_nothing_found_and_nothing_allowed_are_the_same_answer(county: County, number: str):
    unknown = county.clinic.call("/v1/records/search", {"id_number": id_number("20010101")})
    for reader in (county.far_clinic, county.school):
        hidden = reader.call("/v1/records/search", {"id_number": number})
        assert hidden.status_code == unknown.status_code == 200
        assert hidden.content == unknown.content
        assert _comparable(hidden.headers) == _comparable(unknown.headers)


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({}, "malformed-body"),
        ({"id_number": 410299}, "malformed-body"),
        ({"id_number": "11010519491231002X", "name": "李"}, "malformed-body"),
        ({"id_number": "110105194912310021"}, "invalid-id-number"),
        ({"id_number": "110105491231002"}, "invalid-id-number"),
        ({"id_number": "A", "id_type": "passport"}, "malformed-data"),
        ({"id_number": "11010519491231002X", "id_type": "library-card"}, "malformed-data"),
        ([], "malformed-body"),
    ],
)
def test_a_search_for_no_number(county: County, body, slug: str):
    answer = county.clinic.call("/v1/records/search", body)
    assert answer.status_code == 422
    assert answer.json()["type"] == f"/problems/{slug}"


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/records/7", {}),
        ("/v1/records/{record}", {"effective_on": "2018-02-30"}),
        ("/v1/records/{record}", {"effective_on": "1546300800"}),
        ("/v1/records/{record}", {"at_least": "-1"}),
        ("/v1/records/{record}", {"at_least": "9" * 30}),
        ("/v1/records/{record}/timeline", {"limit": "501"}),
        ("/v1/divisions/4102x/roll-up", {"entry_type": "primary", "school_year": YEAR}),
        ("/v1/divisions/410299/roll-up", {"entry_type": "nursery", "school_year": YEAR}),
        ("/v1/divisions/410299/roll-up", {"entry_type": "primary"}),
    ],
)
def test_parameters_of_another_form(county: County, child: Child, path: str, params):
    answer = county.cdc.get(path.format(record=child.record), **params)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/malformed-parameter"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/receipts/99999999999999999999999999",
        "/v1/receipts/-1",
        "/v1/receipts/0",
        "/v1/entries?after=99999999999999999999999",
        "/tile/entries/x999/x999/x999/x999/x999/x999/999",
        "/tile/0/x999/x999/x999/x999/x999/x999/999",
        "/envelopes/x999/x999/x999/x999/x999/x999/999",
        "/v1/institutions/{school}/classes/%00/register?school_year=2018",
        "/v1/institutions/{school}/classes/%FF/register?school_year=2018",
        "/v1/institutions/{school}/classes/x/register?school_year=99999999999",
        "/v1/divisions/%00/roll-up?entry_type=primary&school_year=2018",
        "/v1/records/%00",
        "/v1/certificates/%00",
        "/v1/proofs/consistency?old=0&new=99999999999999999999",
        "/problems/%00",
    ],
)
def test_no_address_makes_the_server_fail(county: County, path: str):
    answer = county.regulator.get(path.format(school=county.school.organisation))
    assert answer.status_code < 500, answer.text


# Certificates ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mother(county: County, child: Child, mother_number: str) -> Author:
    return citizen(county.served, mother_number)


@pytest.fixture(scope="module")
def certificate(county: County, child: Child, mother: Author) -> UUID:
    answer = mother.call("/v1/certificates", {"record": str(child.record), "has_consented": True})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["stream"])


def test_a_mother_sees_which_certificates_she_may_claim(mother: Author, child: Child):
    answer = mother.served.http.get("/v1/certificates/candidates", headers=mother.bearer)
    (candidate,) = answer.json()["candidates"]
    assert candidate["record"] == str(child.record)
    assert candidate["kind"] == "child"


def test_the_holder_sees_the_doses_with_their_provenance(
    mother: Author, certificate: UUID, child: Child
):
    mother.served.caught_up()
    answer = mother.get(f"/v1/certificates/{certificate}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [one["vaccine"] for one in body["doses"]] == ["HepB"]  # C-20 withholds the other
    assert (body["total"], body["withheld"]) == (2, 1)
    assert body["doses"][0]["provenance"] == "given"
    assert "不等于没有接种" in body["notice"]["zh"]
    assert "does not mean" in body["notice"]["en"]
    polio = next(one for one in body["next_due"]["doses"] if one["series"] == "Polio")
    assert (polio["dose_number"], polio["status"]) == (1, "overdue")
    assert polio["findings"][0]["zh"].startswith("脊灰疫苗第1剂逾期")
    assert body["person"]["name"] == "王小明"
    assert body["holder"]["name"] == "李梅"
    assert len(body["identifier"]) == 32
    assert "id_number" not in answer.text


def test_the_holder_gets_the_receipt_of_what_the_platform_signed(
    county: County, mother: Author, certificate: UUID
):
    key = str(uuid4())
    body = {
        "scope": ["view"],
        "relation": "relative",
        "grantee": {**GRANDMOTHER, "id_number": id_number("19600101")},
    }
    path = f"/v1/certificates/{certificate}/grants"
    written = mother.call(path, body, Idempotency_Key=key)
    assert written.status_code == 201, written.text
    address = written.headers["location"]
    assert mother.get(address).status_code == 200
    stranger = citizen(county.served, id_number("19900101"))
    assert stranger.get(address).status_code == 404

    again = mother.call(path, body, Idempotency_Key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["position"] == written.json()["position"]
    other = mother.call(path, {**body, "scope": ["book"]}, Idempotency_Key=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_a_grantee_sees_it_until_the_grant_is_taken_back(
    county: County, mother: Author, certificate: UUID
):
    number = id_number("19600202")
    grandmother = citizen(county.served, number, name="张桂英")
    county.served.caught_up()
    address = f"/v1/certificates/{certificate}"
    assert grandmother.get(address).status_code == 404

    answer = grant(mother, certificate, number)
    assert answer.status_code == 201, answer.text
    county.served.caught_up()
    seen = grandmother.get(address)
    assert seen.status_code == 200
    assert seen.json()["grants"] == []  # whom else the holder trusts is the holder's to know
    held = mother.get(address).json()["grants"]
    assert "张桂英" in [one["grantee"]["name"] for one in held]

    ok(revoke(mother, certificate, answer))
    assert grandmother.get(address).status_code == 404


def test_a_grant_without_the_scope_view_shows_nothing(
    county: County, mother: Author, certificate: UUID
):
    number = id_number("19600303")
    assert grant(mother, certificate, number, "book").status_code == 201
    county.served.caught_up()
    answer = citizen(county.served, number).get(f"/v1/certificates/{certificate}")
    assert answer.status_code == 404


def test_strangers_cannot_tell_a_certificate_from_none(county: County, certificate: UUID):
    county.served.caught_up()
    for reader in (citizen(county.served, id_number("19900101")), county.far_clinic):
        hit = reader.get(f"/v1/certificates/{certificate}")
        miss = reader.get(f"/v1/certificates/{uuid4()}")
        assert hit.status_code == miss.status_code == 404
        assert told(hit) == told(miss)


def test_staff_of_the_county_see_it(county: County, certificate: UUID):
    county.served.caught_up()
    answer = county.clinic.get(f"/v1/certificates/{certificate}")
    assert answer.status_code == 200
    assert answer.json()["grants"] == []


def test_a_second_parent_is_told_to_ask_for_a_grant(
    county: County, child: Child, mother: Author, certificate: UUID
):
    head = county.served.head()
    answer = mother.call("/v1/certificates", {"record": str(child.record), "has_consented": True})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/already_claimed")
    assert county.served.head() == head


def test_a_stranger_claims_nothing(county: County, child: Child):
    head = county.served.head()
    stranger = citizen(county.served, id_number("19900101"))
    body = {"record": str(child.record), "has_consented": True}
    answer = stranger.call("/v1/certificates", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/parent_id_mismatch")
    assert county.served.head() == head


def test_an_adults_certificate_is_no_guardians(county: County, child: Child, mother_number: str):
    adult = citizen(county.served, mother_number, role=Role.ADULT)
    body = {"record": str(child.record), "has_consented": True}
    assert adult.call("/v1/certificates", body).status_code == 422


GRANTS = "/{certificate}/grants"
CONSOLE = [
    ("", {"record": "7", "has_consented": True}, 422, "malformed-body"),
    ("", {"record": str(uuid4()), "has_consented": "yes"}, 422, "malformed-body"),
    ("", {"record": str(uuid4())}, 422, "malformed-body"),
    ("", {"record": str(uuid4()), "has_consented": True, "x": 1}, 422, "malformed-body"),
    ("", {"record": str(uuid4()), "has_consented": True}, 404, "not-found"),
    (GRANTS, {"scope": [], "relation": "other", "grantee": {}}, 422, "malformed-body"),
    (GRANTS, {"scope": ["view"], "relation": "other", "grantee": {}}, 422, "missing_name"),
    (
        GRANTS,
        {
            "scope": ["everything"],
            "relation": "other",
            "grantee": {**GRANDMOTHER, "id_number": "11010519491231002X"},
        },
        422,
        "malformed-data",
    ),
    (
        GRANTS,
        {
            "scope": ["view"],
            "relation": "other",
            "grantee": {**GRANDMOTHER, "id_number": "110105194912310021"},
        },
        422,
        "invalid-id-number",
    ),
    ("/{certificate}/revocations", {"grant": str(uuid4())}, 422, "unknown_grant"),
    ("/{certificate}/release", {"reason": "Because I want to"}, 422, "malformed-data"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "slug"), CONSOLE)
def test_console_requests_that_do_not_fit(  # noqa: PLR0917
    county: County, mother: Author, certificate: UUID, path: str, body, status: int, slug: str
):
    head = county.served.head()
    answer = mother.call(f"/v1/certificates{path.format(certificate=certificate)}", body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert county.served.head() == head


def test_a_console_write_needs_a_key_and_a_citizen(
    county: County, mother: Author, certificate: UUID, child: Child
):
    body = {"record": str(child.record), "has_consented": True}
    without = mother.call("/v1/certificates", body, Idempotency_Key="x")
    assert without.json()["type"] == "/problems/idempotency-key-missing"
    assert county.clinic.call("/v1/certificates", body).status_code == 403


def test_a_released_certificate_can_be_claimed_again(county: County, mother_number: str):
    number = id_number("19880304")
    child = register(county.clinic, mother_number=number)
    mother = citizen(county.served, number)
    body = {"record": str(child.record), "has_consented": True}
    first = mother.call("/v1/certificates", body).json()["stream"]
    released = mother.call(f"/v1/certificates/{first}/release", {"reason": "other-parent"})
    assert released.status_code == 201, released.text
    county.served.caught_up()
    assert mother.get(f"/v1/certificates/{first}").status_code == 404
    assert mother.call("/v1/certificates", body).status_code == 201


# School checks ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pupil(county: County, child: Child) -> UUID:
    """Enrolled at the primary school, checked."""
    school = county.school
    enrolment = uuid4()
    data = {
        "record": str(child.record),
        "institution": str(school.organisation),
        "division": school.principal.division,
        "school_year": YEAR,
        "class_name": "一年级1班",
        "entry_type": "primary",
        "admission": "new",
        "number": 1,
        "joined_on": "2018-09-03",
    }
    answer = school.post("/v1/enrolments", Draft("enrolment.enrolled.v1", enrolment, 0, data))
    assert answer.status_code == 201, answer.text
    checked = {"checked_on": "2018-09-10", "has_certificate": True}
    answer = school.post(
        f"/v1/enrolments/{enrolment}/checks", Draft("enrolment.checked.v1", enrolment, 1, checked)
    )
    assert answer.status_code == 201, answer.text
    county.served.caught_up()
    return enrolment


def test_the_register_has_thirty_columns_and_three_subtotals(county: County, pupil: UUID):
    school = county.school.organisation
    address = f"/v1/institutions/{school}/classes/一年级1班/register"
    for reader in (county.school, county.cdc):
        answer = reader.get(address, school_year=YEAR)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["columns"] == list(annex3.COLUMNS)
        (row,) = body["rows"]
        assert len(row) == 30
        assert row[1] == "王小明"
        assert [len(line) for line in body["subtotals"]] == [30, 30, 30]
        assert body["subtotals"][0][0] == "查验小计"
        assert body["lines"][0]["enrolment"] == str(pupil)
    classes = county.school.get(f"/v1/institutions/{school}/classes", school_year=YEAR).json()
    row = {"class_name": "一年级1班", "enrolled": 1, "checked": 1, "not_full": 1}
    assert classes["classes"] == [row | {"completed": 0, "told": 0}]


def test_the_register_of_another_school_answers_like_none(county: County, pupil: UUID):
    for path in ("classes", "classes/一年级1班/register"):
        for reader in (county.kindergarten, county.far_clinic):
            hit = reader.get(
                f"/v1/institutions/{county.school.organisation}/{path}", school_year=YEAR
            )
            miss = reader.get(f"/v1/institutions/{uuid4()}/{path}", school_year=YEAR)
            assert hit.status_code == miss.status_code == 404
            assert told(hit) == told(miss)


def test_the_roll_up_adds_the_county_up(county: County, pupil: UUID):
    answer = county.cdc.get("/v1/divisions/410299/roll-up", entry_type="primary", school_year=YEAR)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["columns"] == list(annex4.COLUMNS)
    assert [row[0] for row in body["rows"]] == ["中心小学"]
    assert len(body["total"]) == 29
    assert body["total"][3:5] == [1, 1]


def test_the_roll_up_of_another_division_is_refused(county: County):
    asked = {"entry_type": "primary", "school_year": YEAR}
    for reader in (county.cdc, county.school):
        answer = reader.get("/v1/divisions/4102/roll-up", **asked)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


def _comparable(headers: httpx.Headers) -> dict[str, str]:
    changing = {"date", "x-request-id"}
    return {name: value for name, value in headers.items() if name not in changing}
