"""The operator's page: how far every worker, witness and subscriber is, and what is wrong."""

from contextlib import suppress
from datetime import datetime
from typing import Any

import nats.errors
import psycopg
from anyio import to_thread
from fastapi import Path, Request
from starlette.responses import Response

from api.errors import AddressUnknown, FeedUnavailable
from api.figures import Figures, figures
from api.frame import check_own_form, go_to, page, page_router
from api.health import readiness
from api.parts import Serving, serving_of
from api.session import Reader
from bootstrap.errors import SubscriberUnknownError
from bootstrap.subscribers import Subscribers
from client.credentials import name_of
from client.feed_status import FeedStatus
from commands.permissions import Scope, check_read
from ledger.errors import LedgerError

ADDRESS = "/operator"
_KEY_DAYS = 365
"""A key in use for longer is said to be due."""
_FULL = 0.9
_GIB = 1 << 30

router = page_router()


@router.get(ADDRESS)
async def operator(request: Request, caller: Reader) -> Response:
    """Show everything at once; what a database does not tell is said to be missing."""
    check_read(caller, "feed", Scope(""))
    serving = serving_of(request)
    ready = await readiness(serving)
    found: Figures | None = None
    with suppress(LedgerError, psycopg.OperationalError, OSError):  # the checks say which
        found = await to_thread.run_sync(figures, serving, abandon_on_cancel=True)
    status = await serving.feed.current()
    now: datetime = serving.parts.services.clock()
    return page(
        request,
        "operator.html",
        caller=caller,
        ready=ready,
        figures=found,
        keys=_keys(found, now),
        disk_is_full=found is not None and found.disk_free < (1 - _FULL) * found.disk_total,
        gib=_GIB,
        feed=status,
        behind=_feed_behind(status, found),
        subscribers=await _subscribers(serving, status),
        witnesses=ready["checks"]["witnesses"].get("witnesses", []),
        now=now,
    )


@router.post(f"{ADDRESS}/subscribers/{{name}}/retry")
async def retry(request: Request, caller: Reader, name: str = Path(max_length=32)) -> Response:
    """Send a subscriber again what it has not acknowledged, from its first parked message on."""
    check_own_form(request)
    check_read(caller, "feed", Scope(""))
    settings = serving_of(request).parts.settings
    if settings.nats_url is None:
        raise AddressUnknown
    try:
        await Subscribers.of(settings).retry(name)
    except (SubscriberUnknownError, ValueError) as error:
        raise AddressUnknown from error
    except (nats.errors.Error, OSError) as error:
        raise FeedUnavailable from error
    return go_to(ADDRESS)


def _keys(found: Figures | None, now: datetime) -> list[dict[str, Any]]:
    if found is None:
        return []
    ages = {key.name: (now - key.since).days for key in found.keys}
    return [{"name": name, "days": days, "due": days > _KEY_DAYS} for name, days in ages.items()]


def _feed_behind(status: FeedStatus | None, found: Figures | None) -> int | None:
    """How many published entries the feed lacks."""
    if status is None or found is None:
        return None
    return max(0, found.published - status.position)


async def _subscribers(serving: Serving, status: FeedStatus | None) -> list[dict[str, Any]]:
    if status is None:
        return []
    rates = await serving.feed.rates()
    return [
        {
            "name": name_of(one.durable.name),
            "shown": name_of(one.durable.name) or one.durable.name,
            "division": one.durable.division,
            "lag": one.durable.waiting + one.durable.unacknowledged,
            "rate": rates.get(one.durable.name),
            "redelivered": one.durable.redelivered,
            "parked": one.parked,
            "acknowledged_at": one.durable.acknowledged_at,
            "drift": one.durable.drift,
        }
        for one in status.subscribers
    ]
