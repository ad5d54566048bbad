"""The booking rules of an edition, read from a data file and checked against themselves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from domain.booking.address import Characters
from domain.booking.course import Course, Term
from domain.booking.objection import Objection
from domain.errors import DomainError, shown
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.finding import Finding, Rule
from domain.schedules.json_document import Node, load_edition

NEWEST = "yongzhou-2021"

WARNING = "later_than_recommended"
"""The one reason that warns; all others refuse."""

_BOOKING: Mapping[str, Collection[str]] = {
    "group_books_with_office_or_site": (),
    "date_in_past": ("date",),
    "not_real_name": (),
    "proxy_incomplete": ("fields",),
    "address_invalid": (),
    "under_18": ("age", "date"),
    "not_yongzhou": ("area",),
    "site_outside_own_counties": ("counties",),
    "contraindicated": ("names",),
    "product_mismatch": ("given", "product"),
    "course_complete": ("product", "doses"),
    "wrong_dose_number": ("next", "number"),
    "previous_dose_not_given": ("previous", "number"),
    "interval_too_short": ("earliest",),
    "duplicate_booking": ("date", "number"),
    "no_slot": (),
    WARNING: ("recommended_by",),
}

PLACEHOLDERS: Mapping[str, Collection[str]] = {
    **_BOOKING,
    "contraindicated_for_now": ("names",),
    "outside_slot": ("starts", "ends"),
    "wrong_site": (),
    "other_person": (),
    "id_card_missing": (),
    "consent_missing": (),
    "not_verified": (),
    "redeem_before_vaccination": (),
    "already_redeemed": (),
    "not_possible_now": (),
    "hold_expired": (),
    "slot_over": ("ends",),
    "too_many_bookings": ("most",),
    "not_entrusted": (),
}
"""Every reason that a rule file must have a sentence for, with the facts it may use."""


class UnknownProduct(DomainError):
    """The booking rules know no such product."""

    code = "unknown-product"
    zh = "预约规则中没有该疫苗产品。"


@dataclass(frozen=True, slots=True)
class Contraindication:
    """A kind of contraindication: its name, and whether it passes."""

    name: Wording
    defers: bool


@dataclass(frozen=True, slots=True)
class BookingRules:
    """An edition of booking rules.

    Attributes:
        edition: Which file, and when it is in force.
        area: Where recipients must be registered or live.
        area_divisions: First digits of the divisions of that area (GB/T 2260).
        minimum_age_years: Age that must be reached on the day of the appointment.
        channels: All channels known.
        channels_here: Those that book here; the others are sent to the office or the site.
        courses: The courses by product.
        contraindications: The kinds by code.
        harmless_groups: Groups that are no contraindication, by code (A-17).
        address_characters: What a detailed address may consist of.
        proxy_fields: Names of the fields of a person booked for, by code.
        proxy_bookings_open: How many bookings for others one person may have open.
        hold_minutes: For how long a seat is held before it must be confirmed.
        reminder_days_before: Days between reminder and appointment.
        precedence: Reasons against a booking, the first to be told first.
        precedence_ground: Why in that order.
        reasons: The sentences by reason.
    """

    edition: Edition
    area: Wording
    area_divisions: tuple[str, ...]
    minimum_age_years: int
    channels: frozenset[str]
    channels_here: frozenset[str]
    courses: Mapping[str, Course]
    contraindications: Mapping[str, Contraindication]
    harmless_groups: Mapping[str, Wording]
    address_characters: tuple[Characters, ...]
    proxy_fields: Mapping[str, Wording]
    proxy_bookings_open: int
    hold_minutes: int
    reminder_days_before: int
    precedence: tuple[str, ...]
    precedence_ground: Wording
    reasons: Mapping[str, Rule]

    @classmethod
    def load(cls, name: str = NEWEST) -> "BookingRules":
        """Return a shipped edition, validated whole; read once a process.

        Args:
            name: File name without ``.booking.json``.
        """
        return _load(name)

    @classmethod
    def read(cls, document: Node) -> "BookingRules":
        """Read an edition.

        Raises:
            InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
        """
        found = document.members(
            (
                *(*Edition.MEMBERS, "area", "area_divisions", "minimum_age_years", "channels"),
                *("products", "contraindications", "groups_that_are_no_contraindication"),
                *("address_characters", "proxy_fields", "proxy_bookings_open", "hold_minutes"),
                *("reminder_days_before", "precedence", "reasons"),
            )
        )
        channels = {
            code: node.members(("books_here",))["books_here"].boolean()
            for code, node in found["channels"].entries().items()
        }
        precedence = found["precedence"].members(("reasons", "ground"))
        return cls(
            edition=Edition.read(found),
            area=Wording.read(found["area"]),
            area_divisions=found["area_divisions"].texts(),
            minimum_age_years=found["minimum_age_years"].integer(),
            channels=frozenset(channels),
            channels_here=frozenset(code for code, is_here in channels.items() if is_here),
            courses={
                code: _read_course(code, node) for code, node in found["products"].entries().items()
            },
            contraindications=_read_contraindications(found["contraindications"]),
            harmless_groups=_read_names(found["groups_that_are_no_contraindication"]),
            address_characters=tuple(
                _read_characters(node) for node in found["address_characters"].items()
            ),
            proxy_fields=_read_names(found["proxy_fields"]),
            proxy_bookings_open=found["proxy_bookings_open"].integer(least=1),
            hold_minutes=found["hold_minutes"].integer(least=1),
            reminder_days_before=found["reminder_days_before"].integer(),
            precedence=_read_precedence(precedence["reasons"]),
            precedence_ground=Wording.read(precedence["ground"]),
            reasons=_read_reasons(found["reasons"]),
        )

    def course(self, product: str) -> Course:
        """Return the course of a product.

        Raises:
            UnknownProduct: When there is none.
        """
        if product not in self.courses:
            raise UnknownProduct(value=shown(product))
        return self.courses[product]

    def rivals(self, product: str) -> frozenset[str]:
        """Return the products of the same target: of these, one booking may be open."""
        if product not in self.courses:
            return frozenset((product,))
        target = self.courses[product].target
        return frozenset(code for code, course in self.courses.items() if course.target == target)

    def course_of(self, product: str) -> str:
        """Return what the product is a course of: its target, else the product itself."""
        course = self.courses.get(product)
        return product if course is None else course.target

    def is_of(self, product: str, vaccine: str) -> bool:
        """Tell whether a vaccine of the catalogue is the product booked.

        What no course names is booked by the catalogue's own code.
        """
        course = self.courses.get(product)
        return vaccine == (product if course is None else course.vaccine)

    def is_in_area(self, division: str) -> bool:
        """Tell whether a division lies in the area of the rules."""
        return division.startswith(self.area_divisions)

    def rank(self, objection: Objection) -> int:
        """Return the place of a reason against a booking in the order of telling."""
        return self.precedence.index(objection.reason)

    def finding(self, objection: Objection) -> Finding:
        """Put an objection into words; its code is the reason's."""
        rule = self.reasons[objection.sentence or objection.reason]
        told = rule.finding(objection.facts, number=objection.rule)
        return Finding(told.rule, objection.reason, told.sentence)


