"""A schedule file holds together or is refused, and says what it does not know."""

import copy
from datetime import date

import pytest

from domain.errors import DomainError
from domain.schedules.json_document import Node, load_document
from domain.schedules.schedule import SHIPPED, Schedule
from domain.schedules.span import Span

NEWEST = load_document("cn-nip-2026.schedule.json").value


def broken(path, value):
    document = copy.deepcopy(NEWEST)
    at = document
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return Node(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "CN 2026"),
        (("id",), ...),
        (("remark",), "unknown keys are refused"),
        (("effective_to",), "2026-06-30"),
        (("catalogue",), "vaccines-mars"),
        (("until_age",), "eighteen"),
        (("until_age",), ""),
        (("vaccine_sets", "bcg"), ["BCX"]),
        (("vaccine_sets", "mmr"), ["MMR", "BCG"]),
        (("groups", "PV"), ...),
        (("series", 0, "steps", "1", "vaccines"), "no-such-set"),
        (("series", 0, "steps", "1", "group"), "XX"),
        (("series", 0, "steps", "1", "colour"), "blue"),
        (("series", 0, "steps", "1", "min_age"), ...),
        (("series", 0, "steps", "1", "min_age"), "1w"),
        (("series", 0, "steps", "3", "complete_before"), "6m"),
        (("series", 0, "pathways", 0), []),
        (("series", 0, "pathways", 0), ["1", "2"]),
        (("series", 0, "pathways", 0), ["1", "2", "4"]),
        (("series", 3, "born"), {}),
        (("series", 3, "born", "to"), "2019-10-01"),
        (("series", 0, "sex"), "both"),
        (("series", 2, "steps", "4-ipv", "gap"), "no-such-gap"),
        (("spacing", "live_injected"), 28),
        (("spacing", "exempt_from_immunoglobulin"), ["BCX"]),
        (("conditions", "hiv-unknown", "vaccines"), {"BCX": "no"}),
        (("conditions", "hiv-unknown", "vaccines"), {"BCG": "perhaps"}),
        (("gaps", "outside-facts", "zh"), ...),
        (("rules", "valid"), ...),
        (("rules", "valid", "zh"), "{sex}"),
        (("rules", "valid", "en"), "{date"),
    ],
)
def test_a_schedule_that_does_not_hold_together_is_refused(path, value):
    with pytest.raises(DomainError):
        Schedule.read(broken(path, value))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_schedule_names_its_source_and_its_gaps(name):
    schedule = Schedule.load(name)
    assert schedule.edition.id == name
    assert "版）" in schedule.edition.source["document"]
    assert {"secondary-source", "hbsag-mothers", "effective-day"} <= set(schedule.gaps)
    codes = {series.code for series in schedule.series}
    assert all(gap.series <= codes for gap in schedule.gaps.values())


def test_one_edition_holds_on_every_day_from_the_first():
    assert Schedule.in_force(date(2021, 2, 28)) is None
    assert Schedule.in_force(date(2021, 3, 1)).edition.id == "cn-nip-2021"
    assert Schedule.in_force(date(2026, 6, 30)).edition.id == "cn-nip-2021"
    assert Schedule.in_force(date(2026, 7, 1)).edition.id == "cn-nip-2026"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("28d", date(2024, 2, 1), date(2024, 2, 29)),
        ("6m", date(2025, 8, 31), date(2026, 3, 1)),
        ("2y", date(2024, 2, 29), date(2026, 3, 1)),
        ("4y", date(2024, 2, 29), date(2028, 2, 29)),
        ("13y6m", date(2013, 7, 20), date(2027, 1, 20)),
        ("1m1d", date(2026, 1, 31), date(2026, 3, 2)),
        ("0d", date(2026, 1, 31), date(2026, 1, 31)),
    ],
)
def test_a_span_rolls_forward_to_the_next_first(text, start, end):
    assert Span.read(Node(text)).after(start) == end
    assert str(Span.read(Node(text))) == text


@pytest.mark.parametrize("text", ["", "d", "28", "1w", "-1d", "1d2m", "6m ", "１m"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(DomainError):
        Span.read(Node(text))
