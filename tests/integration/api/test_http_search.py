"""Staff find a record by what they were told, and nobody by trying."""

from dataclasses import replace
from itertools import islice

import pytest

from api.errors import AskedTooOften
from api.limiting import Limiter, Rate
from api.parts import PER_TARGET
from commands.principal import Role
from tests.drafts import id_number
from tests.integration.api.conftest import County, register

PATH = "/v1/records/search"


def found(author, **asked: str) -> list[str]:
    answer = author.call(PATH, asked)
    assert answer.status_code == 200, answer.text
    return [line["record"] for line in answer.json()["records"]]


def test_a_record_is_found_by_name_and_birth_date_however_the_name_is_written(county: County):
    child = register(county.clinic, name="吕晓峯", birth_date="2013-02-03")
    county.served.caught_up()
    for name in ("吕晓峯", "吕晓峰", "呂曉峰"):
        assert found(county.clinic, name=name, birth_date="2013-02-03") == [str(child.record)]
    assert found(county.clinic, name="吕晓峯", birth_date="2013-02-04") == []
    assert found(county.clinic, name="吕晓", birth_date="2013-02-03") == []
    for stranger in (county.far_clinic, county.school):
        assert found(stranger, name="吕晓峯", birth_date="2013-02-03") == []


def test_every_search_is_noted_with_what_it_found(county: County):
    number = id_number()
    child = register(county.clinic, number=number)
    county.served.caught_up()
    assert found(county.clinic, id_number=number) == [str(child.record)]
    reads = county.cdc.get(f"/v1/records/{child.record}/access").json()["reads"]
    assert "search" in [read["what"] for read in reads]


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "李梅"},
        {"birth_date": "2013-02-03"},
        {"certificate_number": "A123", "birth_certificate_number": "A123456789"},
        {"name": "李梅", "birth_date": "2013-02-03", "id_number": "11010519491231002X"},
    ],
)
def test_a_search_is_by_one_thing(county: County, asked):
    answer = county.clinic.call(PATH, asked)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/malformed-body"


def test_one_person_is_not_searched_for_again_and_again_by_whomever(county: County):
    number = id_number()
    accounts = [
        replace(county.clinic, principal=replace(county.clinic.principal, subject=f"user-{n}"))
        for n in range(2)
    ]
    tries = (
        accounts[turn % 2].call(PATH, {"id_number": number}) for turn in range(PER_TARGET.burst * 5)
    )
    # Each second gives one search back: a slow machine is refused later, and is refused.
    refused = [*islice((answer for answer in tries if answer.status_code == 429), 1)]
    assert refused
    assert refused[0].json()["type"] == "/problems/asked-too-often"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert number not in refused[0].text
    assert accounts[0].call(PATH, {"id_number": id_number()}).status_code == 200, "others may be"
    assert county.clinic.principal.role is Role.CLINIC


def test_a_limit_gives_back_with_time_and_forgets_the_oldest(monkeypatch):
    now = [0.0]
    limiter = Limiter(Rate(2, 60.0), lambda: now[0])
    limiter.take("a")
    limiter.take("a")
    with pytest.raises(AskedTooOften) as refused:
        limiter.take("a")
    assert refused.value.headers == {"Retry-After": "31"}
    limiter.take("b")
    now[0] += 30.0
    limiter.take("a")
    with pytest.raises(AskedTooOften):
        limiter.take("a")
    monkeypatch.setattr("api.limiting.MOST_KEPT", 1)
    limiter.take("c")
    limiter.take("c")
    assert len(limiter._spent) == 1
