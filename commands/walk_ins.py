"""People who come to a site without a booking: the site books for them on the spot (A-2).

A walk-in takes a seat of the slot like everybody else, by the same rules and claims, so a slot's
capacity counts them. The platform signs; whose account it was is sealed with the entry. The two
scans follow as for any booking: the dose is given after the first, and redeemed by the second.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from commands.answering import Written
from commands.applicants import find_person
from commands.bookings import Bookings
from commands.citizens import number_of
from commands.permissions import Scope, check_write
from commands.principal import Principal, VerifiedIdentity
from commands.reading import Reading
from commands.services import Services
from domain.appointment import Appointment
from domain.appointment_values import Channel
from domain.errors import DomainError
from domain.topics import BOOKED_FOR, BOOKER


class NotOfToday(DomainError):
    """A walk-in takes a seat of today."""

    code = "not-of-today"
    zh = "现场登记仅限当天的号源。"


class WalkIns:
    """Bookings that a site makes for whoever stands at its door.

    Args:
        services: The running parts.
        bookings: Holds and confirms.
    """

    def __init__(self, services: Services, bookings: Bookings) -> None:
        self._services = services
        self._bookings = bookings

    def take(self, caller: Principal, key: UUID, request: Mapping[str, Any]) -> Written:
        """Hold a seat of today and confirm it at once.

        Args:
            caller: Staff of the site, who have the identity card before them.
            key: Idempotency key.
            request: `supply`, `slot`, `dose_number` and `person`: `name` and `id_number` of the
                card, `phone` where there is one, then as for a booking for oneself.

        Raises:
            Forbidden, NotFound: not of this site; no such supply.
            NotOfToday: the seats are of another day.
            BookingRefused: by the rules, with every reason.
            DomainError: values that are malformed.
        """
        supply = self._bookings.supply(UUID(request["supply"]))
        scope = Scope(supply.division, acting=caller.organisation, managing=supply.site)
        check_write(caller, Appointment.Held.TOPIC, scope)
        if supply.on != self._reading().today:
            raise NotOfToday(day=supply.on.isoformat())
        person = {**request["person"], "entered_by": caller.subject}
        present = replace(caller, identity=_shown(person))
        wish = {**request, "channel": Channel.WALK_IN.value, "person": person}
        held = self._bookings.hold(present, key, wish)
        # Died before this: the hold runs out, or the same request confirms it.
        confirmed = self._bookings.confirm(present, uuid5(key, "confirmation"), held.stream)
        return replace(confirmed, remarks=held.remarks)

    def record(self, person: Mapping[str, Any]) -> UUID | None:
        """The vaccination record of whoever the card names: the rules will read it.

        Raises:
            InvalidIdNumber: it is no identity number.
            Restricted, Erased: the record may not be processed.
        """
        number = number_of(_shown(person))
        found = find_person(self._reading(), number, (BOOKED_FOR, BOOKER)).record
        return None if found is None else found.id

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock())


def _shown(person: Mapping[str, Any]) -> VerifiedIdentity:
    """Who somebody is by the identity card shown: real-name, and not by face (A-3)."""
    return VerifiedIdentity(
        person["name"], person["id_number"], person.get("phone"), face_verified=False
    )
