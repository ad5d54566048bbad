"""The feed as an operator sees it, and the schemas of what it carries."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.errors import AddressUnknown
from api.parts import serving_of
from client.credentials import name_of
from client.feed_status import SubscriberStatus
from client.schemas import entry_schema
from commands.permissions import Scope, check_read

_HOUR = {"Cache-Control": "public, max-age=3600"}
_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter(tags=["feed"])


@router.get("/v1/feed/status", operation_id="getFeedStatus")
async def feed_status(request: Request, caller: Caller) -> Response:
    """How far the feed and each of its subscribers are, and what is wrong; for the operator."""
    check_read(caller, "feed", Scope(""))
    serving = serving_of(request)
    status = await serving.feed.current()
    body: dict[str, Any] = {"answers": status is not None, "published": serving.published.reached}
    if status is not None:
        body |= asdict(status) | {"subscribers": [_subscriber(one) for one in status.subscribers]}
    return json_response(body, headers=_NO_STORE)


@router.get("/schemas/{topic}.json", operation_id="getSchema")
async def schema(topic: str) -> Response:
    """The JSON Schema of a topic's entries: what `dataschema` of its messages names."""
    found = entry_schema(topic)
    if found is None:
        raise AddressUnknown
    return json_response(found, headers=_HOUR)


def _subscriber(one: SubscriberStatus) -> dict[str, Any]:
    name = name_of(one.durable.name) or one.durable.name
    return asdict(one.durable) | {"name": name, "parked": one.parked}