@cache
def _load(name: str) -> BookingRules:
    return BookingRules.read(load_edition(f"{name}.booking.json"))


def _read_course(product: str, node: Node) -> Course:
    found = node.members(
        ("zh", "en", "vaccine", "target", "rule", "doses", "min_days", "recommended_from_dose1")
    )
    doses, min_days = found["doses"].integer(least=1), found["min_days"].integer()
    if doses > 1 and min_days == 0:
        raise InvalidRuleFile(reason="doses without an interval").at(found["min_days"].pointer)
    terms: dict[int, Term] = {}
    for number, term in found["recommended_from_dose1"].entries().items():
        if number not in {str(n) for n in range(2, doses + 1)}:
            raise InvalidRuleFile(reason="a wish for no dose").at(term.pointer)
        terms[int(number)] = _read_term(term)
    return Course(
        product=product,
        name=Wording(found["zh"].text(), found["en"].text()),
        vaccine=found["vaccine"].text(),
        target=found["target"].text(),
        rule=found["rule"].text(),
        doses=doses,
        min_days=min_days,
        recommended=terms,
    )


def _read_term(node: Node) -> Term:
    found = node.members((), ("days", "months"))
    if len(found) != 1:
        raise InvalidRuleFile(reason="a term in days or in months").at(node.pointer)
    counts = {unit: item.integer(least=1) for unit, item in found.items()}
    return Term(counts.get("days", 0), counts.get("months", 0))


def _read_contraindications(node: Node) -> dict[str, Contraindication]:
    kinds = {}
    for code, item in node.entries().items():
        found = item.members(("zh", "en", "defer"))
        name = Wording(found["zh"].text(), found["en"].text())
        kinds[code] = Contraindication(name, found["defer"].boolean())
    return kinds


def _read_names(node: Node) -> dict[str, Wording]:
    return {code: Wording.read(item) for code, item in node.entries().items()}


def _read_characters(node: Node) -> Characters:
    found = node.members(("from", "to", "what"))
    try:
        first, last = (int(found[end].text(), 16) for end in ("from", "to"))
    except ValueError:
        raise InvalidRuleFile(reason="no code point").at(node.pointer) from None
    if last < first:
        raise InvalidRuleFile(reason="a range that ends before it begins").at(node.pointer)
    return Characters(first, last)


def _read_precedence(node: Node) -> tuple[str, ...]:
    """Read the order: every reason against a booking once, the warning last."""
    order = node.texts()
    if sorted(order) != sorted(_BOOKING) or order[-1] != WARNING:
        raise InvalidRuleFile(reason="not every reason once, the warning last").at(node.pointer)
    return order


def _read_reasons(node: Node) -> dict[str, Rule]:
    found = node.members(PLACEHOLDERS)
    return {code: Rule.read(code, found[code], PLACEHOLDERS[code]) for code in PLACEHOLDERS}
