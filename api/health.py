"""How the installation is: for supervisors, load balancers, operators and Prometheus."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import anyio
import psycopg
from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.figures import figures, figures_metrics, waiting_seconds
from api.log import verifier_keys
from api.metrics import MEDIA_TYPE
from api.parts import Serving, serving_of
from api.witnesses import describe, witness_metrics
from bootstrap.migrate import MIGRATIONS
from ledger.entry import Entry
from ledger.errors import LedgerError
from ledger.store.errors import NoSuchPosition, StoreError

CHECK_SECONDS = 2.0
LATE_SECONDS = 10.0
"""An entry that waits longer than this for its checkpoint makes the installation unready; for the
views or the feed, degraded."""
_NO_STORE = {"Cache-Control": "no-store"}
_READY, _UNREADY = 200, 503

Check = Callable[[Serving], Awaitable[Mapping[str, Any]]]

router = APIRouter(tags=["operation"])


@router.get("/livez", operation_id="isAlive")
async def livez() -> Response:
    """This process answers."""
    return json_response({"status": "ok"}, headers=_NO_STORE)


@router.get("/readyz", operation_id="isReady")
async def readyz(request: Request) -> Response:
    """Whether writes and reads can be served now; 503 if not, with what is wrong.

    NATS is a copy of the log, views are made of it, and nothing waits for a witness: where these
    are missing or late the answer is `degraded`, not 503.
    """
    found = await readiness(serving_of(request))
    status = _UNREADY if found["status"] == "unready" else _READY
    return json_response(found, status, _NO_STORE)


@router.get("/version", operation_id="getVersion")
async def get_version(request: Request) -> Response:
    """Which program, log, schema and keys these are."""
    serving = serving_of(request)
    body = {
        "version": program_version(),
        "origin": serving.parts.settings.origin,
        "schema": {
            folder.name: [file.stem for file in sorted(folder.glob("*.sql"))]
            for folder in sorted(MIGRATIONS.glob("*/"))
        },
        "log_keys": [key.text() for key in await to_thread.run_sync(verifier_keys, serving)],
        "root_keyid": await to_thread.run_sync(_root_keyid, serving),
    }
    return json_response(body, headers=_NO_STORE)


@router.get("/metrics", operation_id="getMetrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Counts and positions in Prometheus's text format."""
    serving = serving_of(request)
    serving.metrics.show_feed(await serving.feed.current())
    now, told = serving.parts.services.clock(), [serving.metrics.text()]
    # The counts of this process are worth having also where the databases do not answer.
    with suppress(StoreError, psycopg.OperationalError, OSError):
        standings = await _in_thread(serving.parts.reader.witnesses)
        told.append(witness_metrics(serving.policy.current(), standings, now))
        told.append(figures_metrics(await _in_thread(figures, serving), now))
    return Response(b"".join(told), media_type=MEDIA_TYPE, headers=_NO_STORE)


def program_version() -> str:
    """The version of the installed distribution; that of the source tree has none."""
    try:
        return version("vaxledger")
    except PackageNotFoundError:
        return "source"


async def readiness(serving: Serving) -> Mapping[str, Any]:
    """What `/readyz` answers: a status, and each check by its name."""
    checks: dict[str, Mapping[str, Any]] = {}
    async with anyio.create_task_group() as group:
        for name, check in _CHECKS.items():
            group.start_soon(_run, checks, name, check, serving)
    failed = {name for name, found in checks.items() if not found["ok"]}
    status = "ok"
    if failed:
        status = "degraded" if failed <= _OPTIONAL else "unready"
    return {"status": status, "checks": {name: checks[name] for name in _CHECKS}}


async def _run(
    checks: dict[str, Mapping[str, Any]], name: str, check: Check, serving: Serving
) -> None:
    try:
        with anyio.fail_after(CHECK_SECONDS):
            checks[name] = await check(serving)
    except (LedgerError, psycopg.OperationalError, OSError, TimeoutError) as error:
        checks[name] = {"ok": False, "error": type(error).__name__}


async def _database(serving: Serving) -> Mapping[str, Any]:
    await _in_thread(serving.parts.reader.published)
    return {"ok": True}


async def _writes(serving: Serving) -> Mapping[str, Any]:
    """Nothing has halted the log."""
    halt = await _in_thread(serving.parts.reader.halted)
    if halt is None:
        return {"ok": True}
    return {"ok": False, "halted": halt.kind, "since": halt.halted_at.isoformat()}


async def _keys(serving: Serving) -> Mapping[str, Any]:
    position = await _in_thread(serving.views.people.position)
    return {"ok": True, "position": position}


async def _checkpoint(serving: Serving) -> Mapping[str, Any]:
    """The checkpoint keeps up: the oldest entry without one has waited a short time only."""
    size, _ = await _in_thread(serving.parts.reader.checkpoint)
    waiting = await _in_thread(waiting_seconds, serving, size)
    return {"ok": waiting < LATE_SECONDS, "size": size, "oldest_waiting_seconds": waiting}


async def _views(serving: Serving) -> Mapping[str, Any]:
    """Every view keeps up with the checkpoint."""
    lowest = await _in_thread(serving.views.positions.lowest)
    behind = await _in_thread(_behind_seconds, serving, lowest)
    return {"ok": behind < LATE_SECONDS, "position": lowest, "behind_seconds": behind}


async def _feed(serving: Serving) -> Mapping[str, Any]:
    if serving.parts.settings.nats_url is None:
        return {"ok": True, "configured": False}
    status = await serving.feed.current()
    if status is None:
        return {"ok": False, "error": "no answer"}
    behind = await _in_thread(_behind_seconds, serving, status.position)
    return {
        "ok": not status.problems and behind < LATE_SECONDS,
        "position": status.position,
        "behind_seconds": behind,
        "problems": status.problems,
    }


async def _witnesses(serving: Serving) -> Mapping[str, Any]:
    standings = await _in_thread(serving.parts.reader.witnesses)
    return describe(serving.policy.current(), standings, serving.parts.services.clock())


_CHECKS: Mapping[str, Check] = {
    "database": _database,
    "writes": _writes,
    "keys": _keys,
    "checkpoint": _checkpoint,
    "views": _views,
    "feed": _feed,
    "witnesses": _witnesses,
}
_OPTIONAL = frozenset(("views", "feed", "witnesses"))


async def _in_thread(read: Callable[..., Any], *args: Any) -> Any:
    """Read, and stop waiting when the time is over: the thread ends by the pool's own limits."""
    return await to_thread.run_sync(read, *args, abandon_on_cancel=True)


def _behind_seconds(serving: Serving, position: int) -> float:
    """For how long somebody at a position has not taken what a checkpoint covers."""
    if position >= serving.parts.reader.published():
        return 0.0
    return waiting_seconds(serving, position)


def _root_keyid(serving: Serving) -> str | None:
    """The key that position 1 pins, once a checkpoint covers it."""
    try:
        return Entry.decode(serving.parts.reader.entry(1)).author.keyid
    except NoSuchPosition:
        return None
