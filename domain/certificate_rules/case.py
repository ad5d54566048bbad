"""A case of certificate rules as JSON, the same for files and the command line.

A case is ``{"id", "rule", "input"}`` with annotations; the rule says what its input holds and what
is answered. The member names of `expected`, where a case has one, choose among the answers of its
rule; its values are never looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.certificate_rules import claim_case, symbols
from domain.certificate_rules.answer import Answer, allowed, refused, told
from domain.certificate_rules.channel import check_channel
from domain.certificate_rules.claim_case import optional
from domain.certificate_rules.content import shown_doses
from domain.certificate_rules.correcting import check_requester, reading_on
from domain.certificate_rules.granting import FIELDS, GrantQuestion, check_grant
from domain.certificate_rules.paper import differences
from domain.certificate_rules.pending import pending
from domain.certificate_rules.rules import OCCASIONS, CertificateRules
from domain.certificate_rules.visit import Presenter, visit_steps
from domain.claim import check_claim
from domain.errors import DomainError
from domain.schedules.finding import Finding
from domain.schedules.json_document import Node
from domain.vocabulary import PersonKind

ANNOTATIONS = (
    *("expected", "expected_more", "why", "source_ref", "title", "kind"),
    *("ambiguous", "alternatives", "note"),
)
"""Members of a case that explain it to people."""

Given = Mapping[str, Node]


@dataclass(frozen=True)
class Rule:
    """How the cases of one rule, or of one action under it, are read and answered.

    Attributes:
        required: Members that its input must have.
        optional: Members that it may have beside `action` and `note`.
        answer: Answers an input that was read.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    answer: Callable[[Given, CertificateRules], Answer]


def answer_case(node: Node, rules: CertificateRules, *, annotated: bool = True) -> Answer:
    """Read a case strictly and answer it.

    Args:
        node: ``{"rule", "input"}``.
        rules: The rules that answer.
        annotated: Whether it has an ``id`` and may have `ANNOTATIONS`, as in files.

    Raises:
        DomainError: The first fault of the case, with its JSON pointer. A refusal by a rule is an
            answer and no error.
    """
    head = ("id", "rule", "input") if annotated else ("rule", "input")
    found = node.members(head, (), ANNOTATIONS if annotated else ())
    actions = RULES[found["rule"].choice(RULES)]
    said = found["input"].entries().get("action")
    rule = actions[said.choice(actions) if said else next(iter(actions))]
    given = found["input"].members(rule.required, rule.optional, ("action", "note"))
    return rule.answer(given, rules)


def asked(node: Node) -> tuple[str, ...] | None:
    """Return which answers a case asks for, or None for all of its rule."""
    expected = node.value.get("expected")
    return tuple(expected) if isinstance(expected, Mapping) else None


def _decided(decide: Callable[[], Any], rules: CertificateRules) -> Answer:
    """Answer by whether a policy refuses."""
    try:
        decide()
    except DomainError as refusal:
        return refused(refusal, rules)
    return allowed()


def _channel(given: Given, rules: CertificateRules) -> Answer:
    name = given["channel"].text()
    return _decided(lambda: check_channel(name, rules), rules)


def _claim_child(given: Given, rules: CertificateRules) -> Answer:
    facts, today = claim_case.child_claim(given, rules)
    return _decided(lambda: check_claim(facts, rules.claims_on(today), today), rules)


def _claim_adult(given: Given, rules: CertificateRules) -> Answer:
    facts, today = claim_case.adult_claim(given, rules)
    return _decided(lambda: check_claim(facts, rules.claims_on(today), today), rules)


def _pending(given: Given, rules: CertificateRules) -> Answer:
    today = given["today"].day()
    applicant = given["applicant_sufuban_id"]
    candidates = [
        (f"child{number}", claim_case.child_facts(item, applicant, rules, today))
        for number, item in enumerate(given["children"].items(), 1)
    ]
    own = ["self"] if claim_case.is_self_pending(given.get("self"), applicant, rules, today) else []
    return Answer({"pending": [*own, *pending(candidates, rules.claims_on(today), today)]})


