"""Check statements and notices: issued, completed, superseded, printed, shown to the school."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pypdfium2
import pytest

from bootstrap.erasure import Eraser
from bootstrap.shred_list import apply_shred_list
from certificates.check_statement import CheckStatement
from certificates.claims import STATEMENT_LISTS
from certificates.school_verdict import Outcome
from certificates.status import verify_status_list
from certificates.trust import verify_trust_list
from certificates.verify import Verdict
from client.credential_lists import CredentialLists
from client.signing import Draft
from commands.principal import Role
from tests.integration.api.conftest import Author, County, admit, dose, doses_path, register
from tests.integration.api.family import ok
from tests.integration.api.school_county import YEAR, Enrolled, SchoolCounty, school_county
from tests.integration.api.test_http_duplicates import merge
from tests.integration.api.test_http_school_forms import text_of
from tests.qr_codes import read_back
from tests.waiting import eventually

HEPB = {"vaccine_group": "HepB", "dose_number": 1}


@pytest.fixture(scope="module")
def place(county: County) -> SchoolCounty:
    return school_county(county, "410275")


@pytest.fixture
def pupil(place: SchoolCounty) -> Enrolled:
    pupil = place.pupil(f"一{uuid4().hex[:6]}班", 1, name="赵小证")
    pupil.check()
    return pupil


def issue(place: SchoolCounty, pupil: Enrolled, **more: Any) -> UUID:
    data = {
        "record": str(pupil.child.record),
        "division": place.clinic.principal.division,
        "clinic": str(place.clinic.organisation),
        "checked_on": "2021-08-20",
        "entry_type": "primary",
        "has_certificate": True,
        "paper_agrees": True,
        **more,
    }
    draft = Draft("check-statement.issued.v1", uuid4(), 0, data)
    ok(place.clinic.post("/v1/check-statements", draft))
    place.served.caught_up()
    return draft.stream


def certify(place: SchoolCounty, statement: UUID, version: int = 1, **row: Any) -> Any:
    data = {"clinic": str(place.clinic.organisation), **HEPB, **row}
    draft = Draft("check-statement.makeup-recorded.v1", statement, version, data)
    return place.clinic.post(f"/v1/check-statements/{statement}/rows", draft)


def give(place: SchoolCounty, pupil: Enrolled) -> None:
    made_up = dose(place.clinic, pupil.child, occurred_on="2021-10-08", expires_on="2022-10-31")
    ok(place.clinic.post(doses_path(pupil.child), made_up))
    pupil.child = replace(pupil.child, version=pupil.child.version + 1)
    place.served.caught_up()


def cell(place: SchoolCounty, pupil: Enrolled) -> str:
    place.served.caught_up()
    classes = place.school.get(
        f"/v1/institutions/{place.school.organisation}/classes", school_year=YEAR
    ).json()["classes"]
    for one in classes:
        body = place.school.get(
            f"/v1/institutions/{place.school.organisation}/classes/{one['class_name']}/register",
            school_year=YEAR,
        ).json()
        for row, line in zip(body["rows"], body["lines"], strict=True):
            if line["enrolment"] == str(pupil.stream):
                return row[8]
    raise AssertionError


def test_a_cell_stays_open_until_the_clinic_has_certified_the_dose(
    place: SchoolCounty, pupil: Enrolled
):
    """S-16."""
    statement = issue(place, pupil, appointments=[{**HEPB, "date": "2021-10-08"}])
    early = certify(place, statement)
    assert (early.status_code, early.json()["type"]) == (422, "/problems/dose-not-given")
    give(place, pupil)
    pupil.recheck(statement=str(statement))
    assert cell(place, pupil) == "/"
    ok(certify(place, statement))
    pupil.recheck(statement=str(statement))
    assert cell(place, pupil) == "8/10"
    body = place.school.get(f"/v1/check-statements/{statement}").json()
    row = next(one for one in body["rows"] if one["vaccine_group"] == "HepB")
    assert row["appointment"] == row["made_up"]["date"] == "2021-10-08"
    assert row["made_up"]["clinic"] == str(place.clinic.organisation)
    text = text_of(place.school.get(f"/v1/check-statements/{statement}.pdf").content)
    for said in ("赵小证", "乙肝疫苗第1剂", "2021年10月8日", row["made_up"]["lot"], "城关接种门诊"):
        assert said in text, said


def papers(place: SchoolCounty, class_name: str) -> Any:
    """What the school has of the only child of a class."""
    place.served.caught_up()
    path = f"/v1/institutions/{place.school.organisation}/entry-papers"
    body = place.school.get(path, school_year=YEAR, class_name=class_name).json()
    ((child,),) = (one["children"] for one in body["classes"])
    return child


def test_entry_papers_are_complete_with_certificate_and_statement(place: SchoolCounty):
    """S-7: or with a statement that says a lost certificate is to be issued again (S-10)."""
    with_it, without = f"齐{uuid4().hex[:6]}班", f"补{uuid4().hex[:6]}班"
    first, second = place.pupil(with_it, 1, name="有证的"), place.pupil(without, 1, name="无证的")
    assert papers(place, with_it)["certificate"] is None
    first.check()
    second.check(has_certificate=False)
    before = papers(place, with_it)
    assert (before["certificate"], before["statement"], before["complete"]) == (True, None, False)
    statement = issue(place, first)
    after = papers(place, with_it)
    assert (after["statement"], after["complete"]) == (str(statement), True)
    issue(place, second)
    assert not papers(place, without)["complete"], "the clinic saw a certificate"
    issue(place, second, has_certificate=False)
    found = papers(place, without)
    assert (found["certificate"], found["reissue_under_way"], found["complete"]) == (
        False,
        True,
        True,
    )
    path = f"/school/{place.school.organisation}/class"
    shown = {
        lang: place.school.get(path, name=without, school_year=YEAR, lang=lang).text
        for lang in ("en", "zh")  # the language is kept in a cookie
    }
    assert "补证中" in shown["zh"]
    assert "reissue under way" in shown["en"]


def test_the_papers_of_a_merged_child_are_those_of_its_one_record(place: SchoolCounty):
    class_name = f"并{uuid4().hex[:6]}班"
    enrolled = place.pupil(class_name, 1, name="并档的")
    enrolled.check()
    survivor = register(place.clinic, name="并档的")
    statement = issue(place, Enrolled(place.school, survivor, enrolled.stream))
    assert papers(place, class_name)["statement"] is None
    ok(merge(place.clinic, survivor, enrolled.child))
    assert papers(place, class_name)["statement"] == str(statement)
    assert place.school.get(f"/v1/check-statements/{statement}").status_code == 200


def test_a_statement_of_another_child_certifies_nothing(place: SchoolCounty, pupil: Enrolled):
    other = place.pupil("二班", 1, name="别的孩子")
    statement = issue(place, other)
    draft = Draft(
        "enrolment.rechecked.v1",
        pupil.stream,
        pupil.version,
        {"rechecked_on": "2021-11-20", "statement": str(statement)},
    )
    answer = place.school.post(f"/v1/enrolments/{pupil.stream}/rechecks", draft)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/statement-of-another")


def test_a_statement_is_superseded_and_never_edited(place: SchoolCounty, pupil: Enrolled):
    """S-34."""
    before_issue = place.served.caught_up()
    first = issue(place, pupil)
    before = place.clinic.get(f"/v1/check-statements/{first}").json()
    anyone = place.served.http
    known = f"/v1/check-statements/{first}/status"
    assert anyone.get(known).json()["status"] == "valid"
    at = place.served.caught_up()
    second = issue(place, pupil, supersedes=str(first))
    assert anyone.get(known, params={"known_at": at}).json()["status"] == "valid"
    path = f"/v1/check-statements/{first}"
    assert place.clinic.get(path, known_at=at).json() == before
    assert place.clinic.get(path, known_at=before_issue).status_code == 404
    assert anyone.get(known).json() == {
        "statement": str(first),
        "status": "superseded",
        "checked_on": "2021-08-20",
        "clinic": "城关接种门诊",
    }
    assert "已由新的查验证明替代" in anyone.get(f"/statement/{first}").text
    assert anyone.get(f"/statement/{uuid4()}").status_code == 404
    after = place.clinic.get(f"/v1/check-statements/{first}").json()
    assert after["superseded_by"] == str(second)
    assert after["audit"] == before["audit"]
    for asked, is_told in (({}, True), ({"known_at": at}, False)):
        printed = place.clinic.get(f"{path}.pdf", **asked).content
        assert ("由新的查验证明替代" in text_of(printed)) == is_told
    answer = certify(place, first, version=2)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/statement-superseded")
    place.served.verified()


def scanned(pdf: bytes) -> str | None:
    """What a scanner that is not ours reads from the one page, printed at 300 dots an inch."""
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) == 1, "22 rows and the code fit a page"
        bitmap = document[0].render(scale=300 / 72, grayscale=True)
        raw, stride = bytes(bitmap.buffer), bitmap.stride
        rows = range(0, bitmap.height * stride, stride)
        return read_back([bytearray(raw[at : at + bitmap.width]) for at in rows])


def lists_of(place: SchoolCounty) -> CredentialLists:
    """The lists as the installation hands them out now; nothing else is asked to verify."""
    keys, asked = place.served.parts.credential_keys, place.served.http
    trust = verify_trust_list(keys.trust_list(), [keys.root.public_key])
    paths = [f"/certificates/status/{STATEMENT_LISTS}{one}" for one in ("", "/superseded")]
    statuses = (verify_status_list(asked.get(path).content, trust) for path in paths)
    return CredentialLists(trust, tuple(statuses))


def test_a_statement_verifies_offline_though_nobody_claimed_the_certificate(place: SchoolCounty):
    """It says what the clinic stated, for good; and that another stands in its place (S-34)."""
    pupil = place.pupil("三班", 1, name="有码儿童")
    first = issue(place, pupil)
    path = f"/v1/check-statements/{first}.pdf"
    text = scanned(place.clinic.get(path).content)
    assert text is not None
    found = lists_of(place).verify(text, datetime.now(UTC))
    assert found.verdict is Verdict.VALID
    content = found.credential.content
    assert isinstance(content, CheckStatement)
    assert (content.holder.name, content.outcome) == ("有码儿童", Outcome.TO_MAKE_UP)
    body = place.clinic.get(f"/v1/check-statements/{first}").json()
    assert content.holder.identifier == first.bytes
    assert content.checked_on.isoformat() == body["checked_on"]
    assert [
        (gap.vaccine_group, number) for gap in content.missing for number in gap.dose_numbers
    ] == [(row["vaccine_group"], row["dose_number"]) for row in body["rows"]]
    assert content.clinic.startswith(place.clinic.principal.division)
    issue(place, pupil, supersedes=str(first))
    eventually(
        lambda: lists_of(place).verify(text, datetime.now(UTC)).verdict is Verdict.SUPERSEDED
    )
    assert scanned(place.clinic.get(path).content) == text


def test_the_code_of_a_child_shredded_on_a_legal_order_is_revoked(
    county: County, place: SchoolCounty
):
    """S-13: a statement is kept for good, except from the law's own order; no other replaced it."""
    pupil = place.pupil("四班", 1, name="依令销毁")
    text = scanned(place.clinic.get(f"/v1/check-statements/{issue(place, pupil)}.pdf").content)
    assert text is not None
    assert lists_of(place).verify(text, datetime.now(UTC)).verdict is Verdict.VALID
    record = pupil.child.record
    path = f"/v1/records/{record}"
    city = admit(county.operator, Role.CITY_CDC, "依令市疾控中心", "city-cdc", "410200")
    city = replace(city, principal=replace(city.principal, division="4102"))

    def decide(by: Author, what: str, **fields: Any) -> dict[str, Any]:
        version = place.cdc.get(f"{path}/protection").json()["version"]
        data = {"organisation": str(by.organisation), **fields}
        draft = Draft(f"vaccination-record.{what}.v1", record, version, data)
        return ok(by.post(f"{path}/shredding", draft)).json()

    asked = decide(place.cdc, "shred-requested", ground="legal-order")
    decide(city, "shredded", request=asked["version"])
    eventually(lambda: lists_of(place).verify(text, datetime.now(UTC)).verdict is Verdict.REVOKED)


