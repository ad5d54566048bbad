"""Signing in with a browser: an access token in a cookie that no script and no other site gets.

The cookie opens pages only: addresses under `/v1` take the `Authorization` header alone, so no
page of another site can make a browser write. With a configured issuer the token is that issuer's;
without one, whoever sits at this machine chooses who to be.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Depends, Request
from starlette.responses import Response

from api.callers import caller_of
from api.development import LIFETIME_SECONDS, WARNING, check_loopback
from api.errors import AddressUnknown, MalformedForm
from api.frame import SIGN_IN, go_to, own_address, page, page_router, read_form
from api.parts import Serving, serving_of
from api.wording import ROLES
from bootstrap.tokens import MAX_TOKEN_CHARS, TokenRefusedError
from commands.principal import Principal, Role, VerifiedIdentity
from domain.organisation import OrganisationKind

SESSION = "session"
"""Name of the cookie."""
MAX_CHOICES = 500
_ROLES: Mapping[str, Role] = {
    OrganisationKind.CLINIC: Role.CLINIC,
    OrganisationKind.SCHOOL: Role.SCHOOL,
    OrganisationKind.TOWNSHIP: Role.TOWNSHIP,
    OrganisationKind.COUNTY_CDC: Role.COUNTY_CDC,
    OrganisationKind.CITY_CDC: Role.CITY_CDC,
    OrganisationKind.PROVINCE_CDC: Role.PROVINCE_CDC,
    OrganisationKind.EDUCATION: Role.EDUCATION,
    OrganisationKind.REGULATOR: Role.REGULATOR,
    OrganisationKind.INTEGRATOR: Role.INTEGRATOR,
}
_DIVISION_DIGITS = {Role.CITY_CDC: 4, Role.PROVINCE_CDC: 2}
"""The source's six digits of a city or province name it; what lies in it begins with fewer."""

router = page_router()


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody to be, on the sign-in page of the development issuer."""

    key: str
    zh: str
    en: str


def _reader(request: Request) -> Principal:
    if "authorization" in request.headers:
        return caller_of(request)
    token = request.cookies.get(SESSION)
    if token is None:
        raise TokenRefusedError
    return serving_of(request).parts.tokens.principal(token)


Reader = Annotated[Principal, Depends(_reader)]
"""Who is signed in; whoever is not is sent to the sign-in page."""


@router.get(SIGN_IN)
async def sign_in_page(request: Request) -> Response:
    """Ask who it is."""
    serving = serving_of(request)
    is_development = serving.parts.settings.issuer is None
    choices = await to_thread.run_sync(_choices, serving) if is_development else []
    return page(
        request,
        "sign-in.html",
        is_development=is_development,
        warning=WARNING,
        choices=choices,
        following=own_address(request.query_params.get("next")),
    )


@router.post(SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Take a token, or in development who to be, and go on."""
    form = await read_form(request)
    serving = serving_of(request)
    if serving.parts.settings.issuer is None:
        check_loopback(request)
        principal = await to_thread.run_sync(_chosen, serving, form)
        token = serving.parts.issuer.mint(
            principal, issued_at=int(time.time()), lifetime_seconds=LIFETIME_SECONDS
        )
    else:
        token = form.get("token", "").strip()
    if len(token) >= MAX_TOKEN_CHARS:
        raise TokenRefusedError
    serving.parts.tokens.principal(token)
    response = go_to(own_address(form.get("next")))
    response.set_cookie(SESSION, token, secure=True, httponly=True, samesite="strict")
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Forget the token."""
    await read_form(request)
    response = go_to("/")
    response.delete_cookie(SESSION, secure=True, httponly=True, samesite="strict")
    return response


def _choices(serving: Serving) -> list[Choice]:
    found = serving.views.organisations.within("")[:MAX_CHOICES]
    choices = [
        Choice(
            str(row.organisation),
            f"{ROLES[_ROLES[row.kind]]['zh']}：{row.name}（{row.division}）",
            f"{ROLES[_ROLES[row.kind]]['en']}: {row.name_en or row.name} ({row.division})",
        )
        for row in found
        if row.kind in _ROLES
    ]
    return [
        Choice("regulator", "监管（全部区划）", "regulator of all divisions"),
        Choice("operator", "运营方", "operator"),
        *choices,
        Choice("guardian", "监护人（填写下列实名）", "guardian (fill in name and number)"),
        Choice("adult", "成年受种者（填写下列实名）", "adult recipient (likewise)"),
    ]


def _chosen(serving: Serving, form: Mapping[str, str]) -> Principal:
    """Whom the form names.

    Raises:
        MalformedForm: nobody.
        AddressUnknown: no such organisation.
    """
    who = form.get("who", "")
    if who in {Role.GUARDIAN, Role.ADULT}:
        name, number = form.get("name", "").strip(), form.get("id_number", "").strip()
        if not name or not number:
            raise MalformedForm
        identity = VerifiedIdentity(name, number, None, face_verified=True)
        one = serving.parts.services.vault.keys.digest(SESSION, number).hex()[:16]
        return Principal(f"development-{who}-{one}", Role(who), None, "", identity)
    if who in {Role.REGULATOR, Role.OPERATOR}:
        operator = serving.parts.secrets.operator
        return Principal(f"development-{who}", Role(who), operator, "")
    try:
        row = serving.views.organisations.get(UUID(who))
    except ValueError as error:
        raise MalformedForm from error
    if row is None or row.kind not in _ROLES:
        raise AddressUnknown
    role = _ROLES[row.kind]
    division = row.division[: _DIVISION_DIGITS.get(role, len(row.division))]
    return Principal(f"development-{role}", role, row.organisation, division)
