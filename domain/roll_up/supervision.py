"""What supervision looks at in an institution, and which duties it has not done (S-19, S-20)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.roll_up.ratio import Ratio
from domain.roll_up.rules import RegisterEdition, RollUpRules
from domain.schedules.edition import Wording


class Duty(StrEnum):
    """What was to be done and was not."""

    CHECK = "check-undone"
    REPORT = "missed-child-unreported"
    REGISTER = "register-missing"
    RECHECK = "recheck-overdue"
    POSTERS = "posters-missing"


@dataclass(frozen=True, slots=True)
class DutyFinding:
    """A duty that an institution has not done.

    Attributes:
        rule: Number of the rule that asks for it.
        title: What people call it.
        count: Children, or forms, that it concerns.
    """

    duty: Duty
    rule: str
    title: Wording
    count: int


@dataclass(frozen=True, kw_only=True)
class Duties:
    """How an institution stands on a day.

    Attributes:
        unchecked: Children not checked within their days (S-5).
        unreported: Children found with doses to make up who stand in no register handed in, though
            one has been due since.
        waiting: Children with doses that are not made up yet.
        editions: Editions of the registers that were handed in.
        has_posters: Whether its posters are up.
    """

    unchecked: int
    unreported: int
    waiting: int
    editions: Collection[str]
    has_posters: bool

    def forms(self, rules: RollUpRules, school_year: int, today: date) -> Ratio:
        """Return the registers handed in, of those due by now (S-20)."""
        due = _due(rules, school_year, today)
        return Ratio(sum(edition in self.editions for edition in due), len(due))

    def findings(self, rules: RollUpRules, school_year: int, today: date) -> list[DutyFinding]:
        """Return what has not been done by a day, the gravest first."""
        forms = self.forms(rules, school_year, today)
        recheck = rules.recheck_due(school_year)
        counts = {
            Duty.CHECK: self.unchecked,
            Duty.REPORT: self.unreported,
            Duty.REGISTER: forms.den - forms.num,
            Duty.RECHECK: self.waiting if recheck and recheck < today else 0,
            Duty.POSTERS: int(not self.has_posters and rules.preparation_due(school_year) < today),
        }
        return list(_found(counts))


_TITLES: Mapping[Duty, tuple[str, Wording]] = {
    Duty.CHECK: ("S-19", Wording("逾期未查验", "not checked in time")),
    Duty.REPORT: ("S-19", Wording("漏种儿童未上报", "missed children not reported")),
    Duty.REGISTER: ("S-14", Wording("登记表逾期未报", "registers not handed in")),
    Duty.RECHECK: ("E-6", Wording("漏种儿童逾期未复验", "make-up not looked at in time")),
    Duty.POSTERS: ("S-6", Wording("未张贴宣传单", "no posters")),
}


def _due(rules: RollUpRules, school_year: int, today: date) -> list[RegisterEdition]:
    return [one for one in RegisterEdition if rules.register_due(one, school_year) < today]


def _found(counts: Mapping[Duty, int]) -> Iterator[DutyFinding]:
    for duty, count in counts.items():
        if count:
            rule, title = _TITLES[duty]
            yield DutyFinding(duty, rule, title, count)
