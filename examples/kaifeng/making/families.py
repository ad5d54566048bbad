"""Families: who answers for a child, where they live, how to reach them."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.identity import Sex
from examples.kaifeng.making import names
from examples.kaifeng.making.draw import Draw, uuid7
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.organisations import TOWNSHIP_NAMES

STREETS = (
    "梧桐路",
    "东街",
    "学府路",
    "柳荫路",
    "人民路",
    "解放街",
    "南湖路",
    "荷塘街",
    "北关街",
    "新建路",
)
BOTH, MOTHER_ONLY, FATHER_ONLY = 82, 90, 95
WITHOUT_NUMBER_PERCENT = 4
IN_FLATS_PERCENT = 60
YOUNGEST_PARENT, OLDEST_PARENT = 21, 39
GRANDPARENT = 57


@dataclass(frozen=True)
class Guardian:
    """Somebody who answers for a child.

    Attributes:
        handle: the person, the same for all their children.
        relation: mother, father or guardian.
        id_number: None where the clinic has none on file (C-10).
    """

    handle: UUID
    relation: str
    name: str
    id_number: str | None
    phone: str


@dataclass(frozen=True)
class Family:
    """Guardians and address; siblings and twins share one."""

    surname: str
    guardians: tuple[Guardian, ...]
    address: str


def family(label: str, birth_year: int, township: int, numbers: Numbers) -> Family:
    """Return the family of a child born in a year.

    Args:
        label: names the family's draws.
        birth_year: of its first child here.
        township: 0 or 1, where it lives.
        numbers: gives out identity and telephone numbers.
    """
    draw = Draw(f"{label}/family")
    surname = names.surname(draw)
    kind = draw.below(100)
    wanted: tuple[tuple[str, Sex], ...]
    if kind < BOTH:
        wanted = (("mother", "female"), ("father", "male"))
    elif kind < MOTHER_ONLY:
        wanted = (("mother", "female"),)
    elif kind < FATHER_ONLY:
        wanted = (("father", "male"),)
    else:
        wanted = (("guardian", "female"),)
    guardians = tuple(
        _guardian(f"{label}/{relation}", relation, sex, surname, birth_year, numbers)
        for relation, sex in wanted
    )
    house = f"{draw.pick(STREETS)}{draw.between(1, 180)}号"
    if draw.chance(IN_FLATS_PERCENT):
        house += f"{draw.between(1, 12)}号楼{draw.between(1, 6)}单元{draw.between(1, 6)}01"
    return Family(surname, guardians, f"汴安县{TOWNSHIP_NAMES[township]}{house}")


def _guardian(
    label: str, relation: str, sex: Sex, surname: str, birth_year: int, numbers: Numbers
) -> Guardian:
    draw = Draw(label)
    age = GRANDPARENT if relation == "guardian" else draw.between(YOUNGEST_PARENT, OLDEST_PARENT)
    born = draw.day(date(birth_year - age, 1, 1), date(birth_year - age, 12, 28))
    own = surname if relation == "father" else names.surname(draw)
    number = None if draw.chance(WITHOUT_NUMBER_PERCENT) else numbers.id_number(born, sex, draw)
    return Guardian(
        uuid7(label), relation, names.adult_name(own, sex, draw), number, numbers.phone(draw)
    )
