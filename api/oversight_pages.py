"""What a regulator looks at beside one record: who got a lot, an organisation's keys, alarms."""

from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.clocks import AsOf
from api.errors import AddressUnknown
from api.frame import page, page_router
from api.health import readiness
from api.lots import recalled
from api.parts import serving_of
from api.session import Reader
from api.wording import roll_of
from commands.permissions import Scope, check_read
from projections.lots import Lot

MAX_ROWS = 100
Printed = Annotated[str, Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]

router = page_router()


@router.get("/recall")
async def recall(
    request: Request,
    caller: Reader,
    maker: Printed = "",
    lot: Printed = "",
    *,
    after: UUID | None = None,
    as_of: AsOf,
) -> Response:
    """Who got a lot, in the reader's divisions, and whom to call."""
    check_read(caller, "lot", Scope(caller.division, acting=caller.organisation))
    lines: list[dict[str, Any]] = []
    following = None
    if maker and lot:
        asked = Lot(maker, lot)
        rows, lines = await recalled(request, caller, asked, as_of, after=after, limit=MAX_ROWS)
        following = rows[-1].dose if len(rows) == MAX_ROWS else None
    values: dict[str, Any] = {"maker": maker, "lot": lot, "following": following}
    values["lines"] = [line | {"roll_name": roll_of(line["roll"])} for line in lines]
    return page(request, "recall.html", caller=caller, **values)


@router.get("/key-history")
async def key_history(
    request: Request, caller: Reader, organisation: UUID | None = None
) -> Response:
    """The keys that an organisation signed with, each with the positions at which it was valid."""
    check_read(caller, "signatures", Scope(caller.division))
    organisations = serving_of(request).views.organisations
    found, keys = None, []
    if organisation is not None:
        found = await to_thread.run_sync(organisations.get, organisation)
        if found is None:
            raise AddressUnknown
        check_read(caller, "signatures", Scope(found.division))
        keys = await to_thread.run_sync(organisations.keys, organisation)
    others = await to_thread.run_sync(organisations.within, caller.division)
    values: dict[str, Any] = {"found": found, "keys": keys, "organisations": others}
    return page(request, "key-history.html", caller=caller, **values)


@router.get("/alarms")
async def alarms(request: Request, caller: Reader) -> Response:
    """What says that the log, a witness or the feed is not as it must be."""
    check_read(caller, "signatures", Scope(caller.division))
    serving = serving_of(request)
    checks = (await readiness(serving))["checks"]
    feed = await serving.feed.current()
    witnesses = checks["witnesses"].get("witnesses", [])
    values: dict[str, Any] = {"checks": checks, "feed": feed, "witnesses": witnesses}
    return page(request, "alarms.html", caller=caller, **values)
