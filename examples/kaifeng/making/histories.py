"""Lives that differ from the programme: other vaccines, gaps, doubles, bites, moves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from domain.calendar import add_months
from examples.kaifeng.making.draw import Draw
from examples.kaifeng.making.programme import (
    CHECK_DAY,
    LEAST_GAP,
    VISITS,
    Dose,
    clinic_day,
    programme,
)

Doses = list[Dose]

PROVINCES = ("32", "33", "44", "37")
HONG_KONG = "81"
RABIES_DAYS = (0, 3, 7, 14, 28)
MANY_GAPS = 4
WITHOUT_OPTIONAL = ("nothing-on-file", "contraindicated-live", "combined-five", "combined-four")
OMITTABLE = (
    ("MPSV-AC", 1),
    ("OPV", 4),
    ("JE-L", 2),
    ("MMR", 1),
    ("DTaP", 4),
    ("HepA-L", 1),
    ("MPSV-A", 2),
    ("DT", 1),
    ("MPSV-AC", 2),
    ("HepB", 3),
    ("DTaP", 3),
    ("MR", 1),
    ("BCG", 1),
)


OPTIONAL = (
    ("VarV", 14, (14,)),
    ("Hib", 6, (4, 6, 18)),
    ("Influenza", 6, (30, 31)),
)
"""Vaccine outside the programme, in how many of a hundred children, at which ages in months."""


def history(shape: str, birth: date, label: str) -> Doses:
    """Return the doses of a child of one shape that were given before the check."""
    draw = Draw(f"{label}/history")
    doses = SHAPES[shape](programme(birth, draw, _delays(shape, draw)), birth, draw)
    if shape not in WITHOUT_OPTIONAL:
        doses = doses + _optional(birth, Draw(f"{label}/optional"))
    given = [dose for dose in doses if dose.on < CHECK_DAY]
    return sorted(given, key=lambda dose: dose.on)


def _optional(birth: date, draw: Draw) -> Doses:
    doses: Doses = []
    for vaccine, percent, ages in OPTIONAL:
        if draw.chance(percent):
            doses += _at_ages(vaccine, ((),) * len(ages), birth, ages, draw)
    return doses


def _delays(shape: str, draw: Draw) -> dict[int, int]:
    if shape == "late":
        visits = draw.order([months for months, _ in VISITS if months])[: draw.between(1, 3)]
        return {months: draw.between(40, 240) for months in visits}
    if shape == "early":
        return {draw.pick((8, 18)): -draw.between(10, 25)}
    return {}


def _as_planned(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    return doses


def _nothing(_doses: Doses, _birth: date, _draw: Draw) -> Doses:
    return []


def _missing(doses: Doses, _birth: date, draw: Draw) -> Doses:
    due = {(dose.vaccine, dose.number) for dose in doses if dose.on < CHECK_DAY}
    choices = [slot for slot in OMITTABLE if slot in due]
    omitted = draw.order(choices)[: draw.between(1, MANY_GAPS)]
    return [dose for dose in doses if (dose.vaccine, dose.number) not in omitted]


def _without(doses: Doses, *vaccines: str, first: int = 1) -> Doses:
    return [dose for dose in doses if dose.vaccine not in vaccines or dose.number < first]


def _at_ages(
    vaccine: str, fills: tuple[tuple[str, ...], ...], birth: date, ages: tuple[int, ...], draw: Draw
) -> Doses:
    """Return a course: its doses at ages in months, each filling its columns."""
    doses: Doses = []
    for number, (months, columns) in enumerate(zip(ages, fills, strict=True), 1):
        day = add_months(birth, months) + timedelta(days=draw.below(10))
        if doses:
            day = max(day, doses[-1].on + LEAST_GAP)
        doses.append(Dose(vaccine, number, clinic_day(day), columns))
    return doses


def _five_in_one(doses: Doses, birth: date, draw: Draw) -> Doses:
    course = _at_ages("DTaP-IPV-Hib", (("DPT", "PV"),) * 4, birth, (2, 3, 4, 18), draw)
    return _without(doses, "DTaP", "OPV", "IPV") + course


def _four_in_one(doses: Doses, birth: date, draw: Draw) -> Doses:
    course = _at_ages("DTaP-Hib", (("DPT",),) * 4, birth, (3, 4, 5, 18), draw)
    return _without(doses, "DTaP") + course


def _hepatitis_a_and_b(doses: Doses, birth: date, draw: Draw) -> Doses:
    course = _at_ages("HepAB", ((), ("HepA",)), birth, (18, 24), draw)
    return _without(doses, "HepA-L") + course


def _hepatitis_a_inactivated(doses: Doses, birth: date, draw: Draw) -> Doses:
    return _without(doses, "HepA-L") + _at_ages("HepA-I", ((), ("HepA",)), birth, (18, 24), draw)


def _hepatitis_a_half(doses: Doses, birth: date, draw: Draw) -> Doses:
    return _without(doses, "HepA-L") + _at_ages("HepA-I", ((),), birth, (18,), draw)


def _hepatitis_a_mixed(doses: Doses, birth: date, draw: Draw) -> Doses:
    first = _at_ages("HepA-I", ((),), birth, (18,), draw)
    second = _at_ages("HepAB", (("HepA",),), birth, (25,), draw)
    return _without(doses, "HepA-L") + first + second


def _conjugate(doses: Doses, birth: date, draw: Draw) -> Doses:
    course = _at_ages("MPCV-AC", (("MenA",),) * 2, birth, (6, 9), draw)
    return _without(doses, "MPSV-A") + course


def _conjugate_surplus(doses: Doses, birth: date, draw: Draw) -> Doses:
    fills = (("MenA",), ("MenA",), ("MenAC",))
    course = _at_ages("MPCV-AC", fills, birth, (6, 9, 37), draw)
    return _without(_without(doses, "MPSV-A"), "MPSV-AC") + course


def _four_groups(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    return [
        replace(dose, vaccine="MPSV-ACYW135") if dose.vaccine == "MPSV-AC" else dose
        for dose in doses
    ]


def _encephalitis_inactivated(doses: Doses, birth: date, draw: Draw) -> Doses:
    [first] = _at_ages("JE-I", (("JE",),), birth, (8,), draw)
    second = clinic_day(first.on + timedelta(days=draw.between(7, 9)))
    return [*_without(doses, "JE-L"), first, replace(first, number=2, on=second)]


def _encephalitis_four(doses: Doses, birth: date, draw: Draw) -> Doses:
    fills: tuple[tuple[str, ...], ...] = (("JE",), ("JE",), (), ())
    return _without(doses, "JE-L") + _at_ages("JE-I", fills, birth, (8, 9, 25, 73), draw)


def _polio_inactivated(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    """Live vaccines are forbidden for good: polio by injection, the others never."""
    injected = [replace(dose, vaccine="IPV") if dose.vaccine == "OPV" else dose for dose in doses]
    return _without(injected, "MR", "MMR", "JE-L", "HepA-L")


def _no_more_pertussis(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    """A severe reaction to the second dose ended the course."""
    return _without(_without(doses, "DTaP", first=3), "DT")


def _no_live_for_now(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    """Treatment that suppresses immunity put off what was due."""
    return _without(_without(doses, "JE-L", first=2), "HepA-L")


def _elsewhere_until(months: int) -> Callable[[Doses, date, Draw], Doses]:
    def shape(doses: Doses, birth: date, draw: Draw) -> Doses:
        province = draw.pick(PROVINCES)
        moved = add_months(birth, months)
        return [
            replace(dose, source="other-province", province=province) if dose.on < moved else dose
            for dose in doses
        ]

    return shape


def _on_paper(doses: Doses, birth: date, _draw: Draw) -> Doses:
    known = add_months(birth, 7)
    return [replace(dose, source="paper") if dose.on < known else dose for dose in doses]


def _pneumococcal_abroad(doses: Doses, birth: date, draw: Draw) -> Doses:
    course = _at_ages("PCV13", ((),) * 4, birth, (3, 5, 7, 13), draw)
    return doses + [replace(dose, source="other-province", province=HONG_KONG) for dose in course]


def _copied(doses: Doses, _birth: date, draw: Draw) -> Doses:
    """A dose of ours came back from the paper certificate."""
    twice = draw.pick([dose for dose in doses if dose.vaccine in {"HepB", "MR", "DTaP"}])
    return [*doses, replace(twice, fills=(), source="paper")]


def _entered_twice(doses: Doses, _birth: date, draw: Draw) -> Doses:
    twice = draw.pick([dose for dose in doses if dose.vaccine in {"HepB", "MPSV-A", "DTaP"}])
    return [*doses, replace(twice, fills=())]


def _double_hides_gap(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    """Four entries of one vaccine, but the fourth bears the third one's date."""
    third = next(dose for dose in doses if (dose.vaccine, dose.number) == ("DTaP", 3))
    return [*_without(doses, "DTaP", first=4), replace(third, number=4, fills=())]


