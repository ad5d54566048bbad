"""Children as the spec tells them: an age, what was given, what must not be given.

Dates of doses are days after birth where they do not matter, since the table counts doses and asks
for no age or interval (S-23).
"""

import json
from datetime import date, timedelta
from pathlib import Path

from domain.schedules.dose_allocation import Dose
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import Case, Contraindication

KAIFENG = EntryRequirements.load()
WORKED = json.loads((Path(__file__).parent / "data/school-entry.json").read_text(encoding="utf-8"))
SEPTEMBER = date(2018, 9, 3)

BY_AGE_TWO = (
    *("BCG", "HepB", "HepB", "HepB", "OPV", "OPV", "OPV", "DTaP", "DTaP", "DTaP", "DTaP"),
    *("MR", "MMR", "MPSV-A", "MPSV-A", "JE-L", "JE-L", "HepA-L"),
)
PROGRAMME = {
    2: BY_AGE_TWO,
    3: (*BY_AGE_TWO, "MPSV-AC"),
    4: (*BY_AGE_TWO, "MPSV-AC", "OPV"),
    5: (*BY_AGE_TWO, "MPSV-AC", "OPV"),
    6: (*BY_AGE_TWO, "MPSV-AC", "OPV", "MPSV-AC", "DT"),
}
"""The full programme by age, in vaccines of the first kind only."""


def born(age, on=SEPTEMBER):
    """Return the birthday of a child that is `age` and some months on the day of the check."""
    return on.replace(year=on.year - age) - timedelta(days=100)


def check(age, *vaccines, on=SEPTEMBER, birth=None, against=(), certificate=True, rules=KAIFENG):
    """Judge a child that was given these vaccines, each on a day of its own."""
    birth = birth or born(age, on)
    doses = [
        item if isinstance(item, Dose) else Dose(item, birth + timedelta(days=3 * index))
        for index, item in enumerate(vaccines)
    ]
    contraindications = tuple(Contraindication(group, kind) for group, kind in against)
    entry_type = "primary" if age >= 6 else "kindergarten"
    case = Case(birth, on, entry_type, certificate, tuple(doses), contraindications)
    return evaluate(rules, case)


def without(vaccines, *names):
    """Take one dose of each name out of a list."""
    left = list(vaccines)
    for name in names:
        left.remove(name)
    return left


def missing(verdict):
    return {gap.vaccine_group: list(gap.dose_numbers) for gap in verdict.missing}


def exempt(verdict):
    return {gap.vaccine_group: list(gap.dose_numbers) for gap in verdict.exempt}


def rules_for(verdict, code):
    return {finding.rule for finding in verdict.findings if finding.code == code}


def cells(verdict, group):
    return [cell.state for cell in verdict.cells if cell.vaccine_group == group]


def on_days(vaccine, *days, birth):
    return [Dose(vaccine, birth + timedelta(days=day)) for day in days]


NO_HEPA = without(BY_AGE_TWO, "HepA-L")
"""The programme by age two, all but hepatitis A."""
