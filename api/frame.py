"""The frame of every page: one look, two languages, and errors that are pages themselves.

To add a page: put a template beside the others that extends `base.html`, make a `page_router()` in
a module of your own, and in each route `return page(request, "your.html", caller=caller, ...)`;
take `caller: Reader` from `api.session` for whoever is signed in. In templates
`t("中文", "English")` says a text in the reader's language. Forms are read with `read_form`, which
refuses what another site sent. A page that people look for has a row in `NAVIGATION`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Depends, Request
from fastapi.params import Depends as DependsOn
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from api.body import parse_aside, read_body
from api.coded import said
from api.errors import ForeignForm, MalformedForm
from api.problems import PAGE, Kind
from commands.principal import Principal, Role

Language = Literal["zh", "en"]

LANGUAGE = "language"
"""Cookie that keeps the language chosen with `?lang=`."""
SIGN_IN = "/sign-in"
_TAGS: Mapping[str, str] = {"zh": "zh-CN", "en": "en"}
_YEAR_SECONDS = 31_536_000
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_MAX_FIELDS = 500
_MAX_FORM_BYTES = 16_384
"""The largest has an access token of 4,096 characters; one of dose fields takes some 2,000."""
_UNAUTHENTICATED = 401

_STATIC = {
    name: (resources.files("api").joinpath(f"templates/{name}").read_bytes(), media_type)
    for name, media_type in (
        ("style.css", "text/css"),
        ("page.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
        ("qr.js", "text/javascript"),
        ("scan.js", "text/javascript"),
        ("scanner.js", "text/javascript"),
        ("visits.js", "text/javascript"),
        ("verify.js", "text/javascript"),
        ("credential.js", "text/javascript"),
        ("verify-worker.js", "text/javascript"),
    )
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A page in the navigation, for those roles."""

    address: str
    zh: str
    en: str
    roles: frozenset[Role]


_RECORD_READERS = frozenset(
    (Role.CLINIC, Role.COUNTY_CDC, Role.CITY_CDC, Role.PROVINCE_CDC, Role.REGULATOR)
)
_OVERSEERS = frozenset(
    (
        Role.TOWNSHIP,
        Role.COUNTY_CDC,
        Role.CITY_CDC,
        Role.PROVINCE_CDC,
        Role.EDUCATION,
        Role.REGULATOR,
    )
)
NAVIGATION: tuple[Tab, ...] = (
    Tab("/my", "我的接种证", "My certificates", frozenset((Role.GUARDIAN, Role.ADULT))),
    Tab("/book", "预约接种", "Bookings", frozenset((Role.GUARDIAN, Role.ADULT))),
    Tab("/desk", "门诊工作台", "Clinic desk", frozenset((Role.CLINIC,))),
    Tab("/site", "预约核验", "Bookings of the site", frozenset((Role.CLINIC,))),
    Tab(
        "/supply",
        "号源",
        "Supply",
        frozenset((Role.COUNTY_CDC, Role.CITY_CDC, Role.PROVINCE_CDC)),
    ),
    Tab("/school", "接种证查验", "School check", frozenset((Role.SCHOOL,))),
    Tab("/roll-up", "查验汇总", "School checks", _OVERSEERS),
    Tab("/corrections", "更正", "Corrections", _RECORD_READERS),
    Tab("/audit", "档案审计", "Audit a record", _RECORD_READERS),
    Tab("/operator", "运行状况", "Operation", frozenset((Role.OPERATOR,))),
)
"""In the order in which they stand."""


@pass_context
def _say(context: Context, zh: str, en: str) -> str:
    """Say a text in the reader's language."""
    return en if context["lang"] == "en" else zh


@pass_context
def _said(context: Context, field: str, value: Any) -> str:
    """Say what a value of a field is called; a dash where there is none."""
    if value is None or value == "":
        return "—"
    called = said(field, value)
    return called["en"] if context["lang"] == "en" else called["zh"]


def _json(value: Any) -> Markup:
    """A JSON value for people."""
    return Markup.escape(json.dumps(value, ensure_ascii=False, indent=2, default=str))


