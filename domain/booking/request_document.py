"""A wish for an appointment as JSON, read strictly against the rules it will be judged by."""

from collections.abc import Collection, Mapping
from datetime import date

from domain.booking.course import GivenDose
from domain.booking.decision import Applicant, Request
from domain.booking.eligibility import Domicile
from domain.booking.hindrance import Hindrance
from domain.booking.lifecycle import OpenBooking, State
from domain.booking.rules import BookingRules
from domain.errors import DomainError
from domain.schedules.json_document import InvalidDate, Node

_FIRST_YEAR, _LAST_YEAR = 1850, 2200
"""Outside these years a date is a slip of the pen, and terms would leave the calendar."""

_REQUIRED = (
    *("today", "person", "product", "dose_number", "appointment_date", "site_county", "channel"),
    *("history", "slot_free"),
)
_OPTIONAL = ("open_bookings", "proxy_for", "detail_address")


class BornLater(DomainError):
    """The recipient is born after the day on which the appointment is asked for."""

    code = "born-later"
    zh = "出生日期晚于预约操作日期。"


def read_civil_day(node: Node) -> date:
    """Read a civil date of a plausible year.

    Raises:
        InvalidDate: For others; `WrongType` when it is no string.
    """
    day = node.day()
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InvalidDate(value=day.isoformat()).at(node.pointer)
    return day


def read_request(rules: BookingRules, node: Node) -> Request:
    """Read a request.

    ``{"today", "person": {"birth_date", "hukou_county", "hukou_in_yongzhou", "residence_county",
    "residence_in_yongzhou", "contraindications", "groups"}, "product", "dose_number",
    "appointment_date", "site_county", "channel", "history": [{"product", "dose", "date"}],
    "slot_free": true, false or the number of free seats}`` and, where they play a part,
    ``"open_bookings": [{"product", "dose", "date", "state"}], "proxy_for": {...},
    "detail_address"``. Nothing else: a booking that carries a charge is refused (A-23).

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    found = node.members(_REQUIRED, _OPTIONAL)
    today = read_civil_day(found["today"])
    bookings = found["open_bookings"].items() if "open_bookings" in found else []
    proxy, address = found.get("proxy_for"), found.get("detail_address")
    return Request(
        today=today,
        applicant=_applicant(rules, found["person"], today),
        product=found["product"].choice(rules.courses),
        dose_number=found["dose_number"].integer(),
        on=read_civil_day(found["appointment_date"]),
        site_county=found["site_county"].text(),
        channel=found["channel"].choice(rules.channels),
        given=tuple(_given(item, rules.courses) for item in found["history"].items()),
        seats_free=_seats(found["slot_free"]),
        bookings=tuple(_booking(item, rules.courses) for item in bookings),
        proxy_for=None if proxy is None else read_fields(proxy, rules.proxy_fields),
        detail_address=None if address is None else read_filled_in(address),
    )


def read_fields(node: Node, allowed: Collection[str]) -> Mapping[str, str]:
    """Read an object of text fields, each of which may be left out, null or empty."""
    return {name: read_filled_in(item) for name, item in node.members((), allowed).items()}


def read_filled_in(node: Node) -> str:
    """Read a text field; null is as empty as no text."""
    return "" if node.value is None else node.text()


def _applicant(rules: BookingRules, node: Node, today: date) -> Applicant:
    found = node.members(
        (
            *("birth_date", "hukou_county", "hukou_in_yongzhou", "residence_county"),
            *("residence_in_yongzhou", "contraindications", "groups"),
        ),
        ("real_name_verified",),
    )
    birth_date = read_civil_day(found["birth_date"])
    if today < birth_date:
        raise BornLater().at(found["birth_date"].pointer)
    for group in found["groups"].items():
        group.choice(rules.harmless_groups)
    verified = found.get("real_name_verified")
    return Applicant(
        birth_date=birth_date,
        household=_domicile(found["hukou_county"], found["hukou_in_yongzhou"]),
        residence=_domicile(found["residence_county"], found["residence_in_yongzhou"]),
        hindrances=tuple(_hindrance(rules, item) for item in found["contraindications"].items()),
        # Whoever is signed in has been verified; a question need not repeat it.
        is_real_name_verified=verified is None or verified.boolean(),
    )


def _domicile(county: Node, is_in_area: Node) -> Domicile:
    return Domicile("" if county.value is None else county.text(), is_in_area.boolean())


def _hindrance(rules: BookingRules, node: Node) -> Hindrance:
    """Read ``{"code", "as_of", "valid_from", "valid_to"}``, of which only the code is required."""
    found = node.members(("code",), ("as_of", "valid_from", "valid_to"), ignored=("zh",))
    kind = rules.contraindications[found["code"].choice(rules.contraindications)]
    starts, ends = found.get("valid_from", found.get("as_of")), found.get("valid_to")
    valid_to = None if ends is None or ends.value is None else ends.day()
    return Hindrance(
        name=kind.name,
        is_lasting=not kind.defers,
        valid_from=None if starts is None or starts.value is None else read_civil_day(starts),
        # Dates such as 9999-12-31 say in other systems that no end is known.
        valid_to=None if valid_to is None or valid_to.year > _LAST_YEAR else valid_to,
    )


def _given(node: Node, products: Collection[str]) -> GivenDose:
    """Read a dose of the record; who made the vaccine plays no part (E-15)."""
    found = node.members(("product", "dose", "date"), ignored=("maker",))
    return GivenDose(
        found["product"].choice(products),
        found["dose"].integer(least=1),
        read_civil_day(found["date"]),
    )


def _booking(node: Node, products: Collection[str]) -> OpenBooking:
    found = node.members(("product", "dose", "date", "state"))
    return OpenBooking(
        found["product"].choice(products),
        found["dose"].integer(least=1),
        read_civil_day(found["date"]),
        State(found["state"].choice(tuple(State))),
    )


def _seats(node: Node) -> int:
    if isinstance(node.value, bool):
        return int(node.boolean())
    return node.integer()
