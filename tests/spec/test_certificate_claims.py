"""Who may claim an electronic certificate, and what is pending (C-5 to C-14, C-20, C-23, C-24)."""

import copy
import itertools
from datetime import timedelta

import pytest

from domain.certificate_rules.rules import CHECK_ORDER
from tests.spec.certificate_cases import (
    ADULT,
    ADULT_FAILURES,
    CHILD_FAILURES,
    PENDING,
    TODAY,
    adult,
    ask,
    changed,
    child,
    doses,
    own_rules,
)

# --- claims of children: C-5, C-8, C-10, C-12, C-14, C-23, C-24 -----------------------------------


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("2016-12-31", "born_before_cutoff"),
        ("2017-01-01", None),
        ("2017-01-02", None),
        ("2024-08-15", None),
    ],
)
def test_children_born_since_the_first_day_are_eligible(birth_date, expected):
    """C-5, X-1: 以后 includes the day."""
    assert child(child__birth_date=birth_date) == expected


@pytest.mark.parametrize(
    ("city", "expected"),
    [("南通市", None), ("无锡市", None), ("苏州市", "not_pilot_city"), (None, "not_pilot_city")],
)
def test_an_archive_in_either_city_is_enough(city, expected):
    """C-8: 和 is either, not both."""
    assert child(child__archive__city=city) == expected


@pytest.mark.parametrize("status", ["moved_out", "transferred_out", "inactive", "deceased"])
def test_the_archive_is_on_the_active_roll(status):
    """C-8."""
    assert child(child__archive__status=status) == "archive_not_active"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], "parent_id_not_on_file"),
        (None, "parent_id_not_on_file"),
        (["", None], "parent_id_not_on_file"),
        (["ID-F"], "parent_id_mismatch"),
        (["ID-M"], None),
        (["id-m"], None),
    ],
)
def test_a_parents_number_on_file_is_the_applicants(numbers, expected):
    """C-10."""
    assert child(child__archive__parent_ids=numbers) == expected


@pytest.mark.parametrize("applicant", ["ID-K", "ID-G", None, ""])
def test_nobody_but_a_parent_on_file_claims_not_even_with_the_childs_number(applicant):
    """C-10."""
    assert child(applicant_sufuban_id=applicant, relation="grandmother") == "parent_id_mismatch"


def test_a_child_needs_no_number_of_its_own():
    """C-10 asks for the parents' numbers only."""
    assert child(child__archive__own_id=None) is None


@pytest.mark.parametrize("holder", ["ID-F", "ID-M"])
def test_a_certificate_has_one_holder(holder):
    """C-14."""
    assert child(child__claimed_by=holder) == "already_claimed"


@pytest.mark.parametrize(
    "step", ["created_on", "parent_ids_entered_on", "transferred_to_child_clinic_on"]
)
@pytest.mark.parametrize(
    ("days", "expected"), [(1, "effective_next_day"), (0, "effective_next_day"), (-1, None)]
)
def test_the_last_step_of_the_archive_counts_from_the_next_day(step, days, expected):
    """C-23, C-24."""
    day = (TODAY + timedelta(days)).isoformat()
    assert child(**{f"child__archive__{step}": day}) == expected


def test_the_next_day_is_the_next_even_over_a_leap_day():
    """C-23."""
    paths = {"child__archive__created_on": "2024-02-28", "child__birth_date": "2024-01-05"}
    paths["child__archive__parent_ids_entered_on"] = "2024-02-28"
    assert child(today="2024-02-28", **paths) == "effective_next_day"
    assert child(today="2024-02-29", **paths) is None


@pytest.mark.parametrize("ward", ["maternity", "maternity_ward"])
def test_a_newborn_is_moved_to_the_childrens_clinic_first(ward):
    """C-24."""
    paths = {"child__birth_date": "2024-08-10", "child__archive__held_by": ward}
    assert child(**paths) == "archive_in_maternity"
    assert child(**paths, child__archive__parent_ids=[]) == "archive_in_maternity"


def test_without_an_archive_there_is_nothing_to_claim():
    """C-8, C-23."""
    assert child(child__archive=None) == "no_archive"
    assert adult(person__archive=None) == "no_archive"


# --- claims of adults: C-6, C-7, C-9, C-20 --------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (doses(), "no_dose_after_cutoff"),
        (doses("2020-11-30"), "no_dose_after_cutoff"),
        (doses("2020-12-01"), None),
        (doses("2019-01-01", "2020-12-02"), None),
        (doses("2024-08-15"), None),
        (doses("2024-08-16"), "no_dose_after_cutoff"),
        (doses("2021-05-01", system="rabies_exposure"), "no_dose_after_cutoff"),
        (doses("2021-05-01", system="rabies_exposure") + doses("2020-12-01"), None),
    ],
)
def test_an_adult_needs_a_shown_dose_since_the_first_day(given, expected):
    """C-6, C-20, X-1."""
    assert adult(person__doses=given) == expected


