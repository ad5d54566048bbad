"""A code is shown at a clinic, once, within a minute; the visit it opens has one id (C-19)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from client.signing import Draft
from commands.show_codes import ShowCode
from tests.days import today
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, citizen, dose, doses_path
from tests.integration.api.family import ok
from tests.integration.api.grants import grant, revoke
from tests.integration.api.test_http_credentials import Carrier, carrier
from tests.qr_codes import pixels, read_back


@pytest.fixture(scope="module")
def held(county: County) -> Carrier:
    return carrier(county)


def shown(presenter: Author, certificate: UUID) -> str:
    answer = presenter.get(f"/v1/certificates/{certificate}/show-code")
    assert answer.status_code == 200, answer.text
    return answer.json()["code"]


def scan(clinic: Author, code: str, **headers: str) -> httpx.Response:
    return clinic.call("/v1/visits", {"code": code}, **headers)


def refusal(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition("/")[2]


def sealing_key(county: County) -> bytes:
    return county.served.parts.desk.visits._key


def test_a_visit_from_the_queue_to_the_end_of_the_observation(county: County):
    family = carrier(county)
    code = shown(family.mother, family.certificate)
    opened = ok(scan(county.clinic, code)).json()
    visit = opened["stream"]
    path = f"/v1/visits/{visit}"
    ok(county.clinic.post(f"{path}/registration", Draft("visit.registered.v1", UUID(visit), 1, {})))
    given = dose(
        county.clinic,
        family.child,
        occurred_on=today().isoformat(),
        at="T00:00:01+08:00",
        expires_on="2030-01-01",
    )
    named = {"doses": [given.data["dose"]]}
    before = Draft("visit.vaccinated.v1", UUID(visit), 2, named)
    assert refusal(county.clinic.post(f"{path}/vaccination", before)) == "dose-not-of-visit"
    ok(county.clinic.post(doses_path(family.child), given))
    ok(
        county.clinic.post(
            f"{path}/vaccination", Draft("visit.vaccinated.v1", UUID(visit), 2, named)
        )
    )
    read = county.clinic.get(path).json()
    assert read["step"] == "vaccinated"
    assert read["record"] == str(family.child.record)
    assert set(read["moments"]) == {"queued", "registered", "vaccinated"}
    until = datetime.fromisoformat(read["observed_until"])
    assert until - datetime.fromisoformat(read["moments"]["vaccinated"]) == timedelta(minutes=30)
    over = {"has_reaction": False, "left_early": False}
    early = county.clinic.post(
        f"{path}/observation", Draft("visit.observed.v1", UUID(visit), 3, over)
    )
    assert refusal(early) == "observation-too-short"
    left = Draft("visit.observed.v1", UUID(visit), 3, over | {"left_early": True})
    ok(county.clinic.post(f"{path}/observation", left))
    assert county.clinic.get(path).json()["step"] == "observed"


def test_a_code_opens_one_visit_however_many_scan_it_at_once(county: County, held: Carrier):
    code = shown(held.mother, held.certificate)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: scan(county.clinic, code), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    refused = {refusal(answer) for answer in answers if answer.status_code == 422}
    assert refused == {"show_code_used"}


def test_a_retry_of_the_same_scan_gets_the_first_answer(county: County, held: Carrier):
    code, key = shown(held.mother, held.certificate), str(uuid4())
    first = ok(scan(county.clinic, code, Idempotency_Key=key)).json()
    again = ok(scan(county.clinic, code, Idempotency_Key=key)).json()
    assert first["position"] == again["position"]


def test_a_screenshot_of_an_old_code_is_refused_with_the_reason(county: County, held: Carrier):
    certificate = county.served.views.certificates.get(held.certificate)
    for age in (timedelta(seconds=61), timedelta(seconds=-60)):
        made_at = datetime.now(UTC).replace(microsecond=0) - age
        code = ShowCode(uuid4().bytes[:12], held.certificate, certificate.holder, made_at)
        answer = scan(county.clinic, code.text(sealing_key(county)))
        assert refusal(answer) == "show_code_expired"
        assert "截图" in answer.json()["title"]


def test_an_altered_or_invented_code_is_unknown(county: County, held: Carrier):
    code = shown(held.mother, held.certificate)
    other = "0" if code[30] != "0" else "1"
    bent = code[:30] + other + code[31:]
    forged = ShowCode(uuid4().bytes[:12], held.certificate, uuid4(), datetime.now(UTC))
    for text in (bent, code[:-1], "VSC1:", "HC1:" + code[5:], forged.text(bytes(32))):
        assert refusal(scan(county.clinic, text)) == "show_code_unknown"
    assert refusal(scan(county.clinic, code * 100)) == "malformed-body"


def test_a_grantee_shows_the_code_if_the_grant_says_so(county: County):
    family = carrier(county)
    numbers = [id_number("19600101"), id_number("19610101")]
    granted = ok(grant(family.mother, family.certificate, numbers[0], "view", "show-code"))
    ok(grant(family.mother, family.certificate, numbers[1]))
    county.served.caught_up()
    may, may_not = (citizen(county.served, number, name="张桂英") for number in numbers)
    path = f"/v1/certificates/{family.certificate}/show-code"
    assert may_not.get(path).status_code == 404
    code = shown(may, family.certificate)
    visit = ok(scan(county.clinic, code)).json()
    assert '"presenter":"grantee"' in visit["entry"]
    last = shown(may, family.certificate)
    ok(revoke(family.mother, family.certificate, granted))
    assert refusal(scan(county.clinic, last)) == "grant_ended"


def test_nobody_else_shows_scans_or_sees(county: County, held: Carrier):
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    path = f"/v1/certificates/{held.certificate}/show-code"
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"/v1/certificates/{uuid4()}/show-code").status_code == 404
    assert county.clinic.get(path).status_code == 403
    code = shown(held.mother, held.certificate)
    assert scan(held.mother, code).status_code == 403
    assert scan(county.school, code).status_code == 403
    visit = ok(scan(county.clinic, code)).json()["stream"]
    assert county.clinic.get(f"/v1/visits/{visit}").status_code == 200
    for other in (county.other_clinic, county.school, held.mother):
        assert other.get(f"/v1/visits/{visit}").status_code == 404
    draft = Draft("visit.registered.v1", UUID(visit), 1, {})
    assert county.other_clinic.post(f"/v1/visits/{visit}/registration", draft).status_code == 404


def test_guessed_ids_are_answered_alike_and_then_not_at_all(county: County, held: Carrier):
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    guessed = [held.certificate, *(uuid4() for _ in range(29))]
    answers = [stranger.get(f"/v1/certificates/{one}/credential") for one in guessed]
    told = [{**answer.json(), "request_id": None} for answer in answers]
    assert told == [told[0]] * 30
    assert told[0]["status"] == 404
    for path in ("", "/show-code", "/certificate.pdf"):
        tired = stranger.get(f"/v1/certificates/{held.certificate}{path}")
        assert refusal(tired) == "asked-too-often"
        assert int(tired.headers["retry-after"]) > 0
    assert held.mother.get(f"/v1/certificates/{held.certificate}").status_code == 200


def test_queue_numbers_of_a_clinic_follow_one_another_without_a_gap(county: County, held: Carrier):
    codes = [shown(held.mother, held.certificate) for _ in range(12)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda code: ok(scan(county.other_clinic, code)), codes))
    numbers = sorted(
        county.other_clinic.get(f"/v1/visits/{answer.json()['stream']}").json()["queue_number"]
        for answer in answers
    )
    assert numbers == list(range(numbers[0], numbers[0] + 12))


def test_a_code_is_small_and_says_nothing_of_whom_it_is(county: County, held: Carrier):
    path = f"/v1/certificates/{held.certificate}/show-code"
    headers = held.mother.bearer | {"Accept": "image/png"}
    image = county.served.http.get(path, headers=headers)
    text = read_back(pixels(image.content))
    assert text is not None
    assert len(text) == 107
    assert held.certificate.hex.upper() not in text
    assert shown(held.mother, held.certificate)[5:30] != text[5:30]


def test_a_grantee_finds_what_was_granted_unless_the_record_is_restricted(county: County):
    family = carrier(county)
    number = id_number("19600101", is_female=True)
    ok(grant(family.mother, family.certificate, number))
    county.served.caught_up()
    grandmother = citizen(county.served, number, name="张桂英")
    assert str(family.certificate) in grandmother.get("/my").text
    fields = {"organisation": str(county.cdc.organisation), "reason": "consent-withdrawn"}
    restricted = Draft("vaccination-record.restricted.v1", family.child.record, 3, fields)
    ok(county.cdc.post(f"/v1/records/{family.child.record}/restriction", restricted))
    assert str(family.certificate) not in grandmother.get("/my").text
    answer = family.mother.get(family.path)
    assert answer.status_code == 423
