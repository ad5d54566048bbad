"""Who a simulated child is: names and numbers, valid in form, given out once."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.calendar import add_months
from domain.identity import Sex, checksum
from examples.kaifeng.making.draw import Draw
from examples.kaifeng.making.names import adult_name, child_name, surname
from simulation.province import Province

_YOUNGEST_MOTHER, _AGES_OF_MOTHERS = 22, 17
_MOTHERS_AREA = 80
"""Area codes of mothers begin at 4180, apart from those of children at 4199."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child with its mother.

    Attributes:
        number: Which of the province's, in order of birth.
        name: In full.
        sex: As registered.
        birth_date: In the province's years.
        id_number: 18 characters (GB 11643).
        clinic: Where it is registered first.
        mother_name: In full.
        mother_id_number: Likewise.
        phone: The mother's.
    """

    number: int
    name: str
    sex: Sex
    birth_date: date
    id_number: str
    clinic: int
    mother_name: str
    mother_id_number: str
    phone: str


def child(province: Province, number: int) -> Child:
    """Return one child, numbered from 0 in order of birth."""
    draw = Draw(f"simulation/{province.seed}/child/{number}")
    day = number * province.days // province.children
    birth = province.first_day + timedelta(days=day)
    sex: Sex = "male" if draw.chance(52) else "female"
    clinic = number % province.clinics
    order = 2 * _rank(province, number, day) + (1 if sex == "male" else 2)
    family = surname(draw)
    mothers_birth = add_months(birth, -12 * (_YOUNGEST_MOTHER + draw.below(_AGES_OF_MOTHERS)))
    mothers_order = 2 * _rank(province, number, day) + 2
    county = clinic % province.counties
    return Child(
        number,
        child_name(family, sex, draw),
        sex,
        birth,
        _id_number(province.county(county), birth, order),
        clinic,
        adult_name(surname(draw), "female", draw),
        _id_number(_mothers_area(birth, county), mothers_birth, mothers_order),
        f"140{number:08}",
    )


def _rank(province: Province, number: int, day: int) -> int:
    """How many children of the same day and county were born before."""
    first_of_day = -(-day * province.children // province.days)
    return (number - first_of_day) // province.counties


def _mothers_area(birth: date, county: int) -> str:
    """An area code that mothers of this year's children share with no others' for ten years."""
    return f"41{_MOTHERS_AREA + birth.year % 10}{county + 1:02}"


def _id_number(area: str, birth: date, order: int) -> str:
    first17 = f"{area}{birth:%Y%m%d}{order:03}"
    return first17 + checksum(first17)
