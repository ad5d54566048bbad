"""The scheme of electronic certificates as a rule file, and cases as its authors write them."""

import pytest

from domain.certificate_rules.case import RULES, answer_case, asked
from domain.certificate_rules.rules import CHECK_ORDER, REASONS, CertificateRules
from domain.claim import NANTONG_2024
from domain.errors import DomainError
from domain.schedules.edition import InvalidRuleFile
from domain.schedules.json_document import Node, parse_document
from tests.spec.certificate_cases import (
    ADULT,
    ADULT_FAILURES,
    BY_ID,
    CHILD,
    CHILD_FAILURES,
    GRANT,
    NANTONG,
    SHIPPED,
    WORKED,
    ask,
    changed,
    child,
    grant,
    own_rules,
    reason,
)

# --- the worked cases -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", WORKED["cases"], ids=lambda case: case["id"])
def test_a_worked_case_is_answered_as_worked(case):
    node = Node(case)
    assert answer_case(node, NANTONG).chosen(asked(node)) == case["expected"], case["why"]


@pytest.mark.parametrize("case", WORKED["cases"], ids=lambda case: case["id"])
def test_a_case_without_expectation_gets_the_usual_answers(case):
    node = Node({name: value for name, value in case.items() if name != "expected"})
    assert answer_case(node, NANTONG).chosen(asked(node)) == case["expected"]


def test_the_values_of_an_expectation_are_never_looked_at():
    wrong = {**BY_ID["K01"], "expected": {"allowed": False, "reason": "no_archive", "more": 1}}
    node = Node(wrong)
    assert answer_case(node, NANTONG).chosen(asked(node)) == {"allowed": True, "reason": None}


# --- the rule file --------------------------------------------------------------------------------


def test_the_file_is_the_policy_by_which_claims_are_written():
    assert NANTONG.claims == NANTONG_2024


def test_the_file_says_what_the_worked_cases_say():
    meta = WORKED["meta"]
    assert NANTONG.claims.child_born_from.isoformat() == meta["cutoffs"]["child_birth"]
    assert NANTONG.claims.adult_dose_from.isoformat() == meta["cutoffs"]["adult_dose"]
    assert [name.zh for name in NANTONG.cities.values()] == meta["pilot_cities"]
    assert NANTONG.claims.max_grants == meta["max_grants"]
    assert set(meta["reasons"]) <= set(REASONS)
    assert set(meta["rules"]) == set(RULES)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"check_order": [*CHECK_ORDER[1:], CHECK_ORDER[0]]}, "/check_order"),
        ({"cities": []}, "/cities"),
        ({"cities": [{"division": "320600", "zh": "南通市", "en": "Nantong"}]}, "/cities/0"),
        ({"child_born_from": "2017-02-29"}, "/child_born_from"),
        ({"adult_age": 0}, "/adult_age"),
        ({"max_grants": 0}, "/max_grants"),
        ({"identity_next_day": "yes"}, "/identity_next_day"),
        ({"sources_not_shown": [{"source": "moon"}]}, "/sources_not_shown/0"),
        ({"reasons": {}}, "/reasons"),
        ({"advice": {}}, "/advice"),
        ({"visit_steps": [{"zh": "取号"}]}, "/visit_steps/0"),
        (
            {
                "channels": [
                    {"code": "a", "aliases": ["b"], "zh": "甲", "en": "A"},
                    {"code": "b", "aliases": [], "zh": "乙", "en": "B"},
                ]
            },
            "/channels/1",
        ),
        ({"moon": 1}, "/moon"),
    ],
)
def test_a_rule_file_that_does_not_hold_together_is_refused_at_its_place(changes, pointer):
    with pytest.raises(DomainError) as refused:
        own_rules(**changes)
    assert refused.value.facts["pointer"] == pointer


def test_a_file_may_not_ask_for_an_order_that_is_not_implemented():
    with pytest.raises(InvalidRuleFile):
        own_rules(check_order=sorted(CHECK_ORDER))