def test_there_is_no_list_of_statements_that_the_log_has_not_reached(place: SchoolCounty):
    beyond = f"/certificates/status/{STATEMENT_LISTS + 1}"
    assert place.served.http.get(beyond).status_code == 404


def test_who_may_see_a_statement(county: County, place: SchoolCounty, pupil: Enrolled):
    statement = issue(place, pupil)
    path = f"/v1/check-statements/{statement}"
    for author in (place.clinic, place.school, place.cdc):
        assert author.get(path).status_code == 200
    for author in (place.kindergarten, county.school, county.cdc, county.clinic):
        assert author.get(path).status_code == 404


def give_notice(place: SchoolCounty, pupil: Enrolled, day: str, channel: str) -> None:
    given = {"given_on": day, "channel": channel}
    draft = Draft("enrolment.notice-given.v1", pupil.stream, pupil.version, given)
    ok(place.school.post(f"/v1/enrolments/{pupil.stream}/notices", draft))
    pupil.version += 1


def test_notices_are_printed(place: SchoolCounty):
    """S-6."""
    asked = {"school_year": YEAR}
    path = f"/v1/institutions/{place.school.organisation}/notice.pdf"
    text = text_of(place.school.get(path, **asked).content)
    assert "满6周岁儿童须完成接种疫苗种类及次数" in text
    assert "尊敬的家长：" in text
    assert place.kindergarten.get(path, **asked).status_code == 404


