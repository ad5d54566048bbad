"""Cases of certificate rules as the specs write them: a worked case with some places changed."""

import copy
import json
from datetime import date
from importlib.resources import files
from pathlib import Path

from domain.certificate_rules.answer import Answer
from domain.certificate_rules.case import answer_case
from domain.certificate_rules.rules import CertificateRules
from domain.schedules.json_document import Node

WORKED = json.loads((Path(__file__).parent / "data/certificate.json").read_text(encoding="utf-8"))
SHIPPED = files("domain.schedules") / "data" / "nantong-2024.certificate.json"
NANTONG = CertificateRules.load()
BY_ID = {case["id"]: case for case in WORKED["cases"]}
TODAY = date(2024, 8, 15)

CHILD = BY_ID["K01"]["input"]
ADULT = BY_ID["K30"]["input"]
GRANT = BY_ID["K45"]["input"]
PENDING = BY_ID["K29"]["input"]


def changed(given, **paths):
    """A copy of an input with some places changed; `child__archive__city` is a path."""
    given = copy.deepcopy(given)
    for path, value in paths.items():
        *way, last = path.split("__")
        place = given
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return given


def ask(rule, given, rules=NANTONG) -> Answer:
    return answer_case(Node({"id": "X", "rule": rule, "input": given}), rules)


def reason(rule, given, rules=NANTONG):
    actual = ask(rule, given, rules).actual
    assert actual["allowed"] is (actual["reason"] is None)
    return actual["reason"]


def child(rules=NANTONG, **paths):
    return reason("claim_child", changed(CHILD, **paths), rules)


def adult(rules=NANTONG, **paths):
    return reason("claim_adult", changed(ADULT, **paths), rules)


def grant(rules=NANTONG, **paths):
    return reason("grant", changed(GRANT, **paths), rules)


def own_rules(**changes):
    document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return CertificateRules.read(Node({**document, **changes}))


def doses(*days, system="adult_child"):
    return [{"vaccine": "HepB", "date": day, "system": system} for day in days]


CHILD_FAILURES = {
    "not_logged_in": {"logged_in": False},
    "face_not_verified": {"face_verified": False},
    "no_consent": {"consented": False},
    "not_pilot_city": {"child__archive__city": "苏州市"},
    "archive_not_active": {"child__archive__status": "moved_out"},
    "archive_in_maternity": {"child__archive__held_by": "maternity"},
    "born_before_cutoff": {"child__birth_date": "2015-01-01"},
    "parent_id_not_on_file": {"child__archive__parent_ids": []},
    "parent_id_mismatch": {"applicant_sufuban_id": "ID-X"},
    "effective_next_day": {"child__archive__created_on": "2024-08-15"},
    "already_claimed": {"child__claimed_by": "ID-F"},
}
ADULT_FAILURES = {
    "not_logged_in": {"logged_in": False},
    "face_not_verified": {"face_verified": False},
    "no_consent": {"consented": False},
    "not_pilot_city": {"person__archive__city": "苏州市"},
    "archive_not_active": {"person__archive__status": "moved_out"},
    "archive_in_maternity": {"person__archive__held_by": "maternity"},
    "under_18": {"person__birth_date": "2010-01-01"},
    "no_dose_after_cutoff": {"person__doses": []},
    "own_id_not_on_file": {"person__archive__own_id": None},
    "id_mismatch": {"applicant_sufuban_id": "ID-X"},
    "effective_next_day": {"person__archive__created_on": "2024-08-15"},
    "already_claimed": {"already_claimed": True},
}
