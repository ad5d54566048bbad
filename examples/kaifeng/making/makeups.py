"""Doses that a third of the children with gaps had made up in October and November."""

from collections import Counter
from datetime import date, timedelta

from examples.kaifeng.making.child import Child
from examples.kaifeng.making.contraindications import lasting_groups
from examples.kaifeng.making.draw import Draw
from examples.kaifeng.making.programme import Dose, clinic_day, required

MADE_UP_BY = {
    "HepB": "HepB",
    "PV": "OPV",
    "DPT": "DTaP",
    "DT": "DT",
    "MCV": "MMR",
    "MenAC": "MPSV-AC",
    "JE": "JE-L",
    "HepA": "HepA-L",
}
"""Neither BCG from four years nor group A from two years is given any more (X-22)."""

PERTUSSIS_UNTIL_AGE = 6
FIRST_ROUND = (date(2018, 10, 8), date(2018, 10, 26))
BETWEEN_ROUNDS = (28, 33)
ROUNDS = 2
OF_HUNDRED = 35
NEAR_SCHOOL_PERCENT = 30
RECHECKED_ON = (date(2018, 11, 26), date(2018, 11, 30))


def gaps(child: Child) -> dict[str, int]:
    """Return how many doses lack by group, lasting contraindications left out."""
    return {group: n for group, n in lacking(child).items() if group not in lasting_groups(child)}


def exempt(child: Child) -> dict[str, int]:
    """Return how many doses lack by group because of a lasting contraindication."""
    return {group: n for group, n in lacking(child).items() if group in lasting_groups(child)}


def lacking(child: Child) -> dict[str, int]:
    """Return how many doses of annex 1 lack by group, as the history was made."""
    filled = Counter(group for dose in child.doses for group in dose.fills)
    wanted = required(child.age)
    return {group: n - filled[group] for group, n in wanted.items() if filled[group] < n}


def makeups(child: Child) -> list[Dose]:
    """Return the doses made up after the check, in the order of days."""
    draw = Draw(f"{child.label}/makeups")
    if child.shape == "wrong-product" or not gaps(child) or not draw.chance(OF_HUNDRED):
        return []
    days = [clinic_day(draw.day(*FIRST_ROUND))]
    days.append(clinic_day(days[0] + timedelta(days=draw.between(*BETWEEN_ROUNDS))))
    source = "near-school" if draw.chance(NEAR_SCHOOL_PERCENT) else "programme"
    doses = []
    for group, count in gaps(child).items():
        vaccine = _vaccine(child, group)
        if vaccine is None:
            continue
        had = sum(group in dose.fills for dose in child.doses)
        for turn in range(min(count, ROUNDS)):
            number = _number(child, vaccine, had + turn + 1)
            doses.append(Dose(vaccine, number, days[turn], (group,), source))
    return sorted(doses, key=lambda dose: dose.on)


def recheck_day(child: Child, made_up: list[Dose]) -> date | None:
    """Return when the school looks again, or None where nothing was made up."""
    return Draw(f"{child.label}/recheck").day(*RECHECKED_ON) if made_up else None


def _vaccine(child: Child, group: str) -> str | None:
    if group == "DPT" and child.age >= PERTUSSIS_UNTIL_AGE:
        return None
    if group == "HepA" and any(dose.vaccine == "HepA-I" for dose in child.doses):
        return "HepA-I"
    return MADE_UP_BY.get(group)


def _number(child: Child, vaccine: str, number: int) -> int:
    if vaccine == "MMR":
        return number - any(dose.vaccine == "MR" for dose in child.doses)
    return 2 if vaccine == "HepA-I" else number
