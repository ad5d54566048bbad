"""Whose record a row of a class list means."""

from dataclasses import replace
from datetime import date

import pytest

from domain.class_list import Candidate, Listed, Match, match
from tests.spec.actors import handle

COUNTY = "410221001"
BORN = date(2014, 6, 15)
NUMBER, OTHER_NUMBER = "410221201406150018", "410221201406150034"
CHILD = Candidate(handle(1), COUNTY, "王小明", BORN, "male", NUMBER)
ROW = Listed("王小明", BORN, "male", NUMBER)


@pytest.mark.parametrize(
    "row",
    [ROW, replace(ROW, id_number=None), replace(ROW, sex=None), Listed("王小明", BORN)],
)
def test_a_row_that_contradicts_nothing_is_found(row):
    assert match(row, [CHILD], COUNTY) == (Match.FOUND, CHILD)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "王小红"},
        {"birth_date": date(2014, 6, 16)},
        {"sex": "female"},
        {"id_number": OTHER_NUMBER},
    ],
)
def test_a_number_alone_finds_nobody_and_a_contradiction_neither(changes):
    assert match(replace(ROW, **changes), [CHILD], COUNTY) == (Match.NOT_FOUND, None)


def test_namesakes_are_told_apart_by_their_numbers_only():
    namesake = replace(CHILD, record=handle(2), id_number=OTHER_NUMBER)
    assert match(ROW, [CHILD, namesake], COUNTY) == (Match.FOUND, CHILD)
    assert match(Listed("王小明", BORN), [CHILD, namesake], COUNTY) == (Match.AMBIGUOUS, None)


def test_a_record_with_the_number_goes_before_one_without():
    unnumbered = replace(CHILD, record=handle(2), id_number=None)
    assert match(ROW, [unnumbered, CHILD], COUNTY) == (Match.FOUND, CHILD)


def test_a_record_that_another_county_manages_is_told_as_such():
    far = replace(CHILD, division="410288101")
    assert match(ROW, [far], COUNTY) == (Match.OTHER_DIVISION, far)