def _bitten(doses: Doses, birth: date, draw: Draw) -> Doses:
    bitten_on = draw.day(add_months(birth, 20), CHECK_DAY - timedelta(days=40))
    course = [
        Dose("Rabies", number, bitten_on + timedelta(days=day), (), "bite-injury")
        for number, day in enumerate(RABIES_DAYS, 1)
    ]
    return doses + course


def _wrong_product(doses: Doses, _birth: date, _draw: Draw) -> Doses:
    """The dose at three years was entered as group A, which a correction puts right."""
    return [
        replace(dose, vaccine="MPSV-A", number=3, fills=())
        if (dose.vaccine, dose.number) == ("MPSV-AC", 1)
        else dose
        for dose in doses
    ]


SHAPES: dict[str, Callable[[Doses, date, Draw], Doses]] = {
    "on-time": _as_planned,
    "late": _as_planned,
    "early": _as_planned,
    "missing": _missing,
    "nothing-on-file": _nothing,
    "combined-five": _five_in_one,
    "combined-four": _four_in_one,
    "combined-hepatitis": _hepatitis_a_and_b,
    "hepatitis-a-inactivated": _hepatitis_a_inactivated,
    "hepatitis-a-half": _hepatitis_a_half,
    "hepatitis-a-mixed": _hepatitis_a_mixed,
    "conjugate": _conjugate,
    "conjugate-surplus": _conjugate_surplus,
    "four-groups": _four_groups,
    "encephalitis-inactivated": _encephalitis_inactivated,
    "encephalitis-four": _encephalitis_four,
    "contraindicated-live": _polio_inactivated,
    "contraindicated-pertussis": _no_more_pertussis,
    "contraindicated-for-now": _no_live_for_now,
    "contraindicated-once": _as_planned,
    "other-province": _elsewhere_until(14),
    "other-province-long": _elsewhere_until(30),
    "paper": _on_paper,
    "pneumococcal-abroad": _pneumococcal_abroad,
    "copied": _copied,
    "entered-twice": _entered_twice,
    "double-hides-gap": _double_hides_gap,
    "bitten": _bitten,
    "wrong-product": _wrong_product,
}
