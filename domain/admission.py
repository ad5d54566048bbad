"""Whom a school takes in, how they come, and how their parents are told (S-1, S-2, S-6)."""

from datetime import date
from enum import StrEnum

from domain.errors import DomainError
from domain.organisation import Organisation, OrganisationKind
from domain.vocabulary import EntryType


class Admission(StrEnum):
    """How a child came to the school (S-2)."""

    NEW = "new"
    TRANSFER = "transfer"
    VISITING = "visiting"
    SPRING = "spring"


class Channel(StrEnum):
    """How a notice reached the parents (S-6)."""

    PAPER = "paper"
    SCHOOL_MESSAGE = "school-message"
    WECHAT = "wechat"
    PHONE = "phone"
    MEETING = "meeting"


class NotASchool(DomainError):
    """Only a kindergarten or a school may do this."""

    code = "not-a-school"
    zh = "只有托幼机构、学校可以办理此项。"


class EntryTypeDiffers(DomainError):
    """The school is not of this entry type, or stands elsewhere."""

    code = "entry-type-differs"
    zh = "入学类型或行政区划与机构不一致。"


class SchoolYearTooFar(DomainError):
    """A child is enrolled for a school year that begins next year at the latest."""

    code = "school-year-too-far"
    zh = "最多只能登记下一学年入学的儿童。"


def check_school_year(school_year: int, today: date) -> None:
    """Refuse a school year that nobody enrols for yet.

    Raises:
        SchoolYearTooFar: it begins later than next year.
    """
    if school_year > latest_school_year(today):
        raise SchoolYearTooFar(school_year=school_year, today=today.isoformat())


def latest_school_year(today: date) -> int:
    """Return the last school year that a child can be enrolled for."""
    return today.year + 1


def check_admits(school: Organisation, entry_type: EntryType, division: str) -> None:
    """Refuse an enrolment that the organisation does not make.

    Raises:
        DomainError: NotASchool or EntryTypeDiffers.
    """
    if school.kind is not OrganisationKind.SCHOOL or school.institution_type is None:
        raise NotASchool(kind=school.kind.value)
    if (school.institution_type.value, school.division) != (entry_type.value, division):
        raise EntryTypeDiffers(
            institution_type=school.institution_type.value, division=school.division
        )
