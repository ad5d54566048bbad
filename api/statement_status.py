"""Whether a check statement still stands, for whoever holds the paper: nothing of the child."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.clocks import AsOf, Clocks, clocks_of, reading_as_of
from api.errors import AddressUnknown
from api.frame import page, page_router
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.reads import NO_STORE
from commands.errors import Erased, NotFound, Restricted
from commands.reading import Reading
from commands.statements import corrected_by
from commands.states import check_readable
from domain.check_statement import CheckStatement

router = APIRouter(prefix="/v1", tags=["school checks"])
pages = page_router()


@router.get("/check-statements/{statement}/status", operation_id="getStatementStatus")
async def statement_status(request: Request, statement: UUID, as_of: AsOf) -> Response:
    """`valid`, `corrected` or `superseded`, who issued it and when.

    `corrected`: the record was corrected since and reads otherwise. It is asked with the number on
    the paper. Nobody is named: the number, which is random, is all that whoever asks must have.
    """
    found = await to_thread.run_sync(_status, serving_of(request), statement, as_of)
    return json_response(found, headers=NO_STORE)


@pages.get("/statement/{statement}")
async def statement_page(request: Request, statement: UUID) -> Response:
    """The same as a page; its address stands at the foot of the paper."""
    as_of = await clocks_of(request, None, None)
    found = await to_thread.run_sync(_status, serving_of(request), statement, as_of)
    return page(request, "statement.html", found=found)


def _status(serving: Serving, statement: UUID, as_of: Clocks) -> Mapping[str, Any]:
    reading = reading_as_of(serving, as_of)
    try:
        found = reading.stored(CheckStatement, statement)
        check_readable(serving.parts.reader, found.record)
        status = _standing(reading, found)
    except (NotFound, Restricted, Erased) as error:
        raise AddressUnknown from error  # whether it is there is not told either
    return {
        "statement": statement,
        "status": status,
        "checked_on": found.checked_on,
        "clinic": organisation_names(serving.views, [found.clinic])[found.clinic],
    }


def _standing(reading: Reading, found: CheckStatement) -> str:
    if found.superseded_by is not None:
        return "superseded"
    return "corrected" if corrected_by(reading, found) else "valid"
