"""A planned way gives a handler what the framework would give it, and refuses what that refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import pytest
from fastapi import APIRouter, Body, Depends, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.planning import planned

Happened = list[Any]
RECORD = "01890a5d-ac96-774b-bcce-b302099a8057"


def _caller(request: Request) -> str:
    request.scope["happened"].append("caller")
    if "stranger" in request.query_params:
        raise HTTPException(401)
    return "somebody"


async def _clocks(
    request: Request,
    day: Annotated[str | None, Query(pattern="^[0-9]{2}$")] = None,
    at_least: Annotated[int, Query(ge=0, le=9)] = 0,
) -> tuple[str | None, int]:
    request.scope["happened"].append("clocks")
    return day, at_least


async def _bounded(
    request: Request, caller: Annotated[str, Depends(_caller)]
) -> AsyncIterator[None]:
    request.scope["happened"].append(f"enter {caller}")
    try:
        yield
    except ValueError:
        request.scope["happened"].append("counted")
        raise
    finally:
        request.scope["happened"].append("leave")


async def _endpoint(  # noqa: PLR0917 - a parameter each
    request: Request,
    caller: Annotated[str, Depends(_caller)],
    record: UUID,
    clocks: Annotated[tuple[str | None, int], Depends(_clocks)],
    kind: Annotated[Literal["a", "b"], Query()],
    reasons: Annotated[list[Annotated[str, Query(max_length=3)]], Query(max_length=2)],
    limit: Annotated[int, Query(ge=1)] = 200,
) -> Response:
    request.scope["happened"].append((caller, record, clocks, kind, reasons, limit))
    if limit == 7:
        raise ValueError
    return Response(b"well")


def _route(endpoint: Callable[..., Any], *dependencies: Any) -> APIRoute:
    router = APIRouter(dependencies=dependencies)
    router.add_api_route("/{record}", endpoint, response_class=Response)
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    return route


ROUTE = _route(_endpoint, Depends(_bounded))
THEIRS, OURS = ROUTE.app, planned(ROUTE)


def _asked(app: ASGIApp, record: str, query: str) -> tuple[Happened, Any]:
    """Return what happened on the way, and what came of it."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": f"/{record}",
        "query_string": query.encode(),
        "headers": [],
        "happened": [],
    }
    match, found = ROUTE.matches(scope)
    assert match is Match.FULL
    scope |= found
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    try:
        asyncio.run(_serve(app, scope, _nothing_more, send))
    except RequestValidationError as error:
        return scope["happened"], [(one["type"], one["loc"]) for one in error.errors()]
    except (HTTPException, ValueError) as error:
        return scope["happened"], repr(error)
    return scope["happened"], sent


async def _serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async with AsyncExitStack() as stack:
        scope["fastapi_middleware_astack"] = stack  # the framework asks for it
        await app(scope, receive, send)


async def _nothing_more() -> Any:
    return {"type": "http.request"}


VALUES = st.sampled_from(("", "0", "7", "9", "12", "-1", "a", "b", "long", "nine", "\N{SNOWMAN}"))
NAMES = st.sampled_from(("kind", "reasons", "limit", "day", "at_least", "stranger", "other"))
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=7)


@given(st.sampled_from((RECORD, "no-uuid")), QUERIES, st.booleans())
def test_what_is_planned_happens_as_the_framework_would_do_it(record, pairs, is_well):
    if is_well:
        pairs = [*pairs, ("kind", "a"), ("reasons", "one")]
    query = urlencode(pairs)
    assert _asked(OURS, record, query) == _asked(THEIRS, record, query)


def test_a_good_request_is_answered_between_the_two_ends_of_what_bounds_it():
    happened, sent = _asked(OURS, RECORD, "kind=b&reasons=x&reasons=y&day=12&limit=3")
    arguments = ("somebody", UUID(RECORD), ("12", 0), "b", ["x", "y"], 3)
    assert happened == ["caller", "enter somebody", "clocks", arguments, "leave"]
    assert sent == ["http.response.start", "http.response.body"]


def test_an_error_of_the_handler_passes_what_bounds_it():
    happened, raised = _asked(OURS, RECORD, "kind=b&reasons=x&limit=7")
    assert happened[-2:] == ["counted", "leave"]
    assert raised == "ValueError()"


async def _takes_a_header(token: Annotated[str, Header()]) -> Response:
    return Response(token)


async def _takes_a_body(found: Annotated[dict[str, str], Body()]) -> Response:
    return Response(str(found))


async def _sets_headers(response: Response) -> Response:
    return response


@pytest.mark.parametrize("endpoint", [_takes_a_header, _takes_a_body, _sets_headers])
def test_what_a_plan_does_not_give_is_refused_at_the_start(endpoint):
    with pytest.raises(TypeError, match=endpoint.__name__):
        planned(_route(endpoint))
