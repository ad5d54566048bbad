"""Annex 3 and annex 4 as files over HTTP."""

from io import BytesIO
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from client.signing import Draft
from tests.integration.api.conftest import County, register
from tests.integration.api.family import YEAR, Family, family, ok
from tests.pdfs import text_of

ROLL_UP = {"entry_type": "primary", "school_year": YEAR}


@pytest.fixture(scope="module")
def household(county: County) -> Family:
    return family(county)


def register_path(household: Family, kind: str) -> str:
    return f"/v1/institutions/{household.county.school.organisation}/register.{kind}"


def test_a_school_prints_its_registers(county: County, household: Family):
    asked = {"school_year": YEAR, "class_name": household.class_name}
    answer = county.school.get(register_path(household, "pdf"), **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    text = text_of(answer.content)
    assert "中心小学" in text
    assert household.class_name in text
    assert "王小明" in text
    book = county.school.get(register_path(household, "xlsx"), **asked)
    sheet = load_workbook(BytesIO(book.content))[household.class_name]
    assert sheet["B3"].value == "王小明"


def test_a_file_of_a_position_is_the_same_for_ever(county: County, household: Family):
    at = county.served.caught_up()
    asked = {"school_year": YEAR, "known_at": at, "effective_on": "2020-09-30"}
    before = {
        kind: county.school.get(register_path(household, kind), **asked).content
        for kind in ("pdf", "xlsx")
    }
    newcomer = register(county.clinic)
    data = {
        "record": str(newcomer.record),
        "institution": str(county.school.organisation),
        "division": county.school.principal.division,
        "school_year": YEAR,
        "class_name": household.class_name,
        "entry_type": "primary",
        "admission": "transfer",
        "number": 2,
        "joined_on": "2020-10-12",
    }
    ok(county.school.post("/v1/enrolments", Draft("enrolment.enrolled.v1", uuid4(), 0, data)))
    county.served.caught_up()
    for kind, content in before.items():
        assert county.school.get(register_path(household, kind), **asked).content == content
    now = county.school.get(register_path(household, "pdf"), school_year=YEAR)
    assert now.content != before["pdf"]


def test_another_school_gets_no_register(county: County, household: Family):
    answer = county.kindergarten.get(register_path(household, "pdf"), school_year=YEAR)
    assert answer.status_code == 404


def test_a_county_prints_its_roll_up_and_a_school_does_not(county: County, household: Family):
    answer = county.cdc.get("/v1/divisions/410299/roll-up.pdf", level="township", **ROLL_UP)
    assert answer.status_code == 200, answer.text
    text = text_of(answer.content)
    assert "测试县疾控中心（盖章）" in text
    assert "入学（√）" in text
    book = county.cdc.get("/v1/divisions/410299/roll-up.xlsx", **ROLL_UP)
    assert load_workbook(BytesIO(book.content))["入学"]["A3"].value == "中心小学"
    assert county.school.get("/v1/divisions/410299/roll-up.pdf", **ROLL_UP).status_code == 403
