"""The electronic certificate as its holder, a grantee or staff see it on a day (C-1, C-2)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.errors import AddressUnknown
from api.forecasting import coming_doses
from api.guessing import GUESSES
from api.noting import begin_note
from api.parts import Serving, serving_of
from api.people import organisation_names, people_on
from api.reads import NO_STORE, dose_lines, row_as_of
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.statements import PAPER_DIFFERS
from commands.states import STATE_KINDS, check_held
from domain.calendar import birthday
from domain.certificate_rules.content import shown_doses
from domain.vocabulary import PersonKind
from projections.about_record import AboutRecord
from projections.certificates import RULES, CertificateRow, GrantRow
from projections.pieces import OPEN_POSITION

NOTICE = {
    "zh": "当前接种记录没有实现全国联网，部分历史或省外接种数据不够完整准确："
    "此处没有某次接种的记录，不等于没有接种。请与纸质预防接种证联合使用。",
    "en": "Vaccination records are not yet joined nationwide, and some earlier doses or doses from "
    "other provinces are missing or inexact: that a dose is not listed here does not mean that it "
    "was not given. Use together with the paper certificate.",
}
"""C-27 and C-4, shown with every view of a certificate."""
ADVICE = {
    "zh": "前往外省前，请将纸质预防接种证补充打印完整，并随身携带；"
    "在外省的接种回本地后请及时补录。",
    "en": "Before you leave the province, have the paper certificate printed up to date and take "
    "it along; have doses that were given elsewhere entered when you are back.",
}
"""C-25 and C-26."""

router = APIRouter(prefix="/v1/certificates", tags=["certificates"], dependencies=[GUESSES])


@router.get("/{certificate}", operation_id="getCertificate", response_class=Response)
async def get_certificate(
    request: Request,
    caller: Caller,
    certificate: UUID,
    as_of: AsOf,
) -> Response:
    """The doses of a certificate on a day, each with its provenance (C-1, C-27).

    `paper_differs` tells that a clinic found paper and record to differ, which is not settled yet
    (C-4); `advice` is what to do before leaving the province (C-25).

    `comes_of_age_on` is the day on which a child's certificate ends; the grown-up then claims one.

    `next_due` tells the doses to come by the immunization schedule in force on that day.

    For its holder, for a grantee with the scope `view`, and for staff within whose scope the
    record lies; to everyone else it does not exist.
    """
    serving = serving_of(request)

    def answer() -> Response:
        body = certificate_body(serving, caller, certificate, as_of)
        noted = begin_note(request, caller, "certificate", [body["record"]])
        response = json_response(body, headers=NO_STORE)
        noted.result()
        return response

    return await to_thread.run_sync(answer, limiter=serving.threads)


def certificate_body(
    serving: Serving, caller: Principal, certificate: UUID, as_of: Clocks
) -> Mapping[str, Any]:
    """A certificate as its holder, a grantee or staff see it.

    Raises:
        AddressUnknown: There is none that the caller may see.
    """
    day, at = as_of.day, OPEN_POSITION - 1 if as_of.position is None else as_of.position
    known_now = serving.views.certificates.get(certificate)
    if known_now is None:
        raise AddressUnknown
    is_holder = _check_may_see(serving, caller, known_now)
    row, about = known_now.known_at(at), _about(serving, known_now, as_of)
    record = about.row
    if row is None:
        raise AddressUnknown
    doses = shown_doses(about.doses, RULES.sources_not_shown(day))
    grants = _grants(serving, certificate, at) if is_holder else []
    grantees = {grant.grantee for grant in grants}
    people = people_on(serving.views, {record.recipient, row.holder, *grantees}, day, at)
    return {
        **asdict(row),
        "position": serving.projected.reached if as_of.position is None else at,
        "effective_on": day,
        "person": _named(people[record.recipient], "name", "sex", "birth_date"),
        "holder": _named(people[row.holder], "name"),
        "doses": dose_lines(serving, doses, about.corrections),
        "next_due": coming_doses(
            serving.parts.services.rules,
            row_as_of(serving, record, as_of),
            people[record.recipient],
            doses,
            about.contraindications,
            day,
        ),
        "comes_of_age_on": _comes_of_age(serving, row.kind, people[record.recipient]),
        "is_holder": is_holder,
        "total": len(about.doses),
        "withheld": len(about.doses) - len(doses),
        "grants": [
            asdict(grant)
            | {
                "active": grant.is_active_on(day),
                "grantee": _named(people[grant.grantee], "name"),
            }
            for grant in grants
        ],
        "managed_by": {
            "organisation": record.managing_organisation,
            "name": organisation_names(serving.views, [record.managing_organisation])[
                record.managing_organisation
            ],
        },
        "paper_differs": PAPER_DIFFERS in about.held,
        "notice": NOTICE,
        "advice": ADVICE,
    }


def _about(serving: Serving, row: CertificateRow, as_of: Clocks) -> AboutRecord:
    """What is known of a certificate's record.

    Raises:
        AddressUnknown: The views have none.
        Restricted, Erased: It may not be processed.
    """
    about = serving.views.about.get(
        row.record, as_of.day, as_of.position, kinds=(*STATE_KINDS, PAPER_DIFFERS)
    )
    if about is None:
        raise AddressUnknown
    check_held(about.held)
    return about


def _comes_of_age(serving: Serving, kind: str, person: Mapping[str, Any]) -> date | None:
    """From which day on a child's certificate holds no more; None for an adult's."""
    born: date | None = person.get("birth_date")
    if kind != PersonKind.CHILD or born is None:
        return None
    return birthday(born, serving.parts.services.rules.claims.adult_age)


def _grants(serving: Serving, certificate: UUID, position: int) -> list[GrantRow]:
    found = (row.known_at(position) for row in serving.views.certificates.grants(certificate))
    return [row for row in found if row is not None]


def _check_may_see(serving: Serving, caller: Principal, row: CertificateRow) -> bool:
    """Whether the caller is the holder; raises for whoever may not see the certificate at all."""
    if caller.identity is None:
        try:
            check_read(caller, "record", Scope(row.division))
        except Forbidden as error:
            raise AddressUnknown from error
        return False
    use = serving.parts.desk.certificates.use
    return use.is_holder(caller, use.shown(caller, row.certificate))


def _named(person: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return {name: person.get(name) for name in ("handle", "erased", *names)}
