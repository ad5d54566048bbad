"""Grants, corrections, contents, visits and paper (C-1, C-2, C-4, C-15 to C-22, C-25 to C-28)."""

import json

import pytest

from domain.certificate_rules.content import ShownDose, shown_doses
from domain.certificate_rules.paper import Difference, differences
from domain.vocabulary import SourceSystem
from tests.spec.certificate_cases import (
    GRANT,
    SHIPPED,
    TODAY,
    ask,
    doses,
    grant,
    own_rules,
    reason,
)

# --- grants: C-14 to C-18 -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("active", "expected"), [(0, None), (9, None), (10, "grant_limit"), (11, "grant_limit")]
)
def test_ten_persons_at_most(active, expected):
    """C-17."""
    assert grant(active_grants=active) == expected


@pytest.mark.parametrize("active", [0, 1, 9, 10, 10**9])
def test_the_same_person_again_is_no_eleventh(active):
    """C-17."""
    assert grant(active_grants=active, grantee_already_granted=True) == "already_granted"


def test_only_childrens_certificates_are_granted():
    """C-15."""
    assert grant(certificate_kind="adult") == "adult_not_grantable"


def test_only_the_holder_of_a_claimed_certificate_grants():
    """C-18."""
    assert grant(claimed_by=None) == "not_claimed"
    assert grant(granted_by="ID-F") == "not_holder"
    assert grant(granted_by=None) == "not_holder"


def test_the_holder_needs_no_grant():
    """C-18."""
    assert grant(grantee__id_number="ID-M") == "grant_to_holder"


@pytest.mark.parametrize("blank", [None, "", "  "])
@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("name", "missing_name"),
        ("id_number", "missing_id_number"),
        ("phone", "missing_phone"),
        ("relation", "missing_relation"),
    ],
)
def test_four_fields_are_mandatory(field, blank, expected):
    """C-16."""
    assert grant(**{f"grantee__{field}": blank}) == expected
    rest = {name: value for name, value in GRANT["grantee"].items() if name != field}
    assert grant(grantee=rest) == expected


@pytest.mark.parametrize("relation", ["外婆", "uncle", "mother"])
def test_a_relation_is_any_word(relation):
    assert grant(grantee__relation=relation) is None


def test_who_may_grant_comes_before_the_form_and_the_form_before_the_number_of_grants():
    """C-15, C-16, C-17, C-18."""
    assert grant(granted_by="ID-F", grantee={}) == "not_holder"
    assert grant(certificate_kind="adult", grantee={}) == "adult_not_grantable"
    assert grant(active_grants=10, grantee__phone="") == "missing_phone"
    assert grant(claimed_by=None, granted_by=None, certificate_kind="adult") == "not_claimed"


# --- corrections: C-21, C-22 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("viewed_on", "expected"),
    [("2024-12-30", "old"), ("2024-12-31", "old"), ("2025-01-01", "new"), ("2025-06-01", "new")],
)
def test_a_correction_shows_from_the_next_day(viewed_on, expected):
    """C-21, across the year's end."""
    given = {"action": "view_after_correction", "corrected_on": "2024-12-31"}
    assert ask("correction", {**given, "viewed_on": viewed_on}).actual == {"shown": expected}


@pytest.mark.parametrize(
    "by", ["guardian", "parent", "holder", "applicant", "grantee", "school", "ID-M"]
)
def test_no_citizen_and_no_school_corrects(by):
    """C-22."""
    given = {"action": "correct", "requested_by": by}
    assert reason("correction", given) == "only_vaccination_unit_corrects"


@pytest.mark.parametrize("by", ["vaccination_unit", "clinic", "child_clinic", "county-cdc"])
def test_vaccination_units_and_cdcs_correct(by):
    """C-22."""
    assert reason("correction", {"action": "correct", "requested_by": by}) is None


# --- content: C-1, C-20, C-27 ---------------------------------------------------------------------


def shown(doses, **more):
    return ask("content", {"doses": doses, **more}).actual["shown"]


