"""At the site, before the dose: the right person and place, the hour, the papers (A-16, A-20)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.booking.objection import Objection
from domain.booking.slot import Slot, judge_arrival


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the staff see when the code is scanned.

    Attributes:
        slot: The booked slot; None, as for the moment, where only the papers are asked about.
        arrived: Civil (naive) moment of the scan.
        has_id_card: Whether the recipient's own identity card was shown.
        has_signed_consent: Whether the consent form was signed.
        is_right_site: Whether the code was made for this site.
        is_right_person: Whether it was made for this person.
    """

    slot: Slot | None
    arrived: datetime | None
    has_id_card: bool
    has_signed_consent: bool
    is_right_site: bool = True
    is_right_person: bool = True


def judge_visit(arrival: Arrival) -> Iterator[Objection]:
    """Yield what keeps the dose from being given, in the order in which staff come upon it."""
    if not arrival.is_right_site:
        yield Objection("wrong_site")
    if not arrival.is_right_person:
        yield Objection("other_person")
    if arrival.slot is not None and arrival.arrived is not None:
        yield from judge_arrival(arrival.slot, arrival.arrived)
    if not arrival.has_id_card:
        yield Objection("id_card_missing")
    if not arrival.has_signed_consent:
        yield Objection("consent_missing")