def test_a_dose_of_a_linked_system_counts_from_its_day():
    """C-20: a dated switch."""
    hidden = {"source": "bite-injury", "shown_from": "2024-08-15", "zh": "甲", "en": "A"}
    linked = own_rules(sources_not_shown=[hidden])
    bitten = {"person__doses": doses("2021-05-01", system="rabies_exposure")}
    assert adult(linked, **bitten) is None
    assert adult(linked, **bitten, today="2024-08-14") == "no_dose_after_cutoff"


@pytest.mark.parametrize(
    ("birth_date", "today", "expected"),
    [
        ("2006-08-15", "2024-08-15", None),
        ("2006-08-16", "2024-08-15", "under_18"),
        ("2004-02-29", "2022-02-28", "under_18"),
        ("2004-02-29", "2022-03-01", None),
    ],
)
def test_the_age_is_asked_now(birth_date, today, expected):
    """C-6, X-2."""
    paths = {"person__birth_date": birth_date, "person__archive__created_on": "2021-06-01"}
    assert adult(today=today, **paths) == expected


def test_between_the_rules_for_children_and_adults_nobody_is_eligible():
    """C-7."""
    assert child(child__birth_date="2010-05-05") == "born_before_cutoff"
    assert adult(person__birth_date="2010-05-05") == "under_18"


@pytest.mark.parametrize(
    ("own", "expected"),
    [(None, "own_id_not_on_file"), ("", "own_id_not_on_file"), ("ID-B", "id_mismatch")],
)
def test_an_adults_own_number_on_file_is_the_verified_one(own, expected):
    """C-9."""
    assert adult(person__archive__own_id=own) == expected
    assert adult(person__archive__own_id=own, person__archive__parent_ids=["ID-A"]) == expected


def test_an_adults_archive_counts_from_the_next_day():
    """C-23."""
    assert adult(person__archive__created_on="2024-08-15") == "effective_next_day"


def test_an_adult_claims_once():
    """C-14."""
    assert adult(already_claimed=True) == "already_claimed"


# --- several failures at once: C-12 ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "failures"),
    [(child, CHILD_FAILURES), (adult, ADULT_FAILURES)],
    ids=["child", "adult"],
)
def test_of_several_failures_the_first_in_the_order_of_checks_answers(claim, failures):
    """C-12: no step may be skipped."""
    for first, second in itertools.combinations(failures, 2):
        assert claim(**failures[second], **failures[first]) == first
    together = {}
    for failure in reversed(failures.values()):
        together |= failure
    assert claim(**together) == next(iter(failures))


@pytest.mark.parametrize("failures", [CHILD_FAILURES, ADULT_FAILURES], ids=["child", "adult"])
def test_the_order_is_the_one_of_the_rule_file(failures):
    assert list(failures) == [code for code in CHECK_ORDER if code in failures]


def test_without_an_archive_only_the_steps_before_it_come_first():
    assert child(child__archive=None, consented=False) == "no_consent"
    assert child(child__archive=None, child__birth_date="2015-01-01") == "no_archive"


# --- the pending list: C-13 -----------------------------------------------------------------------


def listed(**paths):
    return ask("pending_list", changed(PENDING, **paths)).actual["pending"]


def test_children_keep_their_number_when_others_are_not_listed():
    """C-13."""
    assert listed(children__0__claimed_by="ID-F") == ["self", "child2"]
    assert listed(children__1__archive__created_on="2024-08-15") == ["self", "child1"]
    assert listed(children__0__archive=None) == ["self", "child2"]


def test_someone_elses_child_is_not_listed():
    """C-10, C-13."""
    assert listed(children__0__archive__parent_ids=["ID-Z"]) == ["self", "child2"]


@pytest.mark.parametrize(
    "own",
    [
        None,
        {"birth_date": "1990-05-05", "eligible": False},
        {"birth_date": "2006-08-16", "eligible": True},
    ],
)
def test_oneself_is_listed_only_when_eligible_and_of_age(own):
    """C-6, C-13."""
    assert listed(self=own) == ["child1", "child2"]


def test_oneself_may_be_written_as_a_person():
    person = copy.deepcopy(ADULT["person"])
    person["archive"]["own_id"] = "ID-M"
    assert listed(self=person)[0] == "self"
    person["doses"] = []
    assert listed(self=person)[0] == "child1"


def test_the_list_may_be_empty():
    assert listed(self=None, children=[]) == []
