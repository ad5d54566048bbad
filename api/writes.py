"""Signed writes: one address for each kind, all with the same steps.

Limits, token, strict JSON, then the desk in a thread; then, without holding a thread, the wait
for a signed checkpoint that covers the entry (DESIGN section 3, steps 1 to 6).
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.body import parse_json, read_body
from api.callers import caller_of
from api.errors import (
    IdempotencyKeyMissing,
    MalformedParameter,
    PreconditionFailed,
    PreconditionRequired,
)
from api.parts import Serving, serving_of
from api.receipts import receipt_address, receipt_body
from api.tracing import mark_committed, mark_covered
from commands.answering import Written
from commands.errors import WrongStream, WrongTopic
from commands.principal import Principal
from commands.signed_body import SignedBody
from ledger.store.errors import VersionConflict


@dataclass(frozen=True, slots=True)
class Address:
    """An address that takes signed writes, and the topics it takes."""

    path: str
    operation: str
    topics: tuple[str, ...]

    @property
    def is_for_new_streams(self) -> bool:
        """Whether the first event of a stream is sent here."""
        return "{stream}" not in self.path


_RECORD = "/v1/records/{stream}"
_CORRECTION = "/v1/corrections/{stream}"
_ENROLMENT = "/v1/enrolments/{stream}"
_SUPPLY = "/v1/slot-supplies/{stream}"
_APPOINTMENT = "/v1/appointments/{stream}"
_VISIT = "/v1/visits/{stream}"
_ORGANISATION = "/v1/organisations/{stream}"

ADDRESSES: tuple[Address, ...] = (
    Address("/v1/organisations", "registerOrganisation", ("organisation.registered.v1",)),
    Address(f"{_ORGANISATION}/keys", "registerKey", ("organisation.key-registered.v1",)),
    Address(f"{_ORGANISATION}/revocations", "revokeKey", ("organisation.key-revoked.v1",)),
    Address("/v1/records", "registerRecord", ("vaccination-record.registered.v1",)),
    Address(
        f"{_RECORD}/doses",
        "recordDose",
        (
            "vaccination-record.dose-administered.v1",
            "vaccination-record.dose-transcribed.v1",
        ),
    ),
    Address(
        f"{_RECORD}/contraindications",
        "recordContraindication",
        (
            "vaccination-record.contraindication-recorded.v1",
            "vaccination-record.contraindication-lifted.v1",
        ),
    ),
    Address(
        f"{_RECORD}/adverse-events",
        "reportAdverseEvent",
        (
            "vaccination-record.adverse-event-reported.v1",
            "vaccination-record.adverse-event-classified.v1",
        ),
    ),
    Address(f"{_RECORD}/amendments", "amendIdentity", ("vaccination-record.identity-amended.v1",)),
    Address(
        f"{_RECORD}/guardians",
        "changeGuardians",
        (
            "vaccination-record.guardian-added.v1",
            "vaccination-record.guardian-removed.v1",
        ),
    ),
    Address(f"{_RECORD}/roll", "changeRoll", ("vaccination-record.roll-changed.v1",)),
    Address(
        f"{_RECORD}/merges",
        "mergeRecords",
        (
            "vaccination-record.merged.v1",
            "vaccination-record.separated.v1",
            "vaccination-record.told-apart.v1",
        ),
    ),
    Address(
        f"{_RECORD}/restriction",
        "restrictRecord",
        (
            "vaccination-record.restricted.v1",
            "vaccination-record.restriction-lifted.v1",
        ),
    ),
    Address(
        f"{_RECORD}/shredding",
        "shredRecord",
        (
            "vaccination-record.shred-requested.v1",
            "vaccination-record.shred-withdrawn.v1",
            "vaccination-record.shredded.v1",
        ),
    ),
    Address("/v1/corrections", "requestCorrection", ("correction.requested.v1",)),
    Address(f"{_CORRECTION}/verification", "verifyCorrection", ("correction.verified.v1",)),
    Address(f"{_CORRECTION}/application", "applyCorrection", ("correction.applied.v1",)),
    Address(f"{_CORRECTION}/rejection", "rejectCorrection", ("correction.rejected.v1",)),
    Address(f"{_CORRECTION}/withdrawal", "withdrawCorrection", ("correction.withdrawn.v1",)),
    Address("/v1/enrolments", "enrol", ("enrolment.enrolled.v1",)),
    Address(f"{_ENROLMENT}/checks", "checkEnrolment", ("enrolment.checked.v1",)),
    Address(
        f"{_ENROLMENT}/reissues",
        "recordCertificateReissue",
        ("enrolment.certificate-reissued.v1",),
    ),
    Address(f"{_ENROLMENT}/rechecks", "recheckEnrolment", ("enrolment.rechecked.v1",)),
    Address(f"{_ENROLMENT}/restatements", "restateCheck", ("enrolment.check-restated.v1",)),
    Address(f"{_ENROLMENT}/notices", "giveNotice", ("enrolment.notice-given.v1",)),
    Address("/v1/check-statements", "issueCheckStatement", ("check-statement.issued.v1",)),
    Address(
        "/v1/check-statements/{stream}/rows",
        "recordMakeup",
        ("check-statement.makeup-recorded.v1",),
    ),
    Address("/v1/slot-supplies", "openSlotSupply", ("slot-supply.opened.v1",)),
    Address(
        f"{_SUPPLY}/capacity",
        "changeCapacity",
        ("slot-supply.raised.v1", "slot-supply.lowered.v1"),
    ),
    Address(f"{_SUPPLY}/closing", "closeSlot", ("slot-supply.closed.v1",)),
    Address(f"{_SUPPLY}/hours", "moveSlot", ("slot-supply.slot-moved.v1",)),
    Address(f"{_APPOINTMENT}/verification", "verifyAppointment", ("appointment.verified.v1",)),
    Address(f"{_APPOINTMENT}/redemption", "redeemAppointment", ("appointment.redeemed.v1",)),
    Address(f"{_APPOINTMENT}/calling-off", "callOffAppointment", ("appointment.called-off.v1",)),
    Address(f"{_APPOINTMENT}/follow-ups", "followUpAppointment", ("appointment.followed-up.v1",)),
    Address(f"{_VISIT}/registration", "registerVisit", ("visit.registered.v1",)),
    Address(f"{_VISIT}/vaccination", "recordVisitDoses", ("visit.vaccinated.v1",)),
    Address(f"{_VISIT}/observation", "endObservation", ("visit.observed.v1",)),
    Address(f"{_VISIT}/departure", "leaveVisit", ("visit.left.v1",)),
    Address("/v1/paper-comparisons", "reportDifference", ("paper-comparison.differed.v1",)),
    Address(
        "/v1/paper-comparisons/{stream}/settlement",
        "settleDifference",
        ("paper-comparison.settled.v1",),
    ),
    Address("/v1/preparations", "recordPreparation", ("preparation.recorded.v1",)),
    Address("/v1/register-reports", "submitRegisters", ("register-report.submitted.v1",)),
    Address("/v1/roll-up-reports", "submitRollUp", ("roll-up-report.submitted.v1",)),
    Address("/v1/log/rotations", "introduceLogKey", ("log.key-introduced.v1",)),
    Address("/v1/log/rotations/{stream}/retirement", "retireLogKey", ("log.key-retired.v1",)),
)


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
            route_class_override=_BareRoute,
        )


class _BareRoute(APIRoute):
    """A route whose endpoint takes the bare request.

    The framework's own reading of parameters would cost as much as the signature's verification,
    and a twentieth of the API's time even where there are none to read.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint itself."""
        return self.endpoint


def _endpoint(address: Address) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The steps for one address."""

    async def write(request: Request) -> Response:
        caller = caller_of(request)
        raw = await read_body(request)
        work = _Submission(serving_of(request), address, caller, request, raw)
        written = await to_thread.run_sync(work.submit, limiter=work.serving.threads)
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

    def submit(self) -> Written:
        """Read, check against the address and hand in; runs in a thread from end to end."""
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
        try:
            return self.serving.parts.desk.submit(body, self.caller, key)
        except VersionConflict as error:
            if self.address.is_for_new_streams or error.stream != statement.stream:
                raise
            # The If-Match that was sent named this version, so the precondition failed (RFC 9110).
            raise PreconditionFailed(
                {"ETag": etag(error.actual)}, expected=error.expected, actual=error.actual
            ) from error


async def answer(request: Request, written: Written) -> Response:
    """201 with the proof, or 202 with the receipt's address when the checkpoint is late."""
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
    in_time = "respond-async" not in request.headers.get("prefer", "") and (
        await serving.published.wait(position, serving.parts.settings.receipt_wait_seconds)
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


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def etag(version: int) -> str:
    """The entity tag of a stream at a version."""
    return f'"{version}"'


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
