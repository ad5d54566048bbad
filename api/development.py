"""Tokens of the development issuer, for callers on this machine: the demo needs no account."""

import time
from ipaddress import ip_address

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import read_json
from api.errors import AddressUnknown, LoopbackOnly, MalformedBody
from api.parts import serving_of
from api.schemas import Identity, TokenRequest
from bootstrap.tokens import TokenRefusedError
from commands.principal import Principal, Role, VerifiedIdentity

LIFETIME_SECONDS = 3_600
WARNING = {
    "zh": "开发用令牌：任何能访问本机的人都能以任何身份取得。仅供演示，切勿用于生产环境。",
    "en": "DEVELOPMENT TOKEN: anyone on this machine can be anyone. For demonstration only.",
}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_LOCAL_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))

router = APIRouter(tags=["development"])


@router.post(
    "/development/token",
    operation_id="mintDevelopmentToken",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/TokenRequest"}}
            },
        }
    },
)
async def token(request: Request) -> Response:
    """A token for whomever the body names. Not there once an issuer is configured."""
    parts = serving_of(request).parts
    if parts.settings.issuer is not None:
        raise AddressUnknown
    check_loopback(request)
    principal = _principal(TokenRequest.read(await read_json(request)))
    minted = parts.issuer.mint(
        principal, issued_at=int(time.time()), lifetime_seconds=LIFETIME_SECONDS
    )
    try:
        parts.tokens.principal(minted)
    except TokenRefusedError as error:
        reason = "staff need an organisation and a division, citizens an identity"
        raise MalformedBody(pointer="", reason=reason) from error
    body = {
        "WARNING": WARNING,
        "access_token": minted,
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
    }
    return json_response(body, headers={"Cache-Control": "no-store"})


def check_loopback(request: Request) -> None:
    """Refuse callers from elsewhere, also through a proxy or a name that points here.

    Raises:
        LoopbackOnly: the peer is not this machine, or speaks for somebody else, or a page of
            another site makes a browser ask (DNS rebinding).
    """
    peer = request.client.host if request.client else ""
    name = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    is_forwarded = any(header in request.headers for header in _FORWARDED)
    if not _is_loopback(peer) or is_forwarded or name not in _LOCAL_NAMES:
        raise LoopbackOnly


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _principal(asked: TokenRequest) -> Principal:
    if asked.role not in list(Role):
        raise MalformedBody(pointer="/role", reason=f"one of {', '.join(Role)}")
    return Principal(
        asked.subject,
        Role(asked.role),
        asked.organisation,
        asked.division,
        _verified(asked.identity) if asked.identity else None,
    )


def _verified(identity: Identity) -> VerifiedIdentity:
    return VerifiedIdentity(
        identity.name, identity.id_number, identity.phone, identity.face_verified
    )
