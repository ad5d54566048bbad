"""What can be booked, by code: the courses of the booking rules, then the catalogue."""

from collections.abc import Mapping

from api.wording import Wording
from commands.services import Rules


def products_of(rules: Rules) -> Mapping[str, Wording]:
    """Names in both languages of everything that seats may be opened for."""
    courses = {
        code: {"zh": one.name.zh, "en": one.name.en} for code, one in rules.booking.courses.items()
    }
    named = {course.vaccine for course in rules.booking.courses.values()}
    others = {
        one.code: {"zh": one.name.zh, "en": one.name.en}
        for one in rules.catalogue
        if one.code not in named
    }
    return courses | others
