"""Signed writes: one address for each kind, all with the same steps.

Limits and token, then strict JSON and the desk in one thread for all that arrive together; then,
without holding a thread, the wait for the commit and for a signed checkpoint that covers the entry
(DESIGN section 3, steps 1 to 6).
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import FastAPI, Request
from starlette.responses import Response

from api.answers import etag, json_response
from api.body import parse_json, read_body
from api.callers import caller_of
from api.errors import (
    IdempotencyKeyMissing,
    MalformedParameter,
    PreconditionFailed,
    PreconditionRequired,
)
from api.nonsense import bounded
from api.parts import Serving, serving_of
from api.receipts import receipt_address, receipt_body
from api.tracing import mark_committed, mark_covered
from api.write_addresses import ADDRESSES, Address
from commands.ahead import Admitted
from commands.answering import Written
from commands.errors import WrongStream, WrongTopic
from commands.principal import Principal
from commands.signed_body import SignedBody
from ledger.store.errors import VersionConflict


def install(app: FastAPI, extras: Mapping[str, Mapping[str, Any]]) -> None:
    """Add every write address; `extras` holds each operation's OpenAPI request and answers."""
    for address in ADDRESSES:
        app.router.add_api_route(
            address.path,
            _endpoint(address),
            methods=["POST"],
            status_code=201,
            operation_id=address.operation,
            name=address.operation,
            tags=["writes"],
            response_class=Response,
            openapi_extra=dict(extras[address.operation]),
        )


def _endpoint(address: Address) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The steps for one address."""

    async def write(request: Request) -> Response:
        caller = caller_of(request)
        raw = await read_body(request)
        serving = serving_of(request)
        with bounded(serving.nonsense, caller):
            submission = _Submission(serving, address, caller, request, raw)
            written = await serving.company.write(submission)
        return await answer(request, written)

    return write


@dataclass(frozen=True, slots=True)
class _Submission:
    """One signed write on its way into the log."""

    serving: Serving
    address: Address
    caller: Principal
    request: Request
    raw: bytes

    def admit(self) -> Admitted:
        """Read, check against the address, and let in."""
        values = parse_json(self.raw)
        key = idempotency_key(self.request)
        body = SignedBody.parse(values)
        statement = body.statement
        if statement.topic not in self.address.topics:
            raise WrongTopic(topic=statement.topic, takes=list(self.address.topics))
        if not self.address.is_for_new_streams:
            if statement.stream != _stream(self.request):
                raise WrongStream
            check_precondition(self.request, statement.expected_version)
        return self.serving.parts.desk.admit(body, self.caller, key)

    def alone(self, admitted: Admitted) -> Written:
        """Decide it by itself."""
        try:
            return self.serving.parts.desk.alone(admitted)
        except VersionConflict as error:
            stream = admitted.body.statement.stream
            if self.address.is_for_new_streams or error.stream != stream:
                raise
            # The If-Match that was sent named this version, so the precondition failed (RFC 9110).
            raise PreconditionFailed(
                {"ETag": etag(error.actual)}, expected=error.expected, actual=error.actual
            ) from error


async def answer(request: Request, written: Written, patience: float = float("inf")) -> Response:
    """201 with the proof, or 202 with the receipt's address when the checkpoint is late.

    Args:
        request: What was asked.
        written: Where it stands.
        patience: Seconds after which this checkpoint is late, where the settings do not say fewer.
    """
    serving = serving_of(request)
    position = written.position
    headers = {
        "ETag": etag(written.version),
        "Location": receipt_address(position),
        "Cache-Control": "no-store",
    }
    if written.replayed:
        headers["Idempotency-Replayed"] = "true"
    else:
        mark_committed(request, position)
    settings = serving.parts.settings
    in_time = "respond-async" not in request.headers.get("prefer", "") and (
        await serving.published.wait(position, min(patience, settings.receipt_wait_seconds))
    )
    mark_covered(request)
    if not in_time:
        body: dict[str, Any] = {
            "position": position,
            "stream": str(written.stream),
            "version": written.version,
            "receipt": receipt_address(position),
        }
        return json_response(body | remarks_of(written), 202, headers)
    prove = serving.prover.prove
    if serving.prover.is_warm(position):
        proof = prove(position)
    else:
        proof = await to_thread.run_sync(prove, position, limiter=serving.threads)
    receipt = receipt_body(position, written.entry, proof)
    return json_response(receipt | remarks_of(written), 201, headers)


def remarks_of(written: Written) -> dict[str, Any]:
    """What deserves a second look, for the writer only; no part of the receipt as kept."""
    found = [remark.describe() for remark in written.remarks]
    return {"remarks": found} if found else {}


def idempotency_key(request: Request) -> UUID:
    """The Idempotency-Key header.

    Raises:
        IdempotencyKeyMissing: absent or not a UUID.
    """
    try:
        return UUID(request.headers["idempotency-key"])
    except (KeyError, ValueError) as error:
        raise IdempotencyKeyMissing from error


def check_precondition(request: Request, expected_version: int) -> None:
    """If-Match must be there and name the version that was signed (RFC 6585, RFC 9110).

    Raises:
        PreconditionRequired: no header.
        PreconditionFailed: another version.
    """
    header = request.headers.get("if-match")
    if header is None:
        raise PreconditionRequired
    if header.strip() != etag(expected_version):
        raise PreconditionFailed(signed_version=expected_version)


def _stream(request: Request) -> UUID:
    try:
        return UUID(request.path_params["stream"])
    except ValueError as error:
        raise MalformedParameter(parameter="stream", reason="uuid") from error
