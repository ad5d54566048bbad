"""Supplies of seats and appointments as they stand now: what is free, and who comes when (A-2)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from domain.booking.lifecycle import State
from projections.change import Change
from projections.connection import Cursor, Pool
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "bookings"
_SQL = named_queries("bookings.sql")

_OPENED = "slot-supply.opened.v1"
_HELD = "appointment.held.v1"
_CONFIRMED = "appointment.confirmed.v1"
_MOVED = "appointment.moved.v1"
_VERIFIED = "appointment.verified.v1"
_REDEEMED = "appointment.redeemed.v1"

_SLOT_COLUMNS = ("starts", "ends", "capacity", "is_closed", "version")
_COLUMNS = (
    *("supply", "slot", "site", "division", "day", "product", "dose_number", "channel", "person"),
    *("booker", "state", "has_seat", "held_until", "booking_number", "punctuality", "record"),
    *("dose", "visit", "version", "held_position"),
)
_STATES: Mapping[str, tuple[State, bool]] = {
    _HELD: (State.HELD, True),
    _CONFIRMED: (State.BOOKED, True),
    _MOVED: (State.BOOKED, True),
    "appointment.cancelled.v1": (State.CANCELLED, False),
    "appointment.called-off.v1": (State.CANCELLED, False),
    "appointment.expired.v1": (State.EXPIRED, False),
    "appointment.missed.v1": (State.NO_SHOW, True),
    _VERIFIED: (State.ARRIVED_SCANNED, True),
    _REDEEMED: (State.REDEEMED, True),
    "appointment.followed-up.v1": (State.REDEEMED, True),
}
"""The state that an event leads to, and whether the appointment then has its seat."""

_Row = dict[str, Any]


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Write each supply and appointment that the entries change, as it then stands."""
    supplies = [change for change in changes if change.entry.topic.startswith("slot-supply.")]
    if supplies:
        _apply_supplies(cursor, supplies)
    appointments = [change for change in changes if change.entry.topic in _STATES]
    if appointments:
        _apply_appointments(cursor, appointments)


def _apply_supplies(cursor: Cursor, changes: Sequence[Change]) -> None:
    keys = list({str(change.entry.stream) for change in changes})
    cursor.execute(_SQL["slots"], {"keys": keys})
    slots: dict[tuple[str, int], _Row] = {
        (supply, slot): dict(zip(_SLOT_COLUMNS, row, strict=True))
        for supply, slot, *row in cursor.fetchall()
    }
    opened = [change for change in changes if change.entry.topic == _OPENED]
    with cursor.copy(_SQL["copy_supplies"]) as rows:
        for position, entry in opened:
            data = entry.data
            rows.write_row(
                (
                    entry.stream,
                    data["site"],
                    data["division"],
                    data["on"],
                    data["product"],
                    position,
                )
            )
    for change in changes:
        _change_slots(slots, change)
    cursor.execute(_SQL["delete_slots"], {"keys": keys})
    with cursor.copy(_SQL["copy_slots"]) as rows:
        for (supply, slot), row in slots.items():
            rows.write_row((supply, slot, *(row[name] for name in _SLOT_COLUMNS)))


def _change_slots(slots: dict[tuple[str, int], _Row], change: Change) -> None:
    entry, data, supply = change.entry, change.entry.data, str(change.entry.stream)
    if entry.topic == _OPENED:
        for number, slot in enumerate(data["slots"], 1):
            slots[supply, number] = {**slot, "is_closed": False}
    else:
        row = slots[supply, data["slot"]]
        row |= {name: data[name] for name in ("capacity", "starts", "ends") if name in data}
        row["is_closed"] = row["is_closed"] or entry.topic == "slot-supply.closed.v1"
    for (owner, _), row in slots.items():
        if owner == supply:
            row["version"] = entry.version


def _apply_appointments(cursor: Cursor, changes: Sequence[Change]) -> None:
    keys = list({str(change.entry.stream) for change in changes})
    cursor.execute(_SQL["appointments"], {"keys": keys})
    known: dict[str, _Row] = {
        key: dict(zip(_COLUMNS, row, strict=True)) for key, *row in cursor.fetchall()
    }
    for change in changes:
        key = str(change.entry.stream)
        if change.entry.topic == _HELD:
            known[key] = {**dict.fromkeys(_COLUMNS), "held_position": change.position}
        known[key] |= _patch(change)
    cursor.execute(_SQL["delete_appointments"], {"keys": keys})
    with cursor.copy(_SQL["copy_appointments"]) as rows:
        for key, row in known.items():
            rows.write_row((key, *(row[name] for name in _COLUMNS)))


