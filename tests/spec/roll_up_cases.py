"""Cases of registers and roll-ups as the specs write them: children, rows and reports."""

import json
from importlib.resources import files
from pathlib import Path

from domain.roll_up.answers import answer
from domain.roll_up.case import parse_case
from domain.roll_up.rules import RollUpRules
from domain.schedules.json_document import Node

WORKED = json.loads((Path(__file__).parent / "data/rollup.json").read_text(encoding="utf-8"))
SHIPPED = files("domain.schedules") / "data" / "kaifeng-2018.roll-up.json"
KAIFENG = RollUpRules.load()
BY_ID = {case["id"]: case for case in WORKED["cases"]}
GROUPS = WORKED["meta"]["vaccine_groups"]


def ask(kind, given, *asked, rules=KAIFENG):
    """Answer an input; `asked` names the answers, else the kind's usual ones are given."""
    case = {"id": "X", "kind": kind, "input": given}
    if asked:
        case["expected"] = dict.fromkeys(asked)
    return answer(parse_case(Node(case), rules), rules)


def ask_one(kind, given, name, rules=KAIFENG):
    return ask(kind, given, name, rules=rules)[name]


def rates(kind, given, *names):
    expected = {"rates": dict.fromkeys(names)}
    case = {"id": "X", "kind": kind, "input": given, "expected": expected}
    return answer(parse_case(Node(case), KAIFENG), KAIFENG)["rates"]


def pupil(number=1, **facts):
    """A child that was found complete with certificate on 5 September."""
    return {
        "no": number,
        "checked_on": "2018-09-05",
        "has_certificate": True,
        "fully_vaccinated": not facts.get("missing") and not facts.get("exempt"),
        "missing": [],
        "exempt": [],
        "certificate_reissued_on": None,
        "makeups": [],
        **facts,
    }


def gaps(**groups):
    """Missing doses: ``gaps(PV=[3])``."""
    return [
        {"vaccine_group": group, "dose_numbers": list(numbers)} for group, numbers in groups.items()
    ]


def made_up(*doses):
    """Make-ups: ``made_up("PV 3 2018-10-10")``."""
    parts = (dose.split() for dose in doses)
    return [{"vaccine_group": g, "dose_number": int(n), "date": day} for g, n, day in parts]


def row(unit="K", doses=None, **counts):
    """A row of one institution with ten children, all checked, complete and with certificate."""
    pairs = {group: {"due": 0, "done": 0} for group in GROUPS}
    for group, (due, done) in (doses or {}).items():
        pairs[group] = {"due": due, "done": done}
    return {
        "unit": unit,
        "institutions_due": 1,
        "institutions_checked": 1,
        "enrolled": 10,
        "checked": 10,
        "with_certificate": 10,
        "certificates_reissued": 0,
        "fully_vaccinated": 10,
        "makeup_completed": 0,
        **counts,
        "doses": pairs,
    }


def report(unit, received, version=1, **counts):
    return {
        "unit": unit,
        "version": version,
        "received": received,
        "row": row(unit, **counts),
    }


def own_rules(**changes):
    document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return RollUpRules.read(Node({**document, **changes}))
