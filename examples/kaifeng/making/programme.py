"""The programme of 2018 as visits, and the doses that a child of one age has had by it."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.calendar import add_months
from examples.kaifeng.making.draw import Draw

CHECK_DAY = date(2018, 9, 3)

GROUPS = {
    "BCG": ("BCG",),
    "HepB": ("HepB",),
    "OPV": ("PV",),
    "IPV": ("PV",),
    "DTaP": ("DPT",),
    "DT": ("DT",),
    "MR": ("MCV",),
    "MMR": ("MCV",),
    "MPSV-A": ("MenA",),
    "MPSV-AC": ("MenAC",),
    "JE-L": ("JE",),
    "HepA-L": ("HepA",),
}
"""Columns of annex 3 that a dose of the programme fills."""

REQUIRED = {
    "BCG": (1, 1, 1, 1, 1),
    "HepB": (3, 3, 3, 3, 3),
    "PV": (3, 3, 4, 4, 4),
    "DPT": (4, 4, 4, 4, 4),
    "DT": (0, 0, 0, 0, 1),
    "MCV": (2, 2, 2, 2, 2),
    "MenA": (2, 2, 2, 2, 2),
    "MenAC": (0, 1, 1, 1, 2),
    "JE": (2, 2, 2, 2, 2),
    "HepA": (1, 1, 1, 1, 1),
}
"""Doses by completed age, 2 to 6 (annex 1, back); from 7 on the row for 6 stands."""

FIRST_ROW_AGE, LAST_ROW_AGE = 2, 6

VISITS: tuple[tuple[int, tuple[tuple[str, int], ...]], ...] = (
    (0, (("HepB", 1), ("BCG", 1))),
    (1, (("HepB", 2),)),
    (2, (("OPV", 1),)),
    (3, (("OPV", 2), ("DTaP", 1))),
    (4, (("OPV", 3), ("DTaP", 2))),
    (5, (("DTaP", 3),)),
    (6, (("HepB", 3), ("MPSV-A", 1))),
    (8, (("MR", 1), ("JE-L", 1))),
    (9, (("MPSV-A", 2),)),
    (18, (("MMR", 1), ("DTaP", 4), ("HepA-L", 1))),
    (24, (("JE-L", 2),)),
    (36, (("MPSV-AC", 1),)),
    (48, (("OPV", 4),)),
    (72, (("MPSV-AC", 2), ("DT", 1))),
)
"""Age in months, and the vaccines with their dose numbers."""

INACTIVATED_FIRST_FROM = date(2016, 5, 1)
USUAL_DELAY = 12
LATER_DELAY = 45
LATER_FROM_MONTHS = 24
LEAST_GAP = timedelta(days=28)
SUNDAY = 6


@dataclass(frozen=True)
class Dose:
    """A dose in somebody's arm.

    Attributes:
        vaccine: catalogue code.
        number: of its course.
        on: the day.
        fills: columns of annex 3 in which it counts one.
        source: programme, bite-injury, other-province or paper.
        province: two digits, for a dose of another province.
    """

    vaccine: str
    number: int
    on: date
    fills: tuple[str, ...]
    source: str = "programme"
    province: str | None = None


def clinic_day(day: date) -> date:
    """Return the day itself, or Monday for a Sunday, when clinics are closed."""
    return day + timedelta(days=day.weekday() == SUNDAY)


def visit_days(birth: date, draw: Draw, late: dict[int, int]) -> list[date]:
    """Return the day of each visit of the programme.

    Args:
        birth: the birthday.
        draw: where the usual delays come from.
        late: further days of delay by the age in months of the visit; negative ones are early.
    """
    days: list[date] = []
    for months, _ in VISITS:
        if not months:
            days.append(birth)
            continue
        usual = draw.below(LATER_DELAY if months >= LATER_FROM_MONTHS else USUAL_DELAY)
        extra = late.get(months, 0)
        day = add_months(birth, months) + timedelta(days=extra + (usual if extra >= 0 else 0))
        days.append(clinic_day(max(day, days[-1] + LEAST_GAP)))
    return days


def programme(birth: date, draw: Draw, late: dict[int, int]) -> list[Dose]:
    """Return all doses of the programme, those of the future among them."""
    doses = []
    for (_, given), day in zip(VISITS, visit_days(birth, draw, late), strict=True):
        for name, number in given:
            # The inactivated vaccine became the first dose when the trivalent oral one ended.
            inactivated = (name, number) == ("OPV", 1) and day >= INACTIVATED_FIRST_FROM
            vaccine = "IPV" if inactivated else name
            doses.append(Dose(vaccine, number, day, GROUPS[vaccine]))
    return doses


def required(age: int) -> dict[str, int]:
    """Return the doses that annex 1 asks for at a completed age."""
    row = min(age, LAST_ROW_AGE) - FIRST_ROW_AGE
    return {group: counts[row] for group, counts in REQUIRED.items() if counts[row]}
