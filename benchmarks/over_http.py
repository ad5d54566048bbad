"""Single doses over HTTP into a whole installation: signed, sealed, answered with a proof.

All parts run: PostgreSQL, NATS, the API, integrator, projector and publisher, and the generator
beside them on the same cores. Families and doses are those of a simulated province, made, signed
and encoded before a turn. The library's single caller takes its turns on the same PostgreSQL.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import uvloop

from benchmarks import peers
from benchmarks.appending import Pile
from benchmarks.clinic import Dose, batches
from benchmarks.contest import Contestant, Pace
from benchmarks.ground import make_database
from benchmarks.installation import Served
from benchmarks.measuring import Measured, tasks
from benchmarks.wire import Lines, connected, request
from client.bulk import PATH, Verdict
from client.http import Caller, Client
from client.receipt import Receipt

DOSE = "HTTP dose with receipt"
LIBRARY_ALONE = "eventsourcing library, 1 caller, beside HTTP"
BULK = "HTTP bulk, one batch envelope"
_LATER = "HTTP dose, receipt fetched later"
_LIVE = "HTTP GET /livez"
_AMOUNT = {1: 120, 8: 800, 64: 2_500}
"""Of a turn, by connections."""
_PROVEN = 50
_BULK_LINES = 1_000
_BULK_AMOUNT = 3_900
_BULK_CONNECTIONS = 2
_LIMIT_SECONDS = 30.0
CREATED, ACCEPTED = 201, 202


@dataclass(slots=True)
class _Prepared:
    """A dose as bytes on the wire."""

    dose: Dose
    raw: bytes


def contestants(served: Served, pace: Pace) -> list[Contestant]:
    """Doses over HTTP, and what they stand beside."""
    url = _peer_database(served)
    library = peers.of_library(url, 1, LIBRARY_ALONE)
    return [
        library,
        _live(served),
        *(_doses(served, pace, DOSE, connections) for connections in (1, 8, 64)),
        _doses(served, pace, _LATER, 64),
        _bulk(served, pace),
    ]


def _peer_database(served: Served) -> str:
    owner = "vaxledger"
    make_database(served.superuser_url, "peer", owner)
    url = served.site.parts.settings.database_url
    assert url is not None
    return url.replace("/vaxledger?", "/peer?")


def _live(served: Served) -> Contestant:
    raw = request("GET", "/livez")

    async def work(seconds: float) -> Measured:
        async with connected(served.port, 64) as lines:

            async def step() -> int:
                await lines.call(raw)
                return 1

            return await tasks(step, 64, seconds)

    return Contestant(
        f"{_LIVE}, 64 connections",
        "requests/s",
        lambda seconds: uvloop.run(work(seconds)),
        note="the HTTP stack alone",
        has_latency=True,
        callers=64,
    )


def _doses(served: Served, pace: Pace, name: str, connections: int) -> Contestant:
    pile = Pile(served.site, pace.amount(_AMOUNT[connections]), is_simulated=True)
    prepared: list[list[_Prepared]] = []
    prefer = {"prefer": "respond-async"} if name == _LATER else {}

    def prepare() -> None:
        pile.sign()
        token = served.token(pile.clinic.principal)
        prepared[:] = [[_prepare(dose, token, prefer) for dose in lane] for lane in pile.lanes]
        served.await_views()

    def run(_seconds: float) -> Measured:
        wanted = ACCEPTED if prefer else CREATED
        measured, proven = uvloop.run(_send(served, prepared, connections, wanted))
        for dose, body in proven:
            _verify(served, dose, body)
        return measured

    return Contestant(
        f"{name}, {connections} connection{'s' if connections > 1 else ''}",
        "doses/s",
        run,
        prepare,
        beside=LIBRARY_ALONE,
        has_latency=True,
        callers=connections,
    )


def _bulk(served: Served, pace: Pace) -> Contestant:
    """Batches of doses over two connections; every verdict is read, some receipts are verified."""
    pile = Pile(served.site, pace.amount(_BULK_AMOUNT), is_simulated=True)
    made: list[_Bulk] = []

    def prepare() -> None:
        pile.sign(as_batches=_BULK_LINES)
        token = served.token(pile.clinic.principal)
        made[:] = [_Bulk.of(doses, token) for doses in batches(pile.lanes, _BULK_LINES)]
        served.await_views()

    def run(_seconds: float) -> Measured:
        measured, written = uvloop.run(_send_bulk(served, made))
        caller = Caller(f"http://127.0.0.1:{served.port}", made[0].token, served.site.trust)
        caller.key = pile.clinic.key
        with Client(caller) as client:
            for dose, verdict in written[:_PROVEN]:
                client.receipt(verdict.receipt, dose.write)
        return measured

    return Contestant(
        f"{BULK}, {_BULK_LINES:,} lines",
        "doses/s",
        run,
        prepare,
        beside=LIBRARY_ALONE,
        note="NDJSON, a verdict a line; a batch ends with a child, so some lines less",
        callers=_BULK_CONNECTIONS,
    )


@dataclass(frozen=True, slots=True)
class _Bulk:
    """A batch of doses as bytes on the wire."""

    doses: Sequence[Dose]
    token: str
    raw: bytes

    @classmethod
    def of(cls, doses: Sequence[Dose], token: str) -> Self:
        body = b"".join(dose.write.body() + b"\n" for dose in doses)
        raw = request("POST", PATH, token, body, content_type="application/x-ndjson")
        return cls(doses, token, raw)


async def _send_bulk(
    served: Served, batches: Sequence[_Bulk]
) -> tuple[Measured, list[tuple[Dose, Verdict]]]:
    waiting = iter(batches)
    written: list[tuple[Dose, Verdict]] = []
    async with connected(served.port, _BULK_CONNECTIONS) as lines:

        async def step() -> int:
            one = next(waiting, None)
            if one is None:
                return 0
            answer = await lines.call(one.raw)
            found = [Verdict.read(json.loads(line)) for line in answer.body.splitlines()]
            refused = [verdict.problem for verdict in found if verdict.problem is not None]
            if refused or len(found) != len(one.doses):
                raise RuntimeError(f"{len(refused)} of {len(found)} lines refused: {refused[:1]}")
            written.extend(zip(one.doses, found, strict=True))
            return len(found)

        return await tasks(step, _BULK_CONNECTIONS, _LIMIT_SECONDS), written


def _prepare(dose: Dose, token: str, more: dict[str, str]) -> _Prepared:
    statement = dose.write.statement
    raw = request(
        "POST",
        f"/v1/records/{statement.stream}/doses",
        token,
        dose.write.body(),
        idempotency_key=str(statement.idempotency_key),
        if_match=f'"{statement.expected_version}"',
        **more,
    )
    return _Prepared(dose, raw)


async def _send(
    served: Served, prepared: list[list[_Prepared]], connections: int, wanted: int
) -> tuple[Measured, list[tuple[Dose, bytes]]]:
    """Send every dose, a child's in order; return some of the answers for a closer look."""
    lanes = iter(prepared)
    proven: list[tuple[Dose, bytes]] = []
    async with connected(served.port, connections) as lines:
        async with asyncio.timeout(_LIMIT_SECONDS):
            callers = [_Caller(lines, lanes, proven, wanted) for _ in range(connections)]
            following = iter(callers)
            mine: dict[object, _Caller] = {}

            async def step() -> int:
                task = asyncio.current_task()
                if task not in mine:
                    mine[task] = next(following)
                return await mine[task].step()

            return await tasks(step, connections, _LIMIT_SECONDS), proven


class _Caller:
    """Takes one child after the other, and its doses in their order."""

    def __init__(
        self,
        lines: Lines,
        lanes: Iterator[list[_Prepared]],
        proven: list[tuple[Dose, bytes]],
        wanted: int,
    ) -> None:
        self._lines = lines
        self._lanes = lanes
        self._lane: list[_Prepared] = []
        self._proven = proven
        self._wanted = wanted

    async def step(self) -> int:
        """Send the next dose; 0 when there is none."""
        if not self._lane:
            self._lane = next(self._lanes, [])[::-1]
        if not self._lane:
            return 0
        one = self._lane.pop()
        answer = await self._lines.call(one.raw)
        if answer.status != self._wanted:
            words = answer.body[:200].decode(errors="replace")
            raise RuntimeError(f"{answer.status} instead of {self._wanted}: {words}")
        if self._wanted == CREATED and len(self._proven) < _PROVEN:
            self._proven.append((one.dose, answer.body))
        return 1


def _verify(served: Served, dose: Dose, body: bytes) -> None:
    """Verify a receipt as a client does: what was measured was the real thing."""
    receipt = Receipt.verify(json.loads(body), served.site.trust)
    receipt.verify_write(dose.write, served.site.clinic.key)