def test_a_certificate_shows_every_dose_in_the_order_given():
    """C-1: n doses, n lines, the same twice stays twice."""
    given = doses("2022-01-01", "2020-01-01", "2020-01-01")
    assert shown(given) == ["HepB 2022-01-01", "HepB 2020-01-01", "HepB 2020-01-01"]
    assert shown([]) == []


def test_the_system_filters_and_not_the_vaccine_or_the_day():
    """C-20."""
    assert shown(doses("2019-01-01", "2023-01-01", system="rabies_exposure")) == []
    assert shown(doses("2023-01-01", system="other-province")) == ["HepB 2023-01-01"]


def test_a_linked_system_shows_from_its_day():
    """C-20: a dated switch."""
    document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    [source] = document["sources_not_shown"]
    linked = own_rules(sources_not_shown=[{**source, "shown_from": "2026-01-01"}])
    bitten = {"doses": doses("2021-05-01", system="rabies_exposure")}
    assert ask("content", {**bitten, "today": "2025-12-31"}, linked).actual["shown"] == []
    assert ask("content", {**bitten, "today": "2026-01-01"}, linked).actual["shown"]


def test_every_certificate_says_that_absence_is_no_proof():
    """C-27."""
    [told] = ask("content", {"doses": []}).findings
    assert (told.rule, told.code) == ("C-27", "absence")


def test_withheld_doses_are_spoken_of():
    """C-20."""
    findings = ask("content", {"doses": doses("2021-05-01", system="rabies_exposure")}).findings
    assert [finding.rule for finding in findings] == ["C-20", "C-27"]


def test_the_filter_keeps_whatever_knows_its_source():
    dose = ShownDose("HepB", TODAY, SourceSystem.PAPER)
    assert shown_doses([dose], {SourceSystem.PROGRAMME}) == (dose,)
    assert shown_doses([dose], {SourceSystem.PAPER}) == ()


# --- the visit: C-2, C-19 -------------------------------------------------------------------------


def test_no_code_without_a_claimed_certificate():
    """C-19."""
    answer = ask("onsite", {"action": "show_code", "claimed": False})
    assert answer.chosen(None) == {"allowed": False, "reason": "not_claimed"}
    assert answer.chosen(["allowed", "steps"]) == {"allowed": False, "steps": []}


def test_a_stranger_shows_nothing():
    """C-2, C-18."""
    assert reason("onsite", {"claimed": True, "shown_by": "neighbour"}) == "not_holder"


def test_an_adults_code_is_shown_by_the_adult():
    """C-15."""
    given = {"claimed": True, "shown_by": "grantee", "certificate_kind": "adult"}
    assert reason("onsite", given) == "adult_not_grantable"
    assert reason("onsite", {**given, "shown_by": "holder"}) is None


# --- paper: C-4, C-25, C-26, C-28 -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "rule"),
    [("leave_province", "C-25"), ("return_to_province", "C-26"), ("local_visit", "C-28")],
)
@pytest.mark.parametrize("claimed", [True, False])
def test_paper_is_needed_until_the_country_is_linked(action, rule, claimed):
    """C-25, C-26, C-28: also of those who hold no electronic certificate."""
    answer = ask("paper", {"action": action, "claimed": claimed})
    assert "paper" in answer.actual["advice"]
    assert answer.findings[0].rule == rule
    assert answer.findings[0].sentence.zh


def test_a_difference_is_raised_and_neither_wins():
    """C-4."""
    given = {"action": "compare", "electronic": ["HepB 2020-04-15"], "paper": ["HepB 2020-04-16"]}
    answer = ask("paper", given)
    assert answer.actual == {
        "agree": False,
        "differences": [
            {"line": "HepB 2020-04-16", "only_on_paper": True},
            {"line": "HepB 2020-04-15", "only_on_paper": False},
        ],
    }
    assert [finding.rule for finding in answer.findings] == ["C-4"]
    assert ask("paper", {**given, "paper": given["electronic"]}).actual["agree"] is True


def test_a_line_that_stands_twice_counts_twice():
    """C-4."""
    assert differences(["a", "a"], ["a"]) == (Difference("a", is_on_paper=False),)
    assert differences(["a", "b"], ["b", "a"]) == ()
