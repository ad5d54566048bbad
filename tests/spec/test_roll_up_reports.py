"""Reports, deadlines and transfers (S-2, S-5, S-17, S-47, S-48, S-53, X-15, X-17, X-24)."""

from datetime import date

import pytest

from domain.roll_up.rules import Level
from tests.spec.roll_up_cases import KAIFENG, ask, ask_one, own_rules, report, row

# --- reports: S-17, S-47, S-48, S-53, X-24 --------------------------------------------------------


def test_a_resubmission_replaces_and_never_adds():
    """S-53."""
    given = {
        "units_due": ["T1", "T2"],
        "submissions": [
            report("T1", "2018-12-10", version=2, checked=8),
            report("T1", "2018-12-08", checked=10),
            report("T2", "2018-12-09", checked=5),
        ],
    }
    found = ask("resubmission", given)
    assert found["total_checked"] == 13
    assert found["report_completeness"]["num"] == 2


def test_of_one_version_the_last_received_counts():
    """S-53."""
    given = {
        "submissions": [
            report("T1", "2018-12-09", checked=8),
            report("T1", "2018-12-08", checked=9),
        ]
    }
    assert ask_one("resubmission", given, "total_checked") == 8


def test_a_missing_report_is_missing_and_a_late_one_is_complete_and_late():
    """S-47, X-1, X-24: the last day is in time."""
    given = {
        "units_due": ["T1", "T2", "T3"],
        "submissions": [report("T2", "2018-12-11"), report("T1", "2018-12-10")],
    }
    found = ask("late", given)
    assert found["late_units"] == ["T2"]
    assert found["report_completeness"] == {
        "num": 2,
        "den": 3,
        "percent": "66.67",
        "meets_target": False,
    }


def test_correcting_a_report_that_was_in_time_makes_nobody_late():
    """S-53, X-24."""
    given = {
        "units_due": ["T1", "T2"],
        "submissions": [
            report("T1", "2018-12-08"),
            report("T1", "2018-12-20", version=2),
            report("T2", "2018-12-11"),
            report("T2", "2018-12-12", version=2),
        ],
    }
    assert ask("late", given)["late_units"] == ["T2"]


def test_late_units_stand_in_the_order_in_which_they_are_due():
    given = {
        "units_due": ["T1", "T2"],
        "submissions": [report("T2", "2019-01-05"), report("T1", "2018-12-31")],
    }
    assert ask("late", given)["late_units"] == ["T1", "T2"]


def test_counties_have_ten_days_more_than_townships():
    """S-17."""
    given = {
        "units_due": ["A", "B"],
        "submissions": [report("A", "2018-12-20"), report("B", "2018-12-21")],
    }
    assert ask("late", given)["late_units"] == ["B"]
    assert ask("late", {**given, "county": "A"})["late_units"] == ["A", "B"]


def test_what_was_not_received_yet_does_not_count():
    given = {
        "units_due": ["T1", "T2"],
        "as_of": "2018-12-10",
        "submissions": [report("T1", "2018-12-10"), report("T2", "2018-12-11")],
    }
    assert ask("late", given)["late_units"] == []
    assert ask("late", given)["report_completeness"]["num"] == 1
    assert ask("late", {**given, "as_of": "2018-12-01"})["late_units"] == []


def test_only_units_that_are_due_make_the_reports_complete():
    """S-47."""
    given = {"units_due": ["T1", "T2"], "rows": [row("T1"), row("T9")]}
    assert ask_one("county", given, "report_completeness")["num"] == 1


def test_deadlines_of_a_school_year():
    """S-17."""
    assert KAIFENG.school_year(date(2018, 9, 1)) == 2018
    assert KAIFENG.school_year(date(2019, 8, 31)) == 2018
    days = [KAIFENG.report_due(level, 2018).isoformat() for level in Level]
    assert days == ["2018-12-10", "2018-12-20", "2018-12-30"]
    spring = own_rules(reports_due={"township": "01-10", "county": "01-20", "city": "01-30"})
    assert spring.report_due(Level.TOWNSHIP, 2018) == date(2019, 1, 10)


# --- transfers: S-2, S-5, X-15, X-17 --------------------------------------------------------------

MOVED = [
    {"date": "2018-09-01", "event": "joined", "school": "K1"},
    {"date": "2018-09-05", "event": "checked", "school": "K1"},
    {"date": "2018-10-15", "event": "left", "school": "K1"},
    {"date": "2018-10-16", "event": "joined", "school": "K2"},
    {"date": "2018-10-20", "event": "checked", "school": "K2"},
]


def test_a_transferred_child_is_counted_once_at_the_receiving_school():
    """X-17, S-5: two checks, one child; 30 days from joining, the day after is the first."""
    assert ask("transfer", {"events": MOVED}) == {
        "counted_in": "K2",
        "township_checked": 1,
        "check_due_by": "2018-11-15",
    }


def test_the_order_of_events_is_their_days():
    assert ask("transfer", {"events": MOVED[::-1]})["counted_in"] == "K2"


def test_until_another_school_received_it_the_first_counts_the_child():
    """X-17."""
    assert ask_one("transfer", {"events": MOVED[:3]}, "counted_in") == "K1"
    assert ask_one("transfer", {"events": MOVED, "as_of": "2018-10-15"}, "counted_in") == "K1"


def test_days_may_stand_in_the_names_of_members():
    events = [
        {"school": "K1", "checked_on": "2018-09-05"},
        {"school": "K2", "transferred_on": "2018-10-16", "checked_on": "2018-10-20"},
    ]
    assert ask("transfer", {"pupil": "C1", "events": events}) == {
        "counted_in": "K2",
        "township_checked": 1,
        "check_due_by": "2018-11-15",
    }


@pytest.mark.parametrize(("township", "checked"), [("T1", 0), ("T2", 1)])
def test_a_child_that_left_the_township_counts_in_the_other(township, checked):
    """X-17."""
    events = [
        {"school": "K1", "township": "T1", "checked_on": "2018-09-05"},
        {"school": "K9", "township": "T2", "joined_on": "2018-10-16", "checked_on": "2018-10-20"},
    ]
    given = {"events": events, "township": township}
    assert ask_one("transfer", given, "township_checked") == checked
    del events[1]["checked_on"]
    assert ask_one("transfer", given, "township_checked") == 0


def test_children_count_and_not_checks():
    """X-17."""
    events = [{**event, "pupil": name} for name in ("C1", "C2") for event in MOVED]
    assert ask_one("transfer", {"events": events}, "township_checked") == 2


@pytest.mark.parametrize(
    ("joined_on", "due"),
    [("2018-09-01", "2018-10-01"), ("2018-12-15", "2019-01-14"), ("2020-02-01", "2020-03-02")],
)
def test_a_child_is_checked_within_30_days(joined_on, due):
    """S-5, X-15."""
    assert ask_one("edge", {"pupil": {"joined_on": joined_on}}, "check_due_by") == due