def test_another_scheme_is_another_file():
    later = own_rules(id="elsewhere-2030", child_born_from="2019-01-01", max_grants=2)
    assert child(later, child__birth_date="2018-12-31") == "born_before_cutoff"
    assert grant(later, active_grants=2) == "grant_limit"
    next_day = own_rules(identity_next_day=False)
    assert child(next_day, child__archive__created_on="2024-08-15") is None


# --- channel: C-11 --------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["sufuban_app", "alipay_mini_program"])
def test_the_app_and_the_mini_programme_are_the_channels(channel):
    """C-11."""
    assert reason("channel", {"channel": channel}) is None


@pytest.mark.parametrize("channel", ["wechat_mini_program", "clinic_desk", ""])
def test_there_is_no_other_channel(channel):
    """C-11."""
    assert reason("channel", {"channel": channel}) == "channel_not_offered"


# --- sentences ------------------------------------------------------------------------------------


def test_every_refusal_has_its_rule_and_a_sentence_in_chinese_and_english():
    for failures, rule, given in (
        (CHILD_FAILURES, "claim_child", CHILD),
        (ADULT_FAILURES, "claim_adult", ADULT),
    ):
        for code, paths in failures.items():
            [told] = ask(rule, changed(given, **paths)).findings
            assert (told.code, told.rule) == (code, NANTONG.reasons[code])
            assert told.sentence.zh.endswith("。")
            assert told.sentence.en.endswith(".")


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "given", "code", "pointer"),
    [
        ("claim_child", {}, "missing-member", "/input"),
        ("claim_child", changed(CHILD, child={}), "missing-member", "/input/child"),
        ("claim_child", changed(CHILD, moon=1), "unexpected-member", "/input/moon"),
        ("claim_child", changed(CHILD, action="grant"), "unknown-value", "/input/action"),
        ("claim_child", changed(CHILD, today="2024-8-15"), "invalid-date", "/input/today"),
        ("claim_child", changed(CHILD, logged_in=1), "wrong-type", "/input/logged_in"),
        (
            "claim_child",
            changed(CHILD, child__birth_date="2024-08-16"),
            "invalid-date",
            "/input/child/birth_date",
        ),
        (
            "claim_child",
            changed(CHILD, child__archive__held_by="moon"),
            "unknown-value",
            "/input/child/archive/held_by",
        ),
        (
            "claim_child",
            changed(CHILD, child__archive__parent_ids=[1]),
            "wrong-type",
            "/input/child/archive/parent_ids/0",
        ),
        (
            "claim_adult",
            changed(ADULT, person__doses__0__system="moon"),
            "unknown-value",
            "/input/person/doses/0/system",
        ),
        ("grant", changed(GRANT, active_grants=-1), "unknown-value", "/input/active_grants"),
        ("grant", changed(GRANT, grantee=[]), "wrong-type", "/input/grantee"),
        ("grant", changed(GRANT, grantee__lot="1"), "unexpected-member", "/input/grantee/lot"),
        (
            "grant",
            changed(GRANT, certificate_kind="dog"),
            "unknown-value",
            "/input/certificate_kind",
        ),
        ("content", {"doses": [{"vaccine": "HepB"}]}, "missing-member", "/input/doses/0"),
        ("correction", {"action": "view_after_correction"}, "missing-member", "/input"),
        ("onsite", {"claimed": None}, "wrong-type", "/input/claimed"),
        ("paper", {"action": "fly"}, "unknown-value", "/input/action"),
        ("channel", {"channel": ["app"]}, "wrong-type", "/input/channel"),
    ],
)
def test_a_case_that_is_not_exactly_right_is_refused_at_its_place(rule, given, code, pointer):
    with pytest.raises(DomainError) as refused:
        ask(rule, given)
    assert (refused.value.code, refused.value.facts["pointer"]) == (code, pointer)


@pytest.mark.parametrize(
    "case",
    [
        [],
        {"id": "X"},
        {"id": "X", "rule": "moon", "input": {}},
        {"id": "X", "rule": "grant", "input": 1},
    ],
)
def test_a_case_that_is_none_is_refused(case):
    with pytest.raises(DomainError):
        answer_case(Node(case), NANTONG)


def test_the_shipped_file_reads_as_any_other():
    assert CertificateRules.read(parse_document(SHIPPED.read_bytes())) == NANTONG
