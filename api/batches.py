"""Many signed writes in one request, with a verdict for each.

A line is what the write's own address takes as its body. What the headers say there is signed in
the line itself: the idempotency key and the version that the author saw. Lines that share a batch
envelope share the check of its signature.

Lines of one stream are taken in their order, those of different streams at once. Nothing is undone
where a line is refused: the others stand, and the same request sent again brings the same verdicts.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any
from uuid import UUID

import anyio
import orjson
from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.body import MAX_BODY_BYTES, parse_json, read_body
from api.callers import caller_of
from api.errors import BodyTooLarge, MalformedBody, TooManyLines
from api.log import NDJSON
from api.nonsense import bounded
from api.parts import Serving, serving_of
from api.problems import kind_of, line_problem
from api.receipts import receipt_address
from api.writes import remarks_of
from commands.answering import Written
from commands.principal import Principal
from commands.signed_body import SignedBody
from ledger.store.errors import Backlogged

MAX_LINES = 1_000
MAX_BATCH_BYTES = 16 << 20
MAX_BATCH_SECONDS = 60.0
RETRY_SECONDS = 1
UNEXPECTED = 500
AWAY = 503

Outcome = Written | Exception

router = APIRouter(prefix="/v1", tags=["writes"])

_LINE = {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/SignedBody"}}}


@router.post(
    "/batches",
    operation_id="submitBatch",
    response_class=Response,
    openapi_extra={
        "requestBody": {"required": True, "content": _LINE},
        "parameters": [{"$ref": "#/components/parameters/Prefer"}],
    },
)
async def submit_batch(request: Request) -> Response:
    """Take up to 1,000 signed writes, one a line, and answer with a verdict a line.

    At most 16 MiB, and 65,536 bytes a line. Lines of one stream are taken in their order. Some may
    be written and others refused: `status` of each line says which. Sending a line again, here or
    to its own address, brings its first answer.
    """
    caller, serving = caller_of(request), serving_of(request)
    serving.nonsense.check(caller.subject)
    try:
        serving.batches.acquire_on_behalf_of_nowait(request)
    except anyio.WouldBlock as error:
        raise Backlogged(RETRY_SECONDS) from error
    try:
        raw = await read_body(
            request, limit=MAX_BATCH_BYTES, seconds=MAX_BATCH_SECONDS, media=NDJSON
        )
        outcomes = await _Batch(serving, caller, _lines(raw)).submit()
    finally:
        serving.batches.release_on_behalf_of(request)
    return await _answer(request, outcomes)


def _lines(raw: bytes) -> list[bytes]:
    """The lines, counted before any is parsed."""
    count = raw.count(b"\n") + (not raw.endswith(b"\n"))
    if count > MAX_LINES:
        raise TooManyLines(limit=MAX_LINES, lines=count)
    if not raw.strip():
        raise MalformedBody(reason="no lines")
    return raw.removesuffix(b"\n").split(b"\n")


class _Batch:
    """The lines of one request on their way into the log."""

    def __init__(self, serving: Serving, caller: Principal, lines: list[bytes]) -> None:
        self._serving = serving
        self._caller = caller
        self._lines = lines
        self._outcomes: dict[int, Outcome] = {}
        self._away: Exception | None = None

    async def submit(self) -> list[Outcome]:
        """Hand in every line; return what became of each, in their order."""
        limiter = self._serving.bulk_threads
        lanes = await to_thread.run_sync(self._begin, limiter=limiter)
        async with anyio.create_task_group() as group:
            for lane in lanes:
                group.start_soon(self._run, lane)
        return [self._outcomes[number] for number in range(len(self._lines))]

    def _begin(self) -> list[list[tuple[int, SignedBody]]]:
        """Read every line, write together what can be; return the lanes that are left."""
        lanes = list(self._read())
        lines = sorted((line for lane in lanes for line in lane), key=itemgetter(0))
        desk = self._serving.parts.desk
        ahead = desk.submit_ahead([body for _, body in lines], self._caller)
        for (number, _), written in zip(lines, ahead, strict=True):
            if written is not None:
                self._outcomes[number] = written
        left = ([line for line in lane if line[0] not in self._outcomes] for lane in lanes)
        return [lane for lane in left if lane]

    async def _run(self, lane: list[tuple[int, SignedBody]]) -> None:
        await to_thread.run_sync(self._hand_in, lane, limiter=self._serving.bulk_threads)

    def _read(self) -> Iterable[list[tuple[int, SignedBody]]]:
        """Read every line; gather those of a stream, in their order."""
        lanes: dict[UUID, list[tuple[int, SignedBody]]] = {}
        for number, line in enumerate(self._lines):
            try:
                with bounded(self._serving.nonsense, self._caller):
                    body = _read_line(line)
            except Exception as error:  # noqa: BLE001  the verdict of this line alone
                self._outcomes[number] = _bare(error)
            else:
                lanes.setdefault(body.statement.stream, []).append((number, body))
        return lanes.values()

    def _hand_in(self, lane: list[tuple[int, SignedBody]]) -> None:
        for number, body in lane:
            self._outcomes[number] = self._outcome(body)

    def _outcome(self, body: SignedBody) -> Outcome:
        """Submit one line, unless another has found that nothing can be written now.

        Later lines of its stream must not be judged as if it had been refused: they come again
        together.
        """
        if self._away is not None:
            return self._away
        try:
            key = body.statement.idempotency_key
            return self._serving.parts.desk.submit(body, self._caller, key)
        except Exception as error:  # noqa: BLE001  the verdict of this line alone
            if kind_of(error).status == AWAY:
                self._away = error
            return error


def _read_line(line: bytes) -> SignedBody:
    if len(line) > MAX_BODY_BYTES:
        raise BodyTooLarge(limit=MAX_BODY_BYTES)
    return SignedBody.parse(parse_json(line))


def _bare(error: Exception) -> Exception:
    """An error without its way here, which keeps all that was parsed of its line."""
    if kind_of(error).status < UNEXPECTED:
        error.__cause__ = error.__context__ = None
        error.__traceback__ = None
    return error


async def _answer(request: Request, outcomes: list[Outcome]) -> Response:
    """Wait once for the checkpoint that covers all lines, and give the verdicts."""
    serving = serving_of(request)
    last = max((one.position for one in outcomes if isinstance(one, Written)), default=0)
    if "respond-async" not in request.headers.get("prefer", ""):
        await serving.published.wait(last, serving.parts.settings.receipt_wait_seconds)
    published = serving.published.reached
    verdicts = [
        {"line": number, **_verdict(request, outcome, published)}
        for number, outcome in enumerate(outcomes, 1)
    ]
    body = b"".join(orjson.dumps(one, default=str) + b"\n" for one in verdicts)
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=NDJSON)


def _verdict(request: Request, outcome: Outcome, published: int) -> dict[str, Any]:
    if isinstance(outcome, Exception):
        document = line_problem(outcome, request)
        return {"status": document["status"], "problem": document}
    return {
        "status": 201 if outcome.position <= published else 202,
        "position": outcome.position,
        "stream": str(outcome.stream),
        "version": outcome.version,
        "receipt": receipt_address(outcome.position),
        "replayed": outcome.replayed,
        **remarks_of(outcome),
    }
