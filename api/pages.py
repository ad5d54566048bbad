"""The few pages for people: the front page, and one for each kind of problem. zh-CN first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.errors import AddressUnknown
from api.frame import page, static
from api.parts import serving_of
from api.problems import Kind, all_kinds

router = APIRouter(tags=["pages"])


@dataclass(frozen=True, slots=True)
class Link:
    """An address worth opening, in both languages."""

    address: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a problem, in both languages."""

    zh: str
    en: str


LINKS = (
    Link("/checkpoint", "最新的签名检查点", "The newest signed checkpoint"),
    Link("/log.vkey", "账本的验证公钥", "The keys that verify the log"),
    Link("/policy", "信任策略文件", "A trust policy for verifiers"),
    Link("/verify", "核验电子预防接种证（可离线）", "Verify a certificate, offline too"),
    Link("/openapi.json", "接口说明（OpenAPI 3.1）", "The interface, as OpenAPI 3.1"),
    Link("/problems", "全部问题类型及处理办法", "Every kind of problem, and what to do"),
    Link("/readyz", "运行状态", "Whether everything works"),
    Link("/version", "版本、数据库结构与密钥", "Version, schema and keys"),
    Link("/metrics", "监测指标（Prometheus）", "Metrics for Prometheus"),
)
_READ_AGAIN = Advice(
    "未写入任何内容。请重新读取当前版本，据此重新签名，并用新的 Idempotency-Key 提交。",
    "Nothing was stored. Read the current version, sign anew on its basis, and send it under a new "
    "Idempotency-Key.",
)
_LATER = Advice(
    "请稍后用同一 Idempotency-Key 原样重发；写入不会重复。若有 Retry-After，请按其等待。",
    "Send the same request again later, with the same Idempotency-Key: it is written once. Wait as "
    "Retry-After says.",
)
_CORRECT = Advice(
    "未写入任何内容。请按上述说明和 facts 中的位置（pointer）改正；签名内容有改动的须重新签名。",
    "Nothing was stored. Correct what the sentence and the pointer in `facts` name; what was "
    "signed is to be signed anew.",
)
ADVICE: Mapping[int, Advice] = {
    401: Advice(
        "请向身份服务重新取得访问令牌，放入 Authorization: Bearer。",
        "Get a new access token from the issuer and send it as Authorization: Bearer.",
    ),
    403: Advice(
        "未写入任何内容。请核对所用的机构、角色、区划和签名密钥。",
        "Nothing was stored. Check organisation, role, division and signing key.",
    ),
    404: Advice(
        "请核对地址。不存在与无权查看的回答相同。",
        "Check the address. What does not exist and what you may not see answer alike.",
    ),
    409: _READ_AGAIN,
    410: Advice(
        "该个人信息已依法删除，不能恢复；账本条目和证明仍然有效。",
        "The personal data was erased and does not come back; entries and proofs still hold.",
    ),
    412: _READ_AGAIN,
    423: Advice(
        "该档案按《个人信息保护法》第四十七条限制处理。请联系所在县（区）疾控中心。",
        "The record is restricted under article 47 of the PIPL. Ask the county's CDC.",
    ),
    428: Advice(
        '请先读取该记录，把其 ETag（如 "3"）放入 If-Match。',
        'Read the record first, and send its ETag, such as "3", as If-Match.',
    ),
    500: Advice(
        "请把 request_id 告知运营方；可用同一 Idempotency-Key 原样重发。",
        "Tell the operator the request_id. The same request may be sent again with the same "
        "Idempotency-Key.",
    ),
    503: _LATER,
}


@router.get("/", operation_id="getFrontPage")
async def front_page(request: Request) -> Response:
    """What this is, and what there is to open."""
    origin = serving_of(request).parts.settings.origin
    return page(request, "landing.html", links=LINKS, origin=origin)


@router.get("/style.css", operation_id="getStyle")
async def style() -> Response:
    """The style of all pages."""
    return static("style.css")


@router.get("/page.js", operation_id="getPageScript")
async def script() -> Response:
    """What pages add for browsers that run scripts; all of them work without."""
    return static("page.js")


@router.get("/icon.svg", operation_id="getIcon")
async def icon() -> Response:
    """The sign in a browser's tab."""
    return static("icon.svg")


@router.get("/problems", operation_id="listProblems")
async def problems(request: Request) -> Response:
    """Every kind of problem."""
    return page(request, "problems.html", kinds=all_kinds().values())


@router.get("/problems/{slug}", operation_id="getProblem")
async def problem(request: Request, slug: str) -> Response:
    """One kind of problem: its cause, what to do, an example."""
    kind = all_kinds().get(slug)
    if kind is None:
        raise AddressUnknown
    return page(
        request,
        "problem.html",
        kind=kind,
        advice=ADVICE.get(kind.status, _CORRECT),
        example=json.dumps(_example(kind), ensure_ascii=False, indent=2),
    )


def _example(kind: Kind) -> Mapping[str, Any]:
    return {
        "type": f"/problems/{kind.slug}",
        "title": kind.zh,
        "status": kind.status,
        "facts": {},
        "request_id": "5f2b9c0d7e1a4836",
    }
