"""Claims in cases: an archive, its person and an applicant as the facts of a claim."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from domain.calendar import completed_age
from domain.certificate_rules import symbols
from domain.certificate_rules.content import ShownDose
from domain.certificate_rules.pending import is_claimable
from domain.certificate_rules.rules import CertificateRules
from domain.claim import ClaimFacts
from domain.schedules.json_document import InvalidDate, Node
from domain.vocabulary import PersonKind

_ARCHIVE = ("city", "created_on", "status", "held_by")
_IDENTITY = ("transferred_to_child_clinic_on", "parent_ids", "parent_ids_entered_on", "own_id")
_BESIDES = ("name", "note", "id_number")

_T = TypeVar("_T")


def child_claim(given: Mapping[str, Node], rules: CertificateRules) -> tuple[ClaimFacts, date]:
    """Read ``claim_child``: the facts of the claim, and the day on which it is made."""
    today = given["today"].day()
    facts = child_facts(given["child"], given["applicant_sufuban_id"], rules, today)
    return _asked(facts, given), today


def adult_claim(given: Mapping[str, Node], rules: CertificateRules) -> tuple[ClaimFacts, date]:
    """Read ``claim_adult``, likewise."""
    today = given["today"].day()
    facts = _adult_facts(given["person"], given["applicant_sufuban_id"], rules, today)
    is_claimed = optional(given, "already_claimed", Node.boolean) or False
    return replace(_asked(facts, given), is_claimed=is_claimed), today


def is_self_pending(
    node: Node | None, applicant: Node, rules: CertificateRules, today: date
) -> bool:
    """Whether an applicant's own certificate is pending.

    Args:
        node: ``{"birth_date", "eligible"}``, or a person as in ``claim_adult``; null for nobody.
        applicant: The verified number.
        rules: The rules in force.
        today: The day on which the page is opened.
    """
    if node is None or node.value is None:
        return False
    if "archive" in node.entries():
        facts = _adult_facts(node, applicant, rules, today)
        return is_claimable(facts, rules.claims_on(today), today)
    found = node.members(("birth_date", "eligible"), _BESIDES)
    is_of_age = completed_age(_born(found["birth_date"], today), today) >= rules.claims.adult_age
    return found["eligible"].boolean() and is_of_age


def child_facts(node: Node, applicant: Node, rules: CertificateRules, today: date) -> ClaimFacts:
    """Read a child for whom an applicant who meets the preconditions asks."""
    found = node.members(("birth_date", "archive"), ("claimed_by", "doses", *_BESIDES))
    return ClaimFacts(
        kind=PersonKind.CHILD,
        birth_date=_born(found["birth_date"], today),
        is_claimed=optional(found, "claimed_by", Node.text) is not None,
        **_archive(found["archive"], applicant, rules, "parent_ids"),
    )


def _adult_facts(node: Node, applicant: Node, rules: CertificateRules, today: date) -> ClaimFacts:
    found = node.members(("birth_date", "archive"), ("doses", *_BESIDES))
    doses = [read_dose(item) for item in found["doses"].items()] if "doses" in found else []
    return ClaimFacts(
        kind=PersonKind.ADULT,
        birth_date=_born(found["birth_date"], today),
        doses=tuple(
            (dose.occurred_on, dose.source_system)
            for dose in doses
            if dose.occurred_on <= today  # a later one has not been given
        ),
        **_archive(found["archive"], applicant, rules, "own_id"),
    )


def read_dose(node: Node) -> ShownDose:
    """Read ``{"vaccine", "date", "system"}``."""
    found = node.members(("vaccine", "date", "system"), ("note",))
    system = symbols.SYSTEMS[found["system"].choice(symbols.SYSTEMS)]
    return ShownDose(found["vaccine"].text(), found["date"].day(), system)


def optional(found: Mapping[str, Node], name: str, read: Callable[[Node], _T]) -> _T | None:
    """Read a member that may be absent or null."""
    return read(found[name]) if name in found and found[name].value is not None else None


def _archive(node: Node, applicant: Node, rules: CertificateRules, ids: str) -> dict[str, Any]:
    """Read an archive, of which there may be none, as the facts that it gives.

    Args:
        node: The archive, or null.
        applicant: The verified number of the applicant, or null.
        rules: The rules in force.
        ids: Which of its numbers must be the applicant's: ``parent_ids`` or ``own_id``.
    """
    if node.value is None:
        return {"division": None, "roll": None, "is_id_on_file": False, "is_id_matching": False}
    found = node.members(_ARCHIVE, (*_IDENTITY, "note"))
    numbers = {symbols.same_case(text) for text in _numbers(found, ids)} - {""}
    verified = "" if applicant.value is None else symbols.same_case(applicant.text())
    return {
        "division": symbols.division(optional(found, "city", Node.text), rules),
        "roll": symbols.roll(found["status"].text()),
        "is_in_maternity": _is_maternity(found["held_by"]),
        "is_id_on_file": bool(numbers),
        "is_id_matching": verified in numbers,
        "identity_effective_on": symbols.counts_from(
            *(
                optional(found, name, Node.day)
                for name in ("created_on", *_IDENTITY)
                if name.endswith("_on")
            )
        ),
    }


def _is_maternity(node: Node) -> bool:
    held_by = node.text()
    return symbols.MATERNITY in held_by or not node.choice(symbols.CLINICS)


def _numbers(found: Mapping[str, Node], ids: str) -> tuple[str, ...]:
    if ids == "own_id":
        own = optional(found, ids, Node.text)
        return () if own is None else (own,)
    nodes = optional(found, ids, Node.items) or []
    return tuple(node.text() for node in nodes if node.value is not None)


def _asked(facts: ClaimFacts, given: Mapping[str, Node]) -> ClaimFacts:
    """Add what the applicant did before asking (C-12)."""
    return replace(
        facts,
        is_logged_in=given["logged_in"].boolean(),
        is_face_verified=given["face_verified"].boolean(),
        has_consented=given["consented"].boolean(),
    )


def _born(node: Node, today: date) -> date:
    day = node.day()
    if day > today:
        raise InvalidDate(value=day.isoformat(), reason="born after today").at(node.pointer)
    return day
