"""Which duties an institution has not done by a day (S-5, S-6, S-14, S-19, E-6)."""

from datetime import date

import pytest

from domain.roll_up.ratio import Ratio
from domain.roll_up.rules import RollUpRules
from domain.roll_up.supervision import Duties

KAIFENG = RollUpRules.load("kaifeng-2018")
NATIONAL = RollUpRules.load("kaifeng-2021")


def duties(**said):
    nothing = {"unchecked": 0, "unreported": 0, "waiting": 0, "editions": (), "has_posters": True}
    return Duties(**{**nothing, **said})


def undone(standing, on, rules=KAIFENG):
    return {one.duty.value: one.count for one in standing.findings(rules, 2021, on)}


def test_an_undone_check_and_an_unreported_child_are_separate_findings():
    """S-19."""
    found = undone(duties(unchecked=3, unreported=2, editions=("september",)), date(2021, 10, 5))
    assert found == {"check-undone": 3, "missed-child-unreported": 2}


@pytest.mark.parametrize(
    ("on", "editions", "missing", "forms"),
    [
        (date(2021, 9, 30), (), 0, Ratio(0, 0)),
        (date(2021, 10, 1), (), 1, Ratio(0, 1)),
        (date(2021, 10, 1), ("september",), 0, Ratio(1, 1)),
        (date(2021, 12, 1), ("november",), 1, Ratio(1, 2)),
        (date(2021, 12, 1), ("november", "september"), 0, Ratio(2, 2)),
    ],
)
def test_registers_are_missing_from_the_day_after_they_were_due(on, editions, missing, forms):
    """S-14, X-1."""
    standing = duties(editions=editions)
    assert undone(standing, on).get("register-missing", 0) == missing
    assert standing.forms(KAIFENG, 2021, on) == forms


def test_posters_are_missing_once_preparation_is_over():
    """S-6, S-18."""
    bare = duties(has_posters=False)
    assert undone(bare, date(2021, 6, 16)) == {}
    assert undone(bare, date(2021, 6, 17)) == {"posters-missing": 1}


def test_the_national_rule_wants_make_up_looked_at_by_the_end_of_december():
    """E-6; Kaifeng names no such day."""
    waiting = duties(waiting=4, editions=("september", "november"))
    assert NATIONAL.check_due_days == 30
    assert undone(waiting, date(2021, 12, 31), NATIONAL) == {}
    assert undone(waiting, date(2022, 1, 1), NATIONAL) == {"recheck-overdue": 4}
    assert undone(waiting, date(2022, 1, 1)) == {}
