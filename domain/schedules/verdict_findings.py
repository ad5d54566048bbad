"""The sentences of a verdict: every conclusion under the number of its rule, zh-CN and English."""

from collections.abc import Iterator

from domain.schedules.dose_allocation import PlacedDose
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.finding import Fact, Finding
from domain.schedules.school_entry_case import Case
from domain.schedules.verdict import Gap, Verdict

LEAP_DAY = (2, 29)

_BY_COUNTING_RULE = frozenset(("counted", "course-part", "toward-course"))
"""Conclusions that rest on the rule by which the vaccine counts."""


def explain(requirements: EntryRequirements, case: Case, verdict: Verdict) -> Iterator[Finding]:
    """Say what a verdict rests on: the row, the readings, every dose, every gap, the papers."""
    yield from _basis(requirements, case, verdict)
    for placed in verdict.doses:
        yield from _dose(requirements, placed)
    yield from _gaps(requirements, case, verdict)
    if verdict.outcome == "full":
        yield requirements.rules["complete"].finding()
    if verdict.reissue_certificate:
        yield requirements.rules["reissue-certificate"].finding()


def _basis(requirements: EntryRequirements, case: Case, verdict: Verdict) -> Iterator[Finding]:
    rules, age, row = requirements.rules, verdict.age_years, verdict.annex1_row
    if not requirements.edition.is_in_force(case.check_date):
        yield rules["outside-effective-dates"].finding({"date": case.check_date.isoformat()})
    if (case.birth_date.month, case.birth_date.day) == LEAP_DAY:
        yield rules["leap-birthday"].finding()
    if row is None:
        yield rules["below-table"].finding({"age": age})
    elif row < age:
        yield rules["above-table"].finding({"age": age, "row": row})
    else:
        entry_type = requirements.entry_types[case.entry_type]
        yield rules["row"].finding({"entry_type": entry_type, "age": age, "row": row})
    for switch in requirements.switches.values():
        yield Finding(switch.rule, "switch", switch.sentence)


def _dose(requirements: EntryRequirements, placed: PlacedDose) -> Iterator[Finding]:
    for placement in placed.placements:
        outcome = placement.outcome
        facts: dict[str, Fact] = {
            "date": placed.dose.date.isoformat(),
            "vaccine": requirements.catalogue.vaccines[placed.dose.vaccine].name,
        }
        if placement.group is not None:
            facts["group"] = requirements.groups[placement.group].name
        if placement.number is not None:
            facts["number"] = placement.number
        closer = placement.rule if outcome in _BY_COUNTING_RULE else None
        yield requirements.rules[outcome].finding(facts, number=closer or "")


def _gaps(requirements: EntryRequirements, case: Case, verdict: Verdict) -> Iterator[Finding]:
    rules = requirements.rules
    for gap in verdict.missing:
        yield rules["missing"].finding(_facts(requirements, gap))
    for gap in verdict.exempt:
        yield rules["lasting-contraindication"].finding(_facts(requirements, gap))
    months = {policy.group: policy.from_age_months for policy in requirements.no_longer_given}
    for due in verdict.due:
        facts = _facts(requirements, Gap(due.vaccine_group, (due.dose_number,)))
        if due.is_newly_required:
            yield rules["newly-required"].finding({**facts, "date": due.since.isoformat()})
        if due.is_postponed:
            yield rules["passing-contraindication"].finding(facts)
        if due.is_no_longer_given:
            yield rules["no-longer-given"].finding({**facts, "months": months[due.vaccine_group]})
    lacking = {gap.vaccine_group for gap in (*verdict.missing, *verdict.exempt)}
    for group in sorted({item.vaccine_group for item in case.contraindications} - lacking):
        yield rules["idle-contraindication"].finding({"group": requirements.groups[group].name})


def _facts(requirements: EntryRequirements, gap: Gap) -> dict[str, Fact]:
    numbers = "、".join(map(str, gap.dose_numbers))
    return {"group": requirements.groups[gap.vaccine_group].name, "numbers": numbers}
