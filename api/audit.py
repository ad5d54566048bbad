"""The audit of one record as a page: who did what to it, when, why, and the proof of each entry."""

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from api.frame import page, page_router
from api.session import Reader

router = page_router()


@router.get("/audit")
async def find(request: Request, caller: Reader, record: UUID | None = None) -> Response:
    """Ask which record."""
    return page(request, "audit-find.html", caller=caller, record=record)
