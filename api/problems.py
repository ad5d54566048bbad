"""Every error over HTTP, as RFC 9457 problem details: the only place where errors become HTTP.

A problem's `type` is a path on this server that opens a page about it. Titles come in zh-CN
unless the caller asks for English.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import errors as http
from bootstrap.tokens import TokenRefusedError
from certificates.errors import CertificateError
from commands import errors as commands
from domain.errors import DomainError
from ledger import errors as ledger
from ledger.store import errors as store

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "vaxledger.request_id"
"""Key in the ASGI scope under which a request's id stands."""
PAGE = "vaxledger.page"
"""Key in the ASGI scope of a page's request: under it stands what makes a page of a problem."""
UNPROCESSABLE = 422
RETRY_SECONDS = "1"

log = structlog.get_logger("api")

_NAMING = ("pointer", "member")
"""Facts that name a place in the caller's document."""
_SAYS_NOTHING = re.compile(
    r"[A-Za-z][A-Za-z_-]{0,39}|[0-9]{0,4}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
).fullmatch
"""Field names, indexes of arrays, handles."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its slug is the last part of its type URI."""

    slug: str
    status: int
    zh: str
    en: str


INTERNAL = Kind("internal", 500, "服务器内部错误。", "Something went wrong on our side.")
_UNAVAILABLE = Kind(
    "store-unavailable", 503, "数据库暂不可用。", "The database does not answer; try again."
)

KINDS: Mapping[type[Exception], Kind] = {
    TokenRefusedError: Kind(
        "unauthenticated", 401, "访问令牌缺失或无效。", "No valid access token."
    ),
    store.VersionConflict: Kind(
        "version-conflict", 409, "该记录已被他人更改。", "The stream has moved on meanwhile."
    ),
    store.GuardFailed: Kind(
        "guard-failed", 409, "所依据的记录已变化。", "What the decision rests on has moved on."
    ),
    store.ClaimTaken: Kind(
        "claim-taken", 409, "该唯一信息已被占用。", "This may hold once only, and is held already."
    ),
    store.ClaimNotHeld: Kind(
        "claim-not-held", 409, "该唯一信息并未被占用。", "What is to be released is not held."
    ),
    store.KeyConflict: Kind(
        "key-conflict", 409, "同时登记了同一人，请重试。", "The same person was entered at once."
    ),
    store.KeyReused: Kind(
        "idempotency-key-reused",
        422,
        "该幂等键已用于另一内容。",
        "The idempotency key was used for another content.",
    ),
    store.ClockBehind: Kind(
        "clock-behind", 503, "服务器时钟落后。", "This server's clock is behind the log."
    ),
    store.ClockApart: Kind(
        "clock-apart",
        503,
        "服务器与数据库的时钟相差过大，一致之前不写入。",
        "The clocks of this server and its database differ: nothing is written until they agree.",
    ),
    store.Backlogged: Kind("backlogged", 503, "系统繁忙，请稍后重试。", "Too much is waiting."),
    store.WritesHalted: Kind(
        "log-halted",
        503,
        "账本已停止写入，须由运维人员查明原因。",
        "The log is halted: nothing can be written until its operator has looked.",
    ),
    store.SubmissionTooLarge: Kind(
        "submission-too-large", 413, "单次提交过大。", "One submission is too large."
    ),
    store.NoSuchPosition: Kind(
        "not-found", 404, http.AddressUnknown.zh, http.AddressUnknown.sentence()
    ),
    store.StoreUnavailable: _UNAVAILABLE,
    psycopg.OperationalError: _UNAVAILABLE,
    CertificateError: Kind(
        "credential-refused",
        UNPROCESSABLE,
        "该内容无法写入离线凭证。",
        "This cannot be shown in an offline credential.",
    ),
    ledger.EntryError: Kind(
        "entry-refused",
        UNPROCESSABLE,
        "该内容无法成为账本条目（过长或含不允许的值）。",
        "This cannot be an entry of the log: it is too long or holds a value that is not allowed.",
    ),
}
_FRAMEWORK: Mapping[int, type[http.HttpError]] = {
    kind.status: kind for kind in (http.AddressUnknown, http.MethodNotAllowed)
}
_COMMAND_STATUS: Mapping[type[commands.CommandError], int] = {
    commands.MalformedStatement: 400,
    commands.KeyHeaderMismatch: 400,
    commands.SignatureRefused: 403,
    commands.KeyUnknown: 403,
    commands.Forbidden: 403,
    commands.NotFound: 404,
    commands.Erased: 410,
    commands.Restricted: 423,
}


def kind_of(error: Exception) -> Kind:
    """The kind of problem that an error is."""
    return kind_of_class(type(error))


