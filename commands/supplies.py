"""Writes of sites and counties about the supply of seats (号源)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from uuid import UUID

from commands.permissions import Scope
from commands.seats import Seats, seat_claim
from commands.writing import Decision, Handler, Writing
from domain.slot_supply import SlotSupply
from ledger.store.append import Claim

SUPPLY = "slot-supply"


def supply_claim(site: UUID, on: date, product: str, stream: UUID) -> Claim:
    """There is one supply for a site, day and product."""
    return Claim(SUPPLY, f"{site} {on} {product}".encode(), stream)


def open_supply(writing: Writing) -> Decision:
    """Open the seats of a day."""
    writing.check_new()
    fields = writing.fields
    site = writing.services.directory.organisation(fields["site"])
    _permit(writing, site.division, site.id)
    sealing, _ = writing.seal({})
    supply = SlotSupply.open(
        writing.statement.stream,
        clinic=site,
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    claim = supply_claim(site.id, supply.on, supply.product, supply.id)
    return Decision(supply, sealing, claims=(claim,))


def raise_capacity(writing: Writing) -> Decision:
    """Let more people come; withdrawn seats are given back."""
    supply = _supply(writing)
    slot = writing.fields["slot"]
    withdrawn = supply.slot(slot).withdrawn
    decision = writing.carry_out(supply, supply.raise_capacity)
    again = withdrawn - supply.slot(slot).withdrawn
    claims = [seat_claim(supply.id, slot, seat, supply.id, release=True) for seat in sorted(again)]
    return replace(decision, claims=tuple(claims))


def lower_capacity(writing: Writing) -> Decision:
    """Let fewer people come: the supply takes free seats for itself, so that nobody else can."""
    supply = _supply(writing)
    slot = writing.fields["slot"]
    withdrawn = supply.slot(slot).withdrawn
    free = Seats(writing.services).free(supply, slot)
    decision = writing.carry_out(supply, partial(supply.lower_capacity, free=free))
    taken = supply.slot(slot).withdrawn - withdrawn
    claims = [seat_claim(supply.id, slot, seat, supply.id) for seat in sorted(taken)]
    return replace(decision, claims=tuple(claims))


def close(writing: Writing) -> Decision:
    """Take no further bookings of a slot."""
    supply = _supply(writing)
    return writing.carry_out(supply, supply.close)


def move_slot(writing: Writing) -> Decision:
    """Give a slot other hours of the day."""
    supply = _supply(writing)
    return writing.carry_out(supply, supply.move_slot)


def _supply(writing: Writing) -> SlotSupply:
    supply = writing.target(SlotSupply)
    _permit(writing, supply.division, supply.site)
    return supply


def _permit(writing: Writing, division: str, site: UUID) -> None:
    """These statements name no acting organisation: the author acts in the own name."""
    writing.permit(Scope(division, acting=writing.principal.organisation, managing=site))


HANDLERS: Mapping[str, Handler] = {
    "slot-supply.opened.v1": open_supply,
    "slot-supply.raised.v1": raise_capacity,
    "slot-supply.lowered.v1": lower_capacity,
    "slot-supply.closed.v1": close,
    "slot-supply.slot-moved.v1": move_slot,
}
