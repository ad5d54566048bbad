"""What happens to a simulated child: doses as clinics really give them, a move, a mistake, school.

Four in five doses come within days of their age, some late, a few never; clinics vaccinate on two
days a week, so doses that fall due together are given together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.calendar import add_months
from domain.schedules.schedule import Schedule
from domain.schedules.schedule_series import Pathway, Series
from domain.schedules.span import Span
from examples.kaifeng.making.draw import Draw
from examples.kaifeng.making.vaccines import PRODUCTS, Product, product
from simulation.child import Child
from simulation.province import Province

_TO_SESSION = (1, 0, 2, 1, 0, 3, 2)
"""Days from each day of the week to the next Tuesday or Friday, when clinics vaccinate; doses of
the first day of life are given where the child is born."""

_DELAYS = (*[9] * 82, *[60] * 14, *[400] * 3, None)
"""The longest delay in days of each in a hundred doses; None is never given."""

_A_MONTH = Span(1)
"""Between doses for which a schedule names no interval, as for those of a conjugate course."""

_OTHER_COURSE_PERCENT = 12
_MOVES_PERCENT = 5
_MISTAKES_IN_A_THOUSAND = 5
_SCHOOL_STARTS = (9, 1)
_KINDERGARTEN_AGE, _PRIMARY_AGE = 3, 6


class Happening(StrEnum):
    """What kind of thing happened."""

    REGISTERED = "registered"
    DOSE = "dose"
    MOVED = "moved"
    CORRECTED = "corrected"
    ENROLLED = "enrolled"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a child.

    Attributes:
        day: When.
        kind: What.
        clinic: Where the child is looked after then.
        what: Of a dose or its correction: the vaccine's code; of an enrolment: the kind of school.
        dose: Of a dose or its correction: which of the child's, counted from 1.
    """

    day: date
    kind: Happening
    clinic: int
    what: str = ""
    dose: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """What a dose was.

    Attributes:
        product: From the clinic's refrigerator.
        lot: As it is on the package.
        expires_on: The last day of use.
        site: Where it was given.
    """

    product: Product
    lot: str
    expires_on: date
    site: str


def given(child: Child, dose: Event) -> Given:
    """Return what a dose of a child was."""
    vial = product(dose.what, dose.day)
    lot, expires_on = vial.lot(dose.day, dose.clinic)
    months = (dose.day.year - child.birth_date.year) * 12 + dose.day.month - child.birth_date.month
    return Given(vial, lot, max(expires_on, dose.day), vial.site(months, dose.dose))


def is_mistaken(province: Province, child: Child, dose: int) -> bool:
    """Whether the lot of a dose was written down wrong, and found out within a month."""
    draw = Draw(f"simulation/{province.seed}/mistake/{child.number}/{dose}")
    return draw.below(1000) < _MISTAKES_IN_A_THOUSAND


def mistaken(lot: str) -> str:
    """Return a lot as somebody writes it down wrong: another last digit."""
    return f"{lot[:-1]}{(int(lot[-1]) + 1) % 10}"


def life(province: Province, schedule: Schedule, child: Child) -> list[Event]:
    """Return all that happens to a child until the province's last day, in order of days."""
    draw = Draw(f"simulation/{province.seed}/life/{child.number}")
    moves_on = _day_of_move(province, child, draw)
    elsewhere = (child.clinic + province.counties) % province.clinics

    def clinic(day: date) -> int:
        return elsewhere if moves_on is not None and day >= moves_on else child.clinic

    events = [Event(child.birth_date, Happening.REGISTERED, child.clinic)]
    if moves_on is not None and elsewhere != child.clinic:
        events.append(Event(moves_on, Happening.MOVED, elsewhere))
    doses = sorted(_doses(province, schedule, child, draw), key=lambda dose: dose[0])
    for number, (day, vaccine) in enumerate(doses, 1):
        events.append(Event(day, Happening.DOSE, clinic(day), vaccine, number))
        if is_mistaken(province, child, number):
            found_on = day + timedelta(days=draw.between(1, 30))
            events.append(Event(found_on, Happening.CORRECTED, clinic(found_on), vaccine, number))
    for age, school in ((_KINDERGARTEN_AGE, "kindergarten"), (_PRIMARY_AGE, "primary")):
        starts = _school_starts(child.birth_date, age)
        events.append(Event(starts, Happening.ENROLLED, clinic(starts), school))
    return sorted(
        (event for event in events if event.day < province.last_day),
        key=lambda event: event.day,
    )


def _doses(
    province: Province, schedule: Schedule, child: Child, draw: Draw
) -> Iterator[tuple[date, str]]:
    for series in schedule.series:
        is_theirs = series.sex is None or series.sex == child.sex
        if is_theirs and series.holds_for(child.birth_date, child.birth_date):
            pathway = _pathway(series, draw)
            if pathway is not None:
                yield from _course(province, child, pathway, draw)


def _pathway(series: Series, draw: Draw) -> Pathway | None:
    """The course that is given: the preferred one mostly, among those that can be bought here."""
    available = [
        pathway
        for pathway in series.pathways
        if not any(PRODUCTS.keys().isdisjoint(step.vaccines) for step in pathway)
    ]
    if not available:
        return None
    return draw.pick(available) if draw.chance(_OTHER_COURSE_PERCENT) else available[0]


def _course(
    province: Province, child: Child, pathway: Pathway, draw: Draw
) -> Iterator[tuple[date, str]]:
    """The doses of one course, each after the one before; who misses one may never go on."""
    last: date | None = None
    for step in pathway:
        due = step.min_age.after(child.birth_date)
        if last is not None:
            spans = [span for span in (step.after_given, step.after_counted) if span is not None]
            due = max([due, *(span.after(last) for span in spans or [_A_MONTH])])
        late = _delay(draw)
        if late is None:
            return
        day = due if due == child.birth_date else _session(due + timedelta(days=late))
        ends = step.not_from
        if day >= province.last_day or (ends is not None and day >= ends.after(child.birth_date)):
            return
        yield day, next(vaccine for vaccine in step.vaccines if vaccine in PRODUCTS)
        last = day


def _delay(draw: Draw) -> int | None:
    """Days after the age of a dose; None for never."""
    longest = draw.pick(_DELAYS)
    return None if longest is None else draw.below(longest + 1)


def _session(day: date) -> date:
    """The next day on which clinics vaccinate."""
    return day + timedelta(days=_TO_SESSION[day.weekday()])


def _day_of_move(province: Province, child: Child, draw: Draw) -> date | None:
    if not draw.chance(_MOVES_PERCENT) or province.clinics_a_county == 1:
        return None
    return child.birth_date + timedelta(days=draw.between(30, 5 * 365))


def _school_starts(birth: date, age: int) -> date:
    """The first day of September on which a child has that age."""
    birthday = add_months(birth, 12 * age)
    starts = date(birthday.year, *_SCHOOL_STARTS)
    return starts if starts >= birthday else starts.replace(year=starts.year + 1)