def kind_of_class(cls: type[Exception]) -> Kind:
    """The kind of problem that a class of errors is."""
    for known in cls.__mro__:
        if known in KINDS:
            return KINDS[known]
    if issubclass(cls, http.HttpError):
        return Kind(cls.code, cls.status, cls.zh, cls.sentence())
    if issubclass(cls, DomainError):
        return Kind(cls.code, UNPROCESSABLE, cls.zh, cls.sentence())
    if issubclass(cls, commands.CommandError):
        status = _COMMAND_STATUS.get(cls, UNPROCESSABLE)
        return Kind(cls.code, status, cls.zh, (cls.__doc__ or cls.code).partition("\n")[0])
    return INTERNAL


def all_kinds() -> dict[str, Kind]:
    """Every kind of problem that this server can answer with, by slug."""
    roots: tuple[type[Exception], ...] = (http.HttpError, commands.CommandError, DomainError)
    known = [*KINDS.values(), INTERNAL]
    known += [kind_of_class(cls) for root in roots for cls in _tree(root)]
    return {kind.slug: kind for kind in sorted(known, key=lambda kind: kind.slug)}


def problem(error: Exception, request: Request) -> Response:
    """The response for an error: `application/problem+json`, never cached; of a page, a page.

    What the error knows beyond its sentence stands under `facts`, free of personal data.
    """
    kind = kind_of(error)
    body = _document(kind, error, request)
    if PAGE in request.scope:
        answer: Response = request.scope[PAGE](request, kind, body)
        return answer
    english = wants_english(request)
    headers = {"Cache-Control": "no-store", "Content-Language": "en" if english else "zh-CN"}
    if kind.status == KINDS[TokenRefusedError].status:
        headers["WWW-Authenticate"] = "Bearer"
    if kind.slug == _UNAVAILABLE.slug:
        headers["Retry-After"] = RETRY_SECONDS
    if isinstance(error, store.Backlogged):
        headers["Retry-After"] = str(error.retry_after)
    headers |= getattr(error, "headers", None) or {}
    return Response(orjson.dumps(body, default=str), kind.status, headers, MEDIA_TYPE)


def line_problem(error: Exception, request: Request) -> dict[str, Any]:
    """The problem of one line of a request whose other lines stand; logged if nobody foresaw it."""
    kind = kind_of(error)
    if kind is INTERNAL:
        log.error("line-failed", request_id=request.scope.get(REQUEST_ID), exc_info=error)
    return _document(kind, error, request)


def foreseen(error: Exception, request: Request) -> Response | None:
    """The response for an error that has a kind; None for one that nobody foresaw."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return problem(
            http.MalformedParameter(parameter=str(first["loc"][-1]), reason=first["type"]), request
        )
    if isinstance(error, HTTPException):
        kind = _FRAMEWORK.get(error.status_code, http.HttpError)
        return problem(kind(error.headers), request)
    return None if kind_of(error) is INTERNAL else problem(error, request)


def unexpected(error: Exception, request: Request) -> Response:
    """The response for an error that nobody foresaw; logged, and silent about itself."""
    log.error("request-failed", request_id=request.scope.get(REQUEST_ID), exc_info=error)
    return problem(error, request)


def wants_english(request: Request) -> bool:
    """Whether the caller prefers English; zh-CN is the default."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return first.startswith("en")


def _document(kind: Kind, error: Exception, request: Request) -> dict[str, Any]:
    return {
        "type": f"/problems/{kind.slug}",
        "title": kind.en if wants_english(request) else kind.zh,
        "status": kind.status,
        "facts": _facts(error),
        "request_id": request.scope.get(REQUEST_ID),
    }


def _facts(error: Exception) -> Mapping[str, Any]:
    """What may be told beyond the sentence; whose stream holds a claim may not."""
    if isinstance(error, store.ClaimTaken | store.ClaimNotHeld | store.WritesHalted):
        return {"kind": error.kind}
    if isinstance(error, store.VersionConflict):
        return {"expected": error.expected, "actual": error.actual}
    if isinstance(error, store.StoreUnavailable):
        return {"in_doubt": error.in_doubt}
    facts: Mapping[str, Any] = getattr(error, "facts", None) or {}
    named = {name: _plain(facts[name]) for name in _NAMING if isinstance(facts.get(name), str)}
    return {**facts, **named}


def _plain(pointer: str) -> str:
    """The pointer without names that a caller made up: somebody's number may stand for one."""
    parts = pointer.split("/")
    return "/".join(part if _SAYS_NOTHING(part) else "…" for part in parts)


def _tree(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(cls for child in root.__subclasses__() for cls in _tree(child))]
