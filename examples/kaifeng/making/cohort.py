"""The three hundred children, class after class."""

from dataclasses import replace
from datetime import date, timedelta

from domain.identity import Sex
from examples.kaifeng.making import names
from examples.kaifeng.making.child import Child, Cohort
from examples.kaifeng.making.draw import Draw
from examples.kaifeng.making.families import family
from examples.kaifeng.making.histories import history
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.organisations import CLINICS, INSTITUTIONS, Institution
from examples.kaifeng.making.programme import CHECK_DAY
from examples.kaifeng.making.specials import mark_all

ELSEWHERE_PERCENT = 8
"""Children who go to school in the other township."""


def cohort(numbers: Numbers) -> Cohort:
    """Return the children in the order of their classes."""
    children = _enrolled(numbers)
    mark_all(children)
    return [
        replace(child, doses=tuple(history(child.shape, child.birth, child.label)))
        for child in children
    ]


def _enrolled(numbers: Numbers) -> Cohort:
    children: Cohort = []
    for institution in INSTITUTIONS:
        for class_name, size, ages in institution.classes:
            for number in range(1, size + 1):
                children.append(
                    _child(len(children), institution, class_name, number, ages, numbers)
                )
    return children


def _child(
    index: int,
    institution: Institution,
    class_name: str,
    number: int,
    ages: tuple[int, ...],
    numbers: Numbers,
) -> Child:
    label = f"child/{index}"
    draw = Draw(label)
    age = draw.pick(ages)
    oldest = date(CHECK_DAY.year - age - 1, CHECK_DAY.month, CHECK_DAY.day) + timedelta(days=1)
    birth = draw.day(oldest, date(CHECK_DAY.year - age, CHECK_DAY.month, CHECK_DAY.day))
    sex: Sex = "male" if draw.chance(53) else "female"
    township = (
        institution.township if not draw.chance(ELSEWHERE_PERCENT) else 1 - institution.township
    )
    home = family(label, birth.year, township, numbers)
    clinic = CLINICS[2 * township + draw.below(2)]
    name = names.child_name(home.surname, sex, draw)
    return Child(index, institution, class_name, number, birth, sex, name, home, clinic)