def test_who_was_told_when_and_how_is_told(place: SchoolCounty, pupil: Enrolled):
    """S-6: first and repeated notices, with the edition of the requirements that they set out."""
    path = f"/v1/institutions/{place.school.organisation}/notices"
    before = place.served.caught_up()
    give_notice(place, pupil, "2021-06-20", "paper")
    give_notice(place, pupil, "2021-09-03", "wechat")
    place.served.caught_up()

    def given(**more: Any) -> list[Any]:
        body = place.school.get(path, school_year=YEAR, **more).json()
        children = [child for one in body["classes"] for child in one["children"]]
        (child,) = [one for one in children if one["enrolment"] == str(pupil.stream)]
        notices: list[Any] = child["notices"]
        return notices

    told = given()
    assert [one["channel"] for one in told] == ["paper", "wechat"]
    assert [one["given_on"] for one in told] == ["2021-06-20", "2021-09-03"]
    assert {one["requirement"] for one in told} == {"kaifeng-2018-school-entry"}
    assert given(known_at=before) == []
    assert place.cdc.get(path, school_year=YEAR).status_code == 200
    assert place.kindergarten.get(path, school_year=YEAR).status_code == 404


def test_no_statement_while_paper_and_record_differ(place: SchoolCounty, pupil: Enrolled):
    """S-9."""
    data = {
        "record": str(pupil.child.record),
        "division": place.clinic.principal.division,
        "clinic": str(place.clinic.organisation),
        "compared_on": "2021-08-20",
        "differences": ["dose-not-in-system"],
    }
    found = Draft("paper-comparison.differed.v1", uuid4(), 0, data)
    ok(place.clinic.post("/v1/paper-comparisons", found))
    issued = {**data, "checked_on": "2021-08-20", "entry_type": "primary"}
    issued |= {"has_certificate": True, "paper_agrees": True}
    del issued["compared_on"], issued["differences"]
    draft = Draft("check-statement.issued.v1", uuid4(), 0, issued)
    answer = place.clinic.post("/v1/check-statements", draft)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/paper-differs")
    settled = {
        "clinic": str(place.clinic.organisation),
        "settled_on": "2021-08-21",
        "settlement": "paper-corrected",
    }
    path = f"/v1/paper-comparisons/{found.stream}/settlement"
    again = Draft("paper-comparison.settled.v1", found.stream, 1, settled)
    ok(place.clinic.post(path, again))
    issue(place, pupil)
    twice = Draft("paper-comparison.settled.v1", found.stream, 2, settled)
    assert place.clinic.post(path, twice).json()["type"] == "/problems/already-settled"


