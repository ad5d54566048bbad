"""Around every request: an id, security headers, a count, a line in the log, and the last net."""

import logging
import re
import secrets
import time

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import known_method
from api.problems import REQUEST_ID, foreseen, unexpected
from api.refusals import Kind
from api.tracing import tell

UNKNOWN_ROUTE = "-"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Where an answer says nothing else."""
_CLIENT_ERROR, _TOO_MANY, _SERVER_ERROR = 400, 429, 500
_breaks_a_line = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search

log = structlog.get_logger("http")


class Measuring:
    """Pure ASGI middleware, around all else.

    Requests that went well or came too often are counted and logged at DEBUG, refused ones at INFO,
    failed ones at WARNING, a few of a kind each second: a line for each of a thousand would cost
    more than it tells.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[REQUEST_ID] = secrets.token_hex(8)
        exchange = _Exchange(scope, send)
        try:
            await self._answer(scope, receive, exchange)
        except ClientDisconnect:
            pass  # counted as 499
        except Exception as error:  # noqa: BLE001  the last net: nobody else answers
            response = unexpected(error, Request(scope))
            if exchange.status == 0:
                await response(scope, receive, exchange.send)
        finally:
            exchange.finish()

    async def _answer(self, scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
        """Pass the request on; what is refused for a reason is answered with it."""
        try:
            await self._app(scope, receive, exchange.send)
        except Exception as error:
            response = foreseen(error, Request(scope))
            if response is None or exchange.status:
                raise
            await response(scope, receive, exchange.send)


class _Exchange:
    """One request and what became of it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.status = 0
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()

    async def send(self, message: Message) -> None:
        """Pass a message on, with our headers on the first."""
        if message["type"] == "http.response.start":
            headers = message["headers"]
            # The server would refuse it too, but only once the answer has begun: nobody gets one.
            if _breaks_a_line(b"".join([value for _, value in headers])):
                raise ValueError("a header of the answer holds a control character")
            self.status = message["status"]
            said = {name for name, _ in headers}
            message["headers"] = [
                *headers,
                (b"x-request-id", self._scope[REQUEST_ID].encode()),
                *[ours for ours in _HEADERS if ours[0] not in said],
            ]
        await self._send(message)

    def finish(self) -> None:
        """Count, and say; an answer that never came counts as 499."""
        seconds = time.perf_counter() - self._started
        route = getattr(self._scope.get("route"), "path", UNKNOWN_ROUTE)
        status = self.status or 499
        method = known_method(self._scope["method"])
        serving = self._scope["app"].state.serving
        serving.metrics.count(method, route, status, seconds)
        tell(self._scope, f"{method} {route}", seconds, status)
        kind = Kind(method, route, status)
        facts = {"request_id": self._scope[REQUEST_ID], "seconds": round(seconds, 6)}
        if status < _CLIENT_ERROR or status == _TOO_MANY:
            log.debug("request", **kind._asdict(), **facts)
        else:
            level = logging.WARNING if status >= _SERVER_ERROR else logging.INFO
            serving.refusals.say(level, kind, **facts)
