"""Traces of writes, from HTTP to the feed, for an OpenTelemetry collector (OTLP over HTTP, JSON).

A write's trace, and its first span, are named by hashing the log's name and the position: so every
process knows them without being told, and all choose the same share of positions. A span carries
route, status and position, never anything of a person.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import structlog

from bootstrap.settings import Settings

MOST_WAITING = 10_000
"""Spans; while a collector is away, the newest are kept."""
_PERIOD_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_SILENCE_SECONDS = 60.0
_SERVER, _INTERNAL = 2, 1  # opentelemetry.proto.trace.v1.Span.SpanKind
_ERROR = 2  # Status.StatusCode
_SERVER_ERROR = 500
_caller = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}").fullmatch  # W3C Trace Context

_log = structlog.get_logger("traces")


class Tracer:
    """Sends spans from a thread of its own; whoever records one never waits.

    Args:
        url: Of the collector, `/v1/traces` below it.
        origin: Name of the log.
        service: Which process this is.
        share: Of the positions that are traced, 0 to 1.
    """

    def __init__(self, url: str, origin: str, service: str, share: float) -> None:
        self._url = f"{url}/v1/traces"
        self._origin = origin
        self._service = service
        self._below = int(share * 2**64)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self._lost, self._silent_until = 0, 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, settings: Settings, service: str) -> "Tracer | None":
        """The tracer of a process; None where nobody asked for traces."""
        if settings.traces_url is None:
            return None
        return cls(settings.traces_url, settings.origin, service, settings.traces_share)

    def chooses(self, position: int) -> bool:
        """Whether the write at a position is traced."""
        return int.from_bytes(self._hash("trace", position)[8:16]) < self._below

    def first(
        self, position: int, name: str, times: tuple[int, int], status: int, caller: str = ""
    ) -> None:
        """Record the first span of a write: its HTTP request.

        Args:
            position: Of the entry.
            name: The method and the route.
            times: Begin and end, nanoseconds since 1970.
            status: Of the answer.
            caller: Its `traceparent`, which is linked; empty for none.
        """
        found = _caller(caller)
        facts = {"http.response.status_code": status}
        more: dict[str, Any] = {"kind": _SERVER, "spanId": self._first(position)}
        if found is not None:
            more["links"] = [{"traceId": found[1], "spanId": found[2]}]
        if status >= _SERVER_ERROR:
            more["status"] = {"code": _ERROR}
        self._waiting.append(self._span(position, name, times, facts) | more)

    def step(self, position: int, name: str, times: tuple[int, int]) -> None:
        """Record a span below the first; arguments likewise."""
        more = {
            "kind": _INTERNAL,
            "spanId": self._hash(name, position)[16:24].hex(),
            "parentSpanId": self._first(position),
        }
        self._waiting.append(self._span(position, name, times, {}) | more)

    def close(self) -> None:
        """Send what waits, once, and end."""
        self._closing.set()
        self._thread.join(2 * _PATIENCE_SECONDS)

    def _span(
        self, position: int, name: str, times: tuple[int, int], facts: Mapping[str, int]
    ) -> dict[str, Any]:
        began, ended = times
        numbers = {"vaxledger.position": position, **facts}
        return {
            "traceId": self._hash("trace", position)[:16].hex(),
            "name": name,
            "startTimeUnixNano": str(began),
            "endTimeUnixNano": str(ended),
            "attributes": [
                {"key": key, "value": {"intValue": str(value)}} for key, value in numbers.items()
            ],
        }

    def _first(self, position: int) -> str:
        return self._hash("request", position)[16:24].hex()

    def _hash(self, what: str, position: int) -> bytes:
        return sha256(f"{what}\n{self._origin}\n{position}".encode()).digest()

    def _run(self) -> None:
        while not self._closing.wait(_PERIOD_SECONDS):
            self._send()
        self._send()

    def _send(self) -> None:
        spans = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not spans:
            return
        service = {"key": "service.name", "value": {"stringValue": f"vaxledger-{self._service}"}}
        body = {
            "resourceSpans": [
                {
                    "resource": {"attributes": [service]},
                    "scopeSpans": [{"scope": {"name": "vaxledger"}, "spans": spans}],
                }
            ]
        }
        from http.client import HTTPException  # noqa: PLC0415  only where somebody asked
        from urllib.request import Request, urlopen  # noqa: PLC0415  likewise

        request = Request(  # noqa: S310  the settings admit http and https alone
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urlopen(request, timeout=_PATIENCE_SECONDS):  # noqa: S310  likewise
                pass
        except (OSError, HTTPException) as error:
            self._tell_lost(len(spans), error)

    def _tell_lost(self, count: int, error: Exception) -> None:
        """Say at once that a collector is away, and then each minute how much that has cost."""
        self._lost += count
        if (now := time.monotonic()) >= self._silent_until:
            _log.warning("traces-lost", count=self._lost, error=type(error).__name__)
            self._lost, self._silent_until = 0, now + _SILENCE_SECONDS
