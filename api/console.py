"""What citizens do with certificates: plain JSON that the platform signs on their behalf."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import read_json
from api.callers import Caller
from api.guessing import GUESSES
from api.noting import note_read
from api.parts import serving_of
from api.schemas import (
    Body,
    ClaimRequest,
    CredentialRevocation,
    GrantRequest,
    ReleaseRequest,
    RevocationRequest,
)
from api.writes import answer, idempotency_key
from commands.answering import Written
from commands.certificates import Console

router = APIRouter(prefix="/v1/certificates", tags=["certificates"], dependencies=[GUESSES])

_STREAM = "/{certificate}"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def takes(body: type[Body] | None) -> dict[str, Any]:
    """The OpenAPI of a write with such a body."""
    described: dict[str, Any] = {
        "parameters": [{"$ref": "#/components/parameters/IdempotencyKey"}],
        "x-vaxledger-receipt": True,
    }
    if body is not None:
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def write_route(
    routes: APIRouter, path: str, operation: str, body: type[Body] | None = None
) -> Callable[[_Endpoint], _Endpoint]:
    """Serve a write that the platform signs, answered 201 with its place and receipt."""
    return routes.post(
        path,
        operation_id=operation,
        status_code=201,
        response_class=Response,
        openapi_extra=takes(body),
    )


@router.get("/candidates", operation_id="listCandidates", response_class=Response)
async def candidates(request: Request, caller: Caller) -> Response:
    """Records whose certificate the caller may try to claim: the own and the children's (C-13)."""
    serving = serving_of(request)
    find = partial(serving.parts.desk.certificates.candidates, caller)
    found = await to_thread.run_sync(find, limiter=serving.threads)
    await note_read(request, caller, "candidates", [one.record for one in found])
    lines = [
        {"record": str(one.record), "kind": str(one.kind), "holder": str(one.holder)}
        for one in found
    ]
    return json_response({"candidates": lines}, headers={"Cache-Control": "no-store"})


@write_route(router, "", "claimCertificate", ClaimRequest)
async def claim(request: Request, caller: Caller) -> Response:
    """Claim the certificate of a record (C-12, C-14)."""
    body = ClaimRequest.read(await read_json(request)).members()
    console = _console(request)
    return await write_for(request, lambda key: console.claim(caller, key, body))


@write_route(router, f"{_STREAM}/grants", "grantCertificate", GrantRequest)
async def grant(request: Request, caller: Caller, certificate: UUID) -> Response:
    """Let another person use a child's certificate: at most ten (C-15 to C-18)."""
    body = without_nulls(GrantRequest.read(await read_json(request)).members())
    console = _console(request)
    return await write_for(request, lambda key: console.grant(caller, key, certificate, body))


@write_route(router, f"{_STREAM}/revocations", "revokeGrant", RevocationRequest)
async def revoke(request: Request, caller: Caller, certificate: UUID) -> Response:
    """Take a grant back."""
    body = RevocationRequest.read(await read_json(request)).members()
    console = _console(request)
    return await write_for(
        request, lambda key: console.revoke_grant(caller, key, certificate, body)
    )


@write_route(router, f"{_STREAM}/credential-revocations", "revokeCredential", CredentialRevocation)
async def revoke_credential(request: Request, caller: Caller, certificate: UUID) -> Response:
    """Let one credential hold no more, of a lost telephone or paper; for the holder alone.

    Its status bit is set; nothing succeeds it, and the next one asked for is another.
    """
    body = CredentialRevocation.read(await read_json(request)).members()
    console = _console(request)
    return await write_for(
        request, lambda key: console.revoke_credential(caller, key, certificate, body)
    )


@write_route(router, f"{_STREAM}/release", "releaseCertificate", ReleaseRequest)
async def release(request: Request, caller: Caller, certificate: UUID) -> Response:
    """Give the certificate up, so that another may claim it."""
    body = ReleaseRequest.read(await read_json(request)).members()
    console = _console(request)
    return await write_for(request, lambda key: console.release(caller, key, certificate, body))


def _console(request: Request) -> Console:
    return serving_of(request).parts.desk.certificates


async def write_for(request: Request, act: Callable[[UUID], Written]) -> Response:
    """Let the platform write what a citizen asked for, under the header's idempotency key."""
    key = idempotency_key(request)
    written = await to_thread.run_sync(act, key, limiter=serving_of(request).threads)
    return await answer(request, written)


def without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    """A member that is null is one that was not given."""
    return {
        name: without_nulls(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value is not None
    }
