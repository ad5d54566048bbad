"""What a citizen states in a wish for an appointment: checked before anything is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.citizens import Asked, number_of
from commands.errors import Forbidden
from commands.principal import Principal, Role, VerifiedIdentity
from commands.records import id_number
from domain.appointment import Appointment
from domain.appointment_values import Channel
from domain.booking.address import judge_address, judge_proxy
from domain.booking.eligibility import judge_channel
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.booking.rules import BookingRules
from domain.topics import BOOKED_FOR, check_private

_CITIZENS = (Role.ADULT, Role.GUARDIAN)
_FOR_CITIZENS = {Channel.INDIVIDUAL, Channel.PROXY}


@dataclass(frozen=True, slots=True)
class Stated:
    """A wish as it was stated.

    Attributes:
        channel: For oneself or for another person.
        values: Of the person whom the dose is for, as they will be sealed.
        typed: The same, typed.
        number: Of that person, normalised.
        own: Values of the citizen who asks.
        own_number: Of the citizen, normalised; the same, except by proxy.
    """

    channel: Channel
    values: Mapping[str, Any]
    typed: Mapping[str, Any]
    number: str
    own: Mapping[str, Any]
    own_number: str

    @property
    def numbers(self) -> set[str]:
        """The numbers of everyone whom the wish is about."""
        return {self.number, self.own_number}


def stated_in(rules: BookingRules, asked: Asked) -> Stated:
    """Take what a wish states.

    Raises:
        BookingRefused: by its form (A-1, A-18, A-19), or nobody vouches for the citizen (A-3).
        Forbidden: not a citizen.
        DomainError: values that are malformed.
    """
    identity = _identity(rules, asked.caller)
    person = asked.request["person"]
    _check_form(rules, asked.caller, asked.request["channel"], person)
    channel = Channel(asked.request["channel"])
    own = _own_values(identity)
    values = person if channel is Channel.PROXY else {**own, **person}
    typed = check_private(Appointment.Held.TOPIC, BOOKED_FOR, values)
    return Stated(channel, values, typed, id_number(typed) or "", own, number_of(identity))


def citizen_number(rules: BookingRules, caller: Principal) -> str:
    """The normalised number of a citizen.

    Raises:
        BookingRefused: nobody vouches for who the citizen is (A-3).
        Forbidden: not a citizen.
    """
    return number_of(_identity(rules, caller))


def _check_form(
    rules: BookingRules, caller: Principal, channel: str, stated: Mapping[str, Any]
) -> None:
    """Refuse what is missing or misspelt before anything is made of it (A-1, A-18, A-19)."""
    open_here = _FOR_CITIZENS if caller.role in _CITIZENS else {Channel.WALK_IN}
    objections: list[Objection] = [*judge_channel(channel, rules.channels_here & open_here)]
    if channel == Channel.PROXY:
        fields = {name: stated.get(name, "") for name in rules.proxy_fields}
        fields["residence"] = stated.get("residence_division", "")
        objections += judge_proxy(fields, rules.proxy_fields, rules.address_characters)
    else:
        objections += judge_address(stated.get("detail_address", ""), rules.address_characters)
    if objections:
        raise BookingRefused.by(rules, *sorted(objections, key=rules.rank))


def _identity(rules: BookingRules, caller: Principal) -> VerifiedIdentity:
    if caller.identity is not None:
        return caller.identity
    if caller.role in _CITIZENS:
        raise BookingRefused.by(rules, Objection("not_real_name"))
    raise Forbidden(what="booking", role=str(caller.role))


def _own_values(identity: VerifiedIdentity) -> dict[str, Any]:
    values = {"name": identity.name, "id_number": identity.id_number, "phone": identity.phone}
    return {name: value for name, value in values.items() if value is not None}
