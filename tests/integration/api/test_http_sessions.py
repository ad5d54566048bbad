"""Signing in with a browser: what the cookie opens, and what it does not."""

import httpx
import pytest

from api.session import SESSION
from commands.principal import Principal, Role
from tests.integration.api.conftest import County, register

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def sign_in(county: County, who: str, **more: str) -> httpx.Response:
    return county.served.http.post("/sign-in", data={"who": who, **more}, headers=FORM)


def cookie(answer: httpx.Response) -> dict[str, str]:
    """What the browser sends from now on; it would not show it to us: the cookie is `Secure`."""
    stated = answer.headers["set-cookie"]
    assert stated.startswith(f"{SESSION}=")
    for wanted in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert wanted in stated
    return {"Cookie": stated.partition(";")[0]}


def test_the_sign_in_page_names_who_one_may_be_here(county: County):
    page = county.served.http.get("/sign-in").text
    assert "第一门诊" in page
    assert "开发用令牌" in page


def test_who_signs_in_goes_on_to_the_page_asked_for(county: County):
    there = county.served.http.get("/audit?record=x")
    assert there.status_code == 303
    assert there.headers["location"] == "/sign-in?next=/audit%3Frecord%3Dx"
    answer = sign_in(county, str(county.clinic.organisation), next="/audit?record=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit?record=x")
    assert county.served.http.get("/audit", headers=cookie(answer)).status_code == 200


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil", "", "/\n"]
)
def test_nobody_is_sent_to_another_site(county: County, address: str):
    answer = sign_in(county, "regulator", next=address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {},
    ],
)
def test_a_form_of_another_site_is_refused_as_a_page(county: County, headers):
    form = {"Content-Type": FORM["Content-Type"], **headers}
    answer = county.served.http.post("/sign-in", data={"who": "regulator"}, headers=form)
    assert answer.status_code == 403
    assert "表单须由本站页面提交。" in answer.text
    assert "set-cookie" not in answer.headers


def test_an_old_browser_names_its_origin(county: County):
    form = {"Content-Type": FORM["Content-Type"], "Origin": county.served.url}
    answer = county.served.http.post("/sign-in", data={"who": "regulator"}, headers=form)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("who", "status"),
    [("", 422), ("root", 422), ("guardian", 422), ("00000000-0000-4000-8000-000000000000", 404)],
)
def test_nobody_is_no_one(county: County, who: str, status: int):
    assert sign_in(county, who).status_code == status


def test_a_field_given_twice_is_no_form(county: County):
    answer = county.served.http.post("/sign-in", content="who=regulator&who=operator", headers=FORM)
    assert answer.status_code == 422


def test_a_form_larger_than_any_of_ours_is_refused(county: County):
    answer = county.served.http.post("/sign-in", content="who=" + "a" * 16_384, headers=FORM)
    assert answer.status_code == 413


def test_a_cookie_opens_no_address_of_the_interface(county: County):
    child = register(county.clinic)
    signed_in = cookie(sign_in(county, str(county.clinic.organisation)))
    answer = county.served.http.get(f"/v1/records/{child.record}", headers=signed_in)
    assert answer.status_code == 401


def test_signing_out_forgets(county: County):
    answer = county.served.http.post("/sign-out", headers=FORM)
    assert answer.status_code == 303
    assert f'{SESSION}="";' in answer.headers["set-cookie"]


def test_a_page_that_somebody_may_not_see_says_so_in_the_language_chosen(county: County):
    nobody = Principal("nobody", Role.EDUCATION, county.cdc.organisation, "999999")
    bearer = {"Authorization": f"Bearer {county.served.token(nobody)}"}
    chinese = httpx.get(f"{county.served.url}/audit?record=7", headers=bearer, timeout=60)
    english = httpx.get(f"{county.served.url}/audit?record=7&lang=en", headers=bearer, timeout=60)
    assert chinese.status_code == english.status_code == 422
    assert chinese.headers["content-language"] == "zh-CN"
    assert english.headers["content-language"] == "en"
    assert 'lang="en"' in english.text
    again = httpx.get(county.served.url, cookies=english.cookies, timeout=60)
    assert again.headers["content-language"] == "en"
    assert "tamper-evident" in again.text