_TEMPLATES = Environment(
    loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.globals["t"] = _say
_TEMPLATES.globals["said"] = _said
_TEMPLATES.filters["json"] = _json


def language_of(request: Request) -> Language:
    """The reader's language: chosen in the address, else kept from before, else Chinese."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
    return "en" if chosen == "en" else "zh"


def page(
    request: Request,
    template: str,
    *,
    caller: Principal | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    """A page in the frame.

    Args:
        request: What is answered.
        template: One that extends `base.html`.
        caller: Who is signed in.
        status: Of the answer.
        **values: What the template shows.
    """
    language = language_of(request)
    tabs = [tab for tab in NAVIGATION if caller is not None and caller.role in tab.roles]
    html = _TEMPLATES.get_template(template).render(
        values,
        lang=language,
        language_tag=_TAGS[language],
        here=request.url.path,
        in_language=lambda other: _in_language(request, other),
        caller=caller,
        tabs=tabs,
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Content-Language": _TAGS[language],
        "Cache-Control": "no-store",
    }
    response = Response(html, status, headers, "text/html; charset=utf-8")
    if "lang" in request.query_params:
        response.set_cookie(LANGUAGE, language, _YEAR_SECONDS, samesite="lax", httponly=True)
    return response


def page_router(*dependencies: DependsOn) -> APIRouter:
    """A router for pages: no part of the described interface, and its errors are pages.

    Args:
        *dependencies: What else each of its routes depends on.
    """
    return APIRouter(
        tags=["pages"],
        dependencies=[Depends(_answer_as_page), *dependencies],
        include_in_schema=False,
    )


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form that one of our own pages sent.

    Raises:
        ForeignForm: another site made the browser send it.
        MalformedForm: too many fields, one given twice, or no UTF-8.
        UnsupportedMediaType, BodyTooLarge, BodyTooSlow: likewise.
    """
    check_own_form(request)
    raw = await read_body(request, limit=_MAX_FORM_BYTES, media="application/x-www-form-urlencoded")
    try:
        pairs = await parse_aside(request, _pairs, raw)
    except ValueError as error:
        raise MalformedForm from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedForm
    return fields


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    return parse_qsl(
        raw.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
    )


def check_own_form(request: Request) -> None:
    """Refuse what another site made the browser send; for forms that are not read here.

    Raises:
        ForeignForm: the browser says so, or does not say that it is ours.
    """
    site = request.headers.get("sec-fetch-site")
    if site is None:  # an old browser, or an address without TLS
        origin = request.headers.get("origin", "").partition("://")[2]
        site = "same-origin" if origin == request.headers.get("host") else "cross-site"
    if site != "same-origin":
        raise ForeignForm


def own_address(text: str | None) -> str:
    """An address of this server to go on to; the front page for any other."""
    if text is None or not text.startswith("/") or text[1:2] in {"/", "\\"}:
        return "/"
    return text if text.isprintable() else "/"


def static(name: str) -> Response:
    """A file that pages load."""
    content, media_type = _STATIC[name]
    return Response(content, media_type=media_type, headers={"Cache-Control": "max-age=3600"})


def _answer_as_page(request: Request) -> None:
    """Note that whatever goes wrong with this request is answered as a page."""
    request.scope[PAGE] = _problem_page


def _problem_page(request: Request, kind: Kind, document: Mapping[str, Any]) -> Response:
    """A problem as a page; who is not signed in is asked to."""
    if kind.status == _UNAUTHENTICATED and request.method == "GET":
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return go_to(f"{SIGN_IN}?next={quote(here, safe='/')}")
    return page(
        request, "failure.html", status=kind.status, kind=kind, facts=document.get("facts") or {}
    )


def go_to(address: str) -> RedirectResponse:
    """Send the browser on with a GET."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


def _in_language(request: Request, language: Language) -> str:
    """The address of this page in a language."""
    url = request.url.include_query_params(lang=language)
    return f"{url.path}?{url.query}"
