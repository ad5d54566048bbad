"""Sites and free seats: what anyone may look at before they book (A-2, A-10, A-22; X-9)."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.parameters import AtLeast, EffectiveOn, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.reads import NO_STORE
from domain.calendar import SHANGHAI
from projections.bookings import OfferRow

COUNTY_DIGITS = 6
MAX_DAYS = 60
MAX_SLOTS = 1000
_ALTERNATIVES = 5
_AHEAD = timedelta(days=30)

_Division = Annotated[str, Query(pattern="^[0-9]{6}([0-9]{3})?$")]

router = APIRouter(prefix="/v1", tags=["bookings"])


@router.get("/offers", operation_id="listOffers", response_class=Response)
async def list_offers(
    request: Request,
    product: Annotated[str, Query(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")],
    division: Annotated[
        list[_Division],
        Query(
            min_length=1,
            max_length=4,
            description="Where the person is registered and lives: their counties are searched, "
            "and the sites nearest to these divisions come first.",
        ),
    ],
    first_day: EffectiveOn = None,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 14,
    at_least: AtLeast = 0,
) -> Response:
    """Sites with their time slots and free seats for a product; an empty list where there is none.

    A courtesy: what is free is decided when a seat is held.

    It takes no `known_at`: seats are capacity now.
    """
    first = day_or_today(request, first_day)
    await wait_for_views(request, at_least)
    serving = serving_of(request)
    last = first + timedelta(days=days - 1)
    sites = await to_thread.run_sync(sites_of, serving, product, division, (first, last))
    body = {"product": product, "first_day": first, "last_day": last, "sites": sites}
    return json_response(body, headers=NO_STORE)


def alternatives(
    serving: Serving, product: str, divisions: Collection[str], first: date
) -> list[dict[str, Any]]:
    """The next free slots in the counties of some divisions, the earliest first."""
    rows = _to_come(serving, product, divisions, (first, first + _AHEAD))
    free = [row for row in rows if row.free][:_ALTERNATIVES]
    names = organisation_names(serving.views, [row.site for row in free])
    return [{"site": str(row.site), "site_name": names[row.site], **offered(row)} for row in free]


def counties(divisions: Collection[str]) -> list[str]:
    """The counties of divisions, each once."""
    return list(dict.fromkeys(division[:COUNTY_DIGITS] for division in divisions))


def offered(row: OfferRow) -> dict[str, Any]:
    """A time slot as a citizen sees it."""
    return {
        "supply": str(row.supply),
        "slot": row.slot,
        "day": row.day.isoformat(),
        "starts": row.starts,
        "ends": row.ends,
        "free": row.free,
    }


def sites_of(
    serving: Serving, product: str, divisions: Sequence[str], days: tuple[date, date]
) -> list[dict[str, Any]]:
    """Sites of the counties of some divisions with their time slots, the nearest first."""
    rows = _to_come(serving, product, divisions, days)
    of_site: dict[UUID, list[OfferRow]] = {}
    for row in rows:
        of_site.setdefault(row.site, []).append(row)
    names = organisation_names(serving.views, list(of_site))
    sites = [
        {
            "site": site,
            "name": names[site],
            "division": slots[0].division,
            "slots": [offered(row) for row in slots],
        }
        for site, slots in of_site.items()
    ]
    return sorted(sites, key=lambda site: (-_shared(site["division"], divisions), site["name"]))


def _to_come(
    serving: Serving, product: str, divisions: Collection[str], days: tuple[date, date]
) -> list[OfferRow]:
    """The time slots whose hours are not over yet."""
    rows = serving.views.bookings.offers(product, counties(divisions), *days, MAX_SLOTS)
    now = serving.parts.services.clock().astimezone(SHANGHAI)
    return [row for row in rows if (row.day, row.ends) >= (now.date(), f"{now:%H:%M}")]


def _shared(division: str, divisions: Sequence[str]) -> int:
    """How many leading digits a division shares with the nearest of others."""
    return max(_common(division, other) for other in divisions)


def _common(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(other))
