"""Courses of doses: which is next, from when, and until when it is wished for (A-12 to A-15)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from domain.booking.objection import Objection
from domain.calendar import deadline_after_days, deadline_after_months
from domain.schedules.edition import Wording
from domain.schedules.finding import Fact


@dataclass(frozen=True, slots=True)
class Term:
    """A term counted from dose 1, in days or in months (the other is 0)."""

    days: int
    months: int

    def last_day(self, start: date) -> date:
        """Return its last day, itself in time; months without the day end with the month (X-2)."""
        return deadline_after_days(deadline_after_months(start, self.months), self.days)


@dataclass(frozen=True, slots=True)
class Course:
    """The doses of one product.

    Attributes:
        product: Its code; a product is a kind of vaccine, from whichever maker (E-15).
        name: What people call it.
        vaccine: Its code in the product catalogue, as doses of a record name it.
        target: What it protects against; mixing is judged among products of one target.
        rule: Number of its rule.
        doses: How many there are.
        min_days: Least days between neighbouring doses; the day itself is allowed (X-1).
        recommended: Terms from dose 1 in which a dose is wished for, by dose number.
    """

    product: str
    name: Wording
    vaccine: str
    target: str
    rule: str
    doses: int
    min_days: int
    recommended: Mapping[int, Term]


@dataclass(frozen=True, slots=True)
class GivenDose:
    """A dose as the record has it.

    Attributes:
        product: Code of the product.
        number: Its number in the course, as recorded.
        given_on: Civil day.
    """

    product: str
    number: int
    given_on: date


@dataclass(frozen=True, slots=True)
class Window:
    """When a dose may be given, and until when it is wished for; both days are included (X-1)."""

    earliest: date
    recommended_by: date | None


@dataclass(frozen=True, slots=True)
class Due:
    """The dose that comes next, from a course or from a forecast of a childhood programme.

    Attributes:
        product: What people call the product.
        number: Its number; one more than `of` when nothing is due any more.
        of: How many doses the course has.
        window: None where any day will do.
        rule: Number of the rule it rests on.
    """

    product: Wording
    number: int
    of: int
    window: Window | None
    rule: str

    @property
    def is_complete(self) -> bool:
        """Whether no dose is due any more."""
        return self.number > self.of


def due_dose(course: Course, given: Collection[GivenDose]) -> Due:
    """Return the dose that comes next after those given of this product.

    Doses are never counted anew, however late the next one is (A-15). One day counts once. The
    number recorded with a dose stands for those before it that the record lacks: that no record is
    found does not prove that no dose was given (C-27).
    """
    of_course = [dose for dose in given if dose.product == course.product]
    days = {dose.given_on for dose in of_course}
    taken = max((len(days), *(dose.number for dose in of_course)))
    window = None
    if days:
        firsts = [dose.given_on for dose in of_course if dose.number == 1]
        number = min(taken + 1, course.doses)
        window = window_after(course, number, min(firsts, default=None), max(days))
    return Due(course.name, taken + 1, course.doses, window, course.rule)


def window_after(course: Course, number: int, first_on: date | None, last_on: date) -> Window:
    """Return the window of a later dose.

    Args:
        course: The course.
        number: Number of the dose.
        first_on: Day of dose 1, from which wishes count; None where the record lacks it.
        last_on: Day of the dose before, from which the least interval counts.
    """
    term = course.recommended.get(number)
    recommended_by = term.last_day(first_on) if term and first_on else None
    return Window(last_on + timedelta(days=course.min_days), recommended_by)


def judge_mixing(
    courses: Mapping[str, Course], product: str, given: Collection[GivenDose]
) -> Iterator[Objection]:
    """Refuse another product against the same target; another maker's is the same (X-8, E-15)."""
    wanted = courses[product]
    others = [
        courses[dose.product]
        for dose in given
        if dose.product != product and courses[dose.product].target == wanted.target
    ]
    if others:
        yield Objection("product_mismatch", {"given": others[0].name, "product": wanted.name})


def judge_due(due: Due, number: int, on: date) -> Iterator[Objection]:
    """Compare the dose asked for, and its day, with the dose that is due.

    At most one objection: to the number, else to the day. Late is a warning, early a refusal.
    """
    if due.is_complete:
        facts: dict[str, Fact] = {"product": due.product, "doses": due.of}
        yield Objection("course_complete", facts, rule=due.rule)
    elif number < due.number or number > due.of:
        yield Objection("wrong_dose_number", {"next": due.number, "number": number})
    elif number > due.number:
        yield Objection("previous_dose_not_given", {"previous": due.number, "number": number})
    elif due.window is not None:
        yield from _judge_day(due.window, on, due.rule)


def _judge_day(window: Window, on: date, rule: str) -> Iterator[Objection]:
    if on < window.earliest:
        facts = {"earliest": window.earliest.isoformat()}
        yield Objection("interval_too_short", facts, ends_on=window.earliest, rule=rule)
    elif window.recommended_by is not None and on > window.recommended_by:
        facts = {"recommended_by": window.recommended_by.isoformat()}
        yield Objection("later_than_recommended", facts)