def _patch(change: Change) -> _Row:
    """What an entry says anew of its appointment."""
    entry, data = change.entry, change.entry.data
    state, has_seat = _STATES[entry.topic]
    patch: _Row = {"state": state.value, "has_seat": has_seat, "version": entry.version}
    patch |= {name: data[name] for name in _COLUMNS if name in data}
    if "on" in data:
        patch["day"] = data["on"]
    derived = data.get("derived", {})
    if entry.topic == _HELD:
        patch["held_until"] = entry.recorded_at + timedelta(minutes=derived["hold_minutes"])
        patch["record"] = derived.get("record")
    elif entry.topic == _CONFIRMED:
        patch["booking_number"] = derived["number"]
    elif entry.topic == _VERIFIED:
        patch["punctuality"] = derived["punctuality"]
    return patch


PROJECTION = Projection(
    NAME,
    ("slot-supply.", "appointment."),
    (
        Table("supplies", ("supply",)),
        Table("slots", ("supply", "slot")),
        Table("appointments", ("appointment",)),
    ),
    apply,
)


@dataclass(frozen=True)
class OfferRow:
    """A time slot of a supply, and how much of it is taken: confirmed, held or come.

    Attributes:
        version: Of the supply, for `If-Match`.
    """

    supply: UUID
    site: UUID
    division: str
    day: date
    product: str
    slot: int
    starts: str
    ends: str
    capacity: int
    is_closed: bool
    version: int
    taken: int

    @property
    def free(self) -> int:
        """How many seats can be booked."""
        return 0 if self.is_closed else self.capacity - self.taken


@dataclass(frozen=True)
class UseRow:
    """What a site opened for a product on a day, and what came of it, in seats.

    Attributes:
        came: Verified on arrival, redeemed or not.
        missed: Booked, and nobody came.
        free: Those that can be booked.
    """

    site: UUID
    day: date
    product: str
    capacity: int
    held: int
    booked: int
    came: int
    missed: int
    free: int


@dataclass(frozen=True)
class AppointmentRow:
    """An appointment as it stands; `starts` and `ends` are the slot's hours now."""

    appointment: UUID
    supply: UUID
    slot: int
    site: UUID
    division: str
    day: date
    product: str
    dose_number: int
    channel: str
    person: UUID
    booker: UUID
    state: str
    held_until: datetime
    booking_number: str | None
    punctuality: str | None
    record: UUID | None
    dose: UUID | None
    visit: UUID | None
    version: int
    held_position: int
    starts: str
    ends: str


class Bookings:
    """Questions about supplies and appointments.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def offers(
        self, product: str, divisions: Collection[str], first: date, last: date, limit: int
    ) -> list[OfferRow]:
        """Return the time slots for a product, full and closed ones too, the earliest first.

        Args:
            product: What is to be given.
            divisions: First digits of the divisions of the sites.
            first: First day.
            last: Last day, itself included.
            limit: How many at most.
        """
        asked = {
            "product": product,
            "divisions": [f"{division}%" for division in divisions],
            "first": first,
            "last": last,
            "limit": limit,
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(OfferRow))
            return cursor.execute(_SQL["offers"], asked).fetchall()

    def supply_of(self, site: UUID, day: date) -> list[OfferRow]:
        """Return the time slots of a site on a day."""
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(OfferRow))
            return cursor.execute(_SQL["supplies_of_site"], {"site": site, "day": day}).fetchall()

    def get(self, appointment: UUID) -> AppointmentRow | None:
        """Return one appointment."""
        rows = self._several("appointment", {"key": appointment})
        return rows[0] if rows else None

    def of_number(self, booking_number: str) -> AppointmentRow | None:
        """Return the appointment of a booking number."""
        rows = self._several("appointment_of_number", {"key": booking_number})
        return rows[0] if rows else None

    def day_of(self, site: UUID, day: date) -> list[AppointmentRow]:
        """Return who comes to a site on a day, or has come, by time slot."""
        return self._several("day_of_site", {"site": site, "day": day})

    def use(self, division: str, first: date, last: date) -> list[UseRow]:
        """Return supply and use of the sites of a division, both days included."""
        asked = {"division": f"{division}%", "first": first, "last": last}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(UseRow))
            return cursor.execute(_SQL["use"], asked).fetchall()

    def booked_in(self, supply: UUID, slot: int) -> list[UUID]:
        """Return the appointments that are booked in a time slot."""
        asked = {"supply": supply, "slot": slot}
        with self._pool.connection() as connection:
            return [key for (key,) in connection.execute(_SQL["booked_in"], asked).fetchall()]

    def over(self, now: datetime, today: date, limit: int) -> list[UUID]:
        """Return appointments whose hold has run out, or whose day is over and nobody came."""
        asked = {"now": now, "today": today, "limit": limit}
        with self._pool.connection() as connection:
            return [key for (key,) in connection.execute(_SQL["over"], asked).fetchall()]

    def _several(self, query: str, asked: Mapping[str, Any]) -> list[AppointmentRow]:
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(AppointmentRow))
            return cursor.execute(_SQL[query], asked).fetchall()
