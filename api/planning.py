"""The way to a handler, planned once at start instead of found out at each request.

The framework looks through the tree of a handler's parameters anew for each request, and sends
each answer through seven layers: a certificate's view took 238 us of CPU from the server's call to
its handler and back, `GET /livez` 52; planned they take 53 and 18. What the framework
made of the signatures stays its own: the fields that validate, and the description.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.params import Param
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_Values = dict[str, Any]
_NOT_PLANNED = (
    "header_params",
    "cookie_params",
    "body_params",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)
"""What else the framework gives a handler; ours take it from the request, with bounds."""


def planned(route: APIRoute) -> ASGIApp:
    """Plan what a request to a route goes through: its parameters, its handler, its answer.

    What is wrong is raised, and answered further out.

    Raises:
        TypeError: The handler, or what it depends on, asks for what no plan gives.
    """
    plan = _Plan(route.dependant)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked = _Asked(Request(scope, receive, send))
        response = await plan.answer(asked)
        await response(scope, receive, send)

    async def answer_within(scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            asked = _Asked(Request(scope, receive, send), stack)
            response = await plan.answer(asked)
            await response(scope, receive, send)

    return answer_within if plan.is_entered else answer


@dataclass(slots=True)
class _Asked:
    """A request on the way to its handler.

    Attributes:
        request: What is asked.
        stack: What lasts until the answer was sent; None where nothing does.
        found: The value of each function that was called.
        problems: What is wrong with its parameters, as the framework would say it.
    """

    request: Request
    stack: AsyncExitStack | None = None
    found: dict[Callable[..., Any], Any] = field(default_factory=dict)
    problems: list[Mapping[str, Any]] = field(default_factory=list)


class _Plan:
    """How a function gets its arguments from a request, and those of what it depends on.

    In the framework's order: first what it depends on, each called once and only if its own
    arguments are good, then the path, then the query.

    Args:
        dependant: What the framework found in its signature.

    Attributes:
        name: Under which its value is given on; None where nobody takes it.
        call: The function. One that is no coroutine is called in the event loop.
        is_entered: Whether it, or what it depends on, lasts until the answer was sent.
    """

    def __init__(self, dependant: Dependant) -> None:
        call = dependant.call
        assert call is not None, "there is one for each signature"
        if not dependant.use_cache or any(getattr(dependant, one) for one in _NOT_PLANNED):
            raise TypeError(f"{call} asks for more than path, query and request")
        self.name = dependant.name
        self.call = call
        self._first = [_Plan(one) for one in dependant.dependencies]
        self._path = [_Parameter(one) for one in dependant.path_params]
        self._query = [_Parameter(one) for one in dependant.query_params]
        self._request = dependant.request_param_name
        self._is_awaited = iscoroutinefunction(call)
        self._enter = asynccontextmanager(call) if isasyncgenfunction(call) else None
        self.is_entered: bool = self._enter is not None or any(
            one.is_entered for one in self._first
        )

    async def answer(self, asked: _Asked) -> Response:
        """Call it as a handler.

        Raises:
            RequestValidationError: Parameters are missing or not as they must be.
            Exception: Whatever it raises, or what it depends on.
        """
        values = await self._values(asked)
        if asked.problems:
            raise RequestValidationError(asked.problems)
        response: Response = await self.call(**values)
        return response

    async def find(self, asked: _Asked) -> bool:
        """Call it as what others depend on; return whether its arguments were good."""
        before = len(asked.problems)
        values = await self._values(asked)
        if len(asked.problems) > before:
            return False
        if self._enter is not None:
            assert asked.stack is not None, "there is one wherever something is entered"
            value = await asked.stack.enter_async_context(self._enter(**values))
        else:
            value = self.call(**values)
            if self._is_awaited:
                value = await value
        asked.found[self.call] = value
        return True

    async def _values(self, asked: _Asked) -> _Values:
        values: _Values = {}
        for one in self._first:
            if (one.call in asked.found or await one.find(asked)) and one.name is not None:
                values[one.name] = asked.found[one.call]
        request = asked.request
        for parameter in self._path:
            parameter.read(request.path_params, values, asked.problems)
        for parameter in self._query:
            parameter.read(request.query_params, values, asked.problems)
        if self._request is not None:
            values[self._request] = request
        return values


class _Parameter:
    """A part of the path, or a value of the query, as the framework would validate it.

    Args:
        field: What the framework made of the annotation.
    """

    def __init__(self, field: Any) -> None:
        info = field.field_info
        assert isinstance(info, Param), "whatever is in a path or a query is one"
        self._name = field.name
        self._key = field.validation_alias or field.alias
        self._place = (info.in_.value, self._key)
        self._is_list = get_origin(info.annotation) is list
        self._is_required = info.is_required()
        self._default = field.default
        self._validate = field.validate

    def read(self, given: Any, values: _Values, problems: list[Mapping[str, Any]]) -> None:
        """Add its value to those of a call, or what is wrong with it to the problems.

        Args:
            given: The parts of the path, or the query, by name.
            values: The arguments found so far.
            problems: What was wrong so far.
        """
        found = (given.getlist(self._key) or None) if self._is_list else given.get(self._key)
        if found is not None:
            value, wrong = self._validate(found, {}, loc=self._place)
            if wrong:
                problems.extend(wrong)
            else:
                values[self._name] = value
        elif self._is_required:
            problems.append({"type": "missing", "loc": self._place})
        else:
            values[self._name] = self._default
