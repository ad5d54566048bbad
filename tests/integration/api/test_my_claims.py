"""Claiming in steps at the pages, and what a holder is told before the child comes of age."""

from datetime import date
from uuid import uuid4

import httpx
import pytest

from api.my_pages import is_ending
from tests.drafts import id_number
from tests.integration.api.conftest import Author, Child, County, citizen, register


def submit(citizen: Author, child: Child, **fields: str) -> httpx.Response:
    headers = citizen.bearer | {"Sec-Fetch-Site": "same-origin"}
    data = {"key": str(uuid4()), **fields}
    return citizen.served.http.post(f"/my/claims/{child.record}", data=data, headers=headers)


@pytest.fixture(scope="module")
def family(county: County) -> tuple[Child, Author]:
    """A child whose certificate nobody has claimed, and its mother."""
    mother_number = id_number("19880303", is_female=True)
    child = register(county.clinic, number=id_number(), mother_number=mother_number)
    county.served.caught_up()
    return child, citizen(county.served, mother_number)


def test_no_step_of_a_claim_is_skipped_and_a_refusal_says_what_to_do(
    county: County, family: tuple[Child, Author]
):
    child, mother = family
    address = f"/my/claims/{child.record}"
    first = mother.get(address).text
    assert "核对个人信息" in first
    assert 'name="consent"' not in first
    assert 'name="consent"' in mother.get(f"{address}?checked=yes").text
    assert submit(mother, child, consent="yes").status_code == 422
    unread = submit(mother, child, checked="yes")
    assert "no_consent" in unread.text
    assert "请阅读并勾选同意后申领" in unread.text
    claimed = submit(mother, child, checked="yes", consent="yes")
    assert claimed.status_code == 303
    again = submit(mother, child, checked="yes", consent="yes")
    assert "already_claimed" in again.text
    assert "请联系持有人授权" in again.text
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    for answer in (stranger.get(address), stranger.get(f"/my/claims/{uuid4()}")):
        assert answer.status_code == 404


def test_the_holder_is_told_half_a_year_before_the_child_comes_of_age(
    family: tuple[Child, Author],
):
    child, mother = family
    submit(mother, child, checked="yes", consent="yes")  # unless the other test has done so
    mother.served.caught_up()
    row = mother.served.views.certificates.of_record(child.record)
    shown = mother.get(f"/v1/certificates/{row.certificate}").json()
    assert shown["comes_of_age_on"] == "2032-06-15"
    assert "年满18周岁" not in mother.get(f"/my/{row.certificate}").text
    ends_on = date(2032, 6, 15)
    days = (date(2031, 12, 17), date(2031, 12, 18), date(2032, 6, 14))
    assert [is_ending(ends_on, day) for day in days] == [False, True, True]
    assert not is_ending(None, ends_on), "a grown-up's own"
