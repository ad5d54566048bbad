"""Which routes a request can be meant for: found by how its address begins, not by asking all."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

_Beginning = tuple[str, ...]
_Fits = Callable[[str], object]


class Directory:
    """Asks only the routes whose addresses begin with the same two segments as the request's.

    The router itself asks some 190 routes one after the other: three quarters of what the answer
    to `GET /livez` cost (0.35 ms of CPU; 0.10 through here). And a route is asked only once its
    pattern fits, since it looks for more than that. Whatever no route takes as it is
    (another method, another slash, nothing there) is left to it.

    Args:
        router: With all its routes.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router.middleware_stack
        plain = {_beginning(route.path) for route in router.routes if isinstance(route, Route)}
        self._near: dict[_Beginning, Sequence[tuple[_Fits, Route]]] = {
            one: [
                (route.path_regex.match, route)
                for route in router.routes
                if isinstance(route, Route) and _may_begin(route.path, one)
            ]
            for one in plain
            if "{" not in "".join(one)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path = scope["path"]
            for fits, route in self._near.get(_beginning(path), ()):
                if not fits(path):
                    continue
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.app(scope, receive, send)  # its method is right
                    return
        await self._router(scope, receive, send)


def _beginning(path: str) -> _Beginning:
    return tuple(path.split("/", 3)[1:3])


def _may_begin(path: str, beginning: _Beginning) -> bool:
    own = _beginning(path)
    return len(own) == len(beginning) and all(
        "{" in mine or mine == other for mine, other in zip(own, beginning, strict=True)
    )