def test_no_job_touches_what_a_school_keeps_once_the_pupil_has_left(
    place: SchoolCounty, pupil: Enrolled
):
    """S-13, X-18: the statement for good, the register as it was, whoever teaches the child now."""
    statement = issue(place, pupil)
    at = place.served.caught_up()
    kept = {
        f"/v1/check-statements/{statement}": {},
        f"/v1/check-statements/{statement}.pdf": {},
        f"/v1/institutions/{place.school.organisation}/register.pdf": {
            "school_year": YEAR,
            "known_at": at,
            "effective_on": "2021-09-30",
        },
    }
    before = {path: place.school.get(path, **asked) for path, asked in kept.items()}
    assert {answer.status_code for answer in before.values()} == {200}
    data = {
        "record": str(pupil.child.record),
        "institution": str(place.kindergarten.organisation),
        "division": place.division + "101",
        "school_year": YEAR + 6,
        "class_name": "别处",
        "entry_type": "kindergarten",
        "admission": "transfer",
        "number": 1,
        "joined_on": f"{YEAR + 6}-09-01",
    }
    moved = Draft("enrolment.enrolled.v1", uuid4(), 0, data)
    ok(place.kindergarten.post("/v1/enrolments", moved))
    place.served.caught_up()
    parts, views = place.served.parts, place.served.views
    eraser = Eraser(parts.settings, parts.services, views.records, views.positions)
    # Other tests of this installation may have shredded somebody; nobody has shredded this child.
    assert pupil.child.record not in {shred.record for shred in eraser.round()}
    assert apply_shred_list(parts.settings) == 0
    for path, asked in kept.items():
        assert place.school.get(path, **asked).content == before[path].content, path
