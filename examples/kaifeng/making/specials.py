"""Who is special: 29 February, twins, siblings, same names, lost papers, moves, histories."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from examples.kaifeng.making import names
from examples.kaifeng.making.child import Child, Cohort
from examples.kaifeng.making.draw import Draw

Fits = Callable[[Child], bool]

SHAPE_PLAN: tuple[tuple[str, int, int, int], ...] = (
    ("nothing-on-file", 1, 3, 3),
    ("wrong-product", 1, 3, 3),
    ("double-hides-gap", 1, 4, 5),
    ("conjugate-surplus", 2, 4, 5),
    ("encephalitis-four", 2, 6, 7),
    ("four-groups", 8, 4, 7),
    ("contraindicated-live", 3, 2, 6),
    ("contraindicated-pertussis", 2, 2, 6),
    ("contraindicated-for-now", 4, 2, 3),
    ("contraindicated-once", 3, 2, 7),
    ("hepatitis-a-half", 2, 2, 6),
    ("hepatitis-a-mixed", 1, 3, 6),
    ("hepatitis-a-inactivated", 7, 3, 7),
    ("combined-hepatitis", 6, 3, 7),
    ("combined-five", 12, 2, 6),
    ("combined-four", 9, 2, 6),
    ("conjugate", 9, 2, 6),
    ("encephalitis-inactivated", 7, 2, 7),
    ("other-province", 9, 2, 7),
    ("other-province-long", 3, 4, 7),
    ("paper", 8, 5, 7),
    ("pneumococcal-abroad", 2, 2, 4),
    ("copied", 4, 2, 7),
    ("entered-twice", 3, 2, 7),
    ("bitten", 3, 3, 7),
    ("early", 9, 2, 7),
    ("missing", 34, 2, 7),
    ("late", 38, 2, 7),
)
"""Shape of history, children, least and greatest completed age. All others are on time."""

LEAP_DAYS = {2: date(2016, 2, 29), 6: date(2012, 2, 29)}
LEAP_CHILDREN_AN_AGE = 2
TWIN_PAIRS = 3
SIBLING_PAIRS = 4
SAME_NAME_PAIRS = 3
WITHOUT_CERTIFICATE = 12
YOUNGEST, NURSERY_AGE, SCHOOL_AGE, OLDEST = 2, 3, 5, 7
TRANSFERS = 9
VISITORS = 5
WITHOUT_ID_NUMBER = 15


def mark_all(children: Cohort) -> None:
    """Make some of the children special, in place."""
    _mark_leap_days(children)
    _mark_twins(children)
    _mark_siblings(children)
    _mark_same_names(children)
    _mark_shapes(children)
    _mark_papers(children)
    _mark_admissions(children)


def _mark_leap_days(children: Cohort) -> None:
    for age, birth in LEAP_DAYS.items():
        fitting = _plain(children, f"leap/{age}", _aged(age, age))
        for child in fitting[:LEAP_CHILDREN_AN_AGE]:
            _change(children, child, "born-29-february", birth=birth)


def _mark_twins(children: Cohort) -> None:
    pairs = 0
    for child in _plain(children, "twins", lambda child: child.number > 1):
        twin = children[child.index - 1]
        if pairs < TWIN_PAIRS and not twin.traits and not children[child.index].traits:
            _join_family(children, child, twin, "twin", birth=twin.birth)
            _change(children, twin, "twin")
            pairs += 1


def _mark_siblings(children: Cohort) -> None:
    older = _plain(children, "siblings/older", _aged(SCHOOL_AGE + 1, OLDEST))
    younger = _plain(children, "siblings/younger", _aged(YOUNGEST, NURSERY_AGE))
    for first, second in zip(older[:SIBLING_PAIRS], younger, strict=False):
        _join_family(children, second, first, "sibling")
        _change(children, first, "sibling")


def _join_family(children: Cohort, child: Child, other: Child, trait: str, **changes: Any) -> None:
    name = names.child_name(other.family.surname, child.sex, Draw(f"{child.label}/{trait}"))
    _change(children, child, trait, family=other.family, clinic=other.clinic, name=name, **changes)


def _mark_same_names(children: Cohort) -> None:
    pairs = 0
    for child in _plain(children, "same-names", lambda _: True):
        same = _plain(children, f"same-names/{child.index}", _could_share_name(child))
        if pairs < SAME_NAME_PAIRS and same and not children[child.index].traits:
            # The last pair is the hard one: the birthday too is the same.
            birthday = {"birth": child.birth} if pairs == SAME_NAME_PAIRS - 1 else {}
            _change(children, same[0], "same-name", name=child.name, **birthday)
            _change(children, child, "same-name")
            pairs += 1


def _could_share_name(child: Child) -> Fits:
    def fits(other: Child) -> bool:
        return (
            child.index != other.index
            and child.family.surname == other.family.surname
            and (child.sex, child.age) == (other.sex, other.age)
        )

    return fits


def _aged(youngest: int, oldest: int) -> Fits:
    return lambda child: youngest <= child.age <= oldest


def _mark_shapes(children: Cohort) -> None:
    for shape, wanted, youngest, oldest in SHAPE_PLAN:
        fitting = _drawn(children, shape, _aged(youngest, oldest))
        for child in [child for child in fitting if child.shape == "on-time"][:wanted]:
            _change(children, child, shape, shape=shape)


def _mark_papers(children: Cohort) -> None:
    for position, child in enumerate(
        _drawn(children, "certificate", lambda _: True)[:WITHOUT_CERTIFICATE]
    ):
        _change(children, child, "never-had-certificate" if position % 2 else "lost-certificate")
    young = _drawn(children, "id-number", _aged(YOUNGEST, SCHOOL_AGE - 1))
    for child in young[:WITHOUT_ID_NUMBER]:
        _change(children, child, "no-id-number")


def _mark_admissions(children: Cohort) -> None:
    newcomers = _drawn(
        children, "admissions", lambda child: child.shape.startswith("other-province")
    )
    others = _drawn(children, "admissions/others", lambda child: child.shape == "on-time")
    for child in [*newcomers, *others][:VISITORS]:
        _change(children, child, "visiting", admission="visiting")
    for child in [*newcomers, *others][VISITORS : VISITORS + TRANSFERS]:
        _change(children, child, "transfer", admission="transfer")


def _change(children: Cohort, child: Child, trait: str, **changes: Any) -> None:
    """Put the changed child into the place of the one that stands there."""
    now = children[child.index]
    children[child.index] = replace(now, traits=(*now.traits, trait), **changes)


def _drawn(children: Cohort, what: str, fits: Fits) -> Cohort:
    return Draw(f"cohort/{what}").order([child for child in children if fits(child)])


def _plain(children: Cohort, what: str, fits: Fits) -> Cohort:
    return _drawn(children, what, lambda child: not child.traits and fits(child))