def _grant(given: Given, rules: CertificateRules) -> Answer:
    form = given["grantee"].members((), (*FIELDS, "note"))
    question = GrantQuestion(
        kind=_kind(given["certificate_kind"]),
        claimed_by=optional(given, "claimed_by", Node.text),
        granted_by=optional(given, "granted_by", Node.text) or "",
        active=given["active_grants"].integer(),
        grantee={name: optional(form, name, Node.text) or "" for name in FIELDS},
        is_granted_already=optional(given, "grantee_already_granted", Node.boolean) or False,
    )
    return _decided(lambda: check_grant(question, rules), rules)


def _correct(given: Given, rules: CertificateRules) -> Answer:
    by = symbols.UNITS.get(given["requested_by"].text())
    return _decided(lambda: check_requester(by), rules)


def _view(given: Given, _: CertificateRules) -> Answer:
    return Answer({"shown": reading_on(given["viewed_on"].day(), given["corrected_on"].day())})


def _content(given: Given, rules: CertificateRules) -> Answer:
    doses = [claim_case.read_dose(item) for item in given["doses"].items()]
    hidden = rules.sources_not_shown(optional(given, "today", Node.day))
    lines = [dose.line() for dose in shown_doses(doses, hidden)]
    withheld = {dose.source_system for dose in doses} & hidden
    findings = [
        Finding("C-20", source.source.value, source.sentence)
        for source in rules.hidden
        if source.source in withheld
    ]
    return Answer({"shown": lines}, (*findings, told(rules.notices["absence"])))


def _onsite(given: Given, rules: CertificateRules) -> Answer:
    presenter = symbols.PRESENTERS.get(
        optional(given, "shown_by", Node.text) or Presenter.HOLDER, Presenter.OTHER
    )
    kind = _kind(given["certificate_kind"]) if "certificate_kind" in given else PersonKind.CHILD
    is_claimed = given["claimed"].boolean()
    try:
        steps = visit_steps(presenter, kind, rules, is_claimed=is_claimed)
    except DomainError as refusal:
        answer = refused(refusal, rules)
        return replace(answer, actual={**answer.actual, "steps": []}, usual=("allowed", "reason"))
    actual = {"allowed": True, "reason": None, "steps": [step.zh for step in steps]}
    return Answer(actual, usual=("allowed", "steps"))


def _advice(occasion: str) -> Rule:
    def answer(_: Given, rules: CertificateRules) -> Answer:
        advice = rules.advice[occasion]
        return Answer({"advice": advice.code}, (told(advice),))

    return Rule((), ("claimed", "certificate_kind", "today"), answer)


def _compare(given: Given, rules: CertificateRules) -> Answer:
    found = differences(given["electronic"].texts(), given["paper"].texts())
    lines = [{"line": one.line, "only_on_paper": one.is_on_paper} for one in found]
    notice = (told(rules.notices["difference"]),) if found else ()
    return Answer({"agree": not found, "differences": lines}, notice)


def _kind(node: Node) -> PersonKind:
    return PersonKind(node.choice(tuple(PersonKind)))


_CLAIM = ("today", "applicant_sufuban_id", "logged_in", "face_verified", "consented")

_GRANT = ("certificate_kind", "claimed_by", "granted_by", "active_grants", "grantee")

RULES: Mapping[str, Mapping[str, Rule]] = {
    "channel": {"log_in": Rule(("channel",), (), _channel)},
    "claim_child": {"claim_child": Rule((*_CLAIM, "child"), ("relation",), _claim_child)},
    "claim_adult": {
        "claim_adult": Rule((*_CLAIM, "person"), ("already_claimed", "relation"), _claim_adult)
    },
    "pending_list": {
        "list": Rule(("today", "applicant_sufuban_id", "children"), ("self",), _pending)
    },
    "grant": {"grant": Rule(_GRANT, ("grantee_already_granted", "today"), _grant)},
    "correction": {
        "correct": Rule(
            ("requested_by",), ("corrected_on", "viewed_on", "old", "new", "today"), _correct
        ),
        "view_after_correction": Rule(
            ("corrected_on", "viewed_on"), ("requested_by", "old", "new", "today"), _view
        ),
    },
    "content": {"view": Rule(("doses",), ("today",), _content)},
    "onsite": {"show_code": Rule(("claimed",), ("shown_by", "certificate_kind", "today"), _onsite)},
    "paper": {
        **{occasion: _advice(occasion) for occasion in OCCASIONS},
        "compare": Rule(("electronic", "paper"), ("claimed", "today"), _compare),
    },
}
"""By rule and action; without an action the first of a rule is meant."""
