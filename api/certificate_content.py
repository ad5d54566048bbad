"""What a certificate says on a day, of many certificates at once (C-1, C-2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from api.clocks import Clocks
from api.errors import AddressUnknown
from api.forecasting import coming_doses
from api.parts import Serving
from api.people import Wanted, organisation_names, people_each
from api.reads import dose_lines, row_as_of
from api.turns import outcomes
from commands.access import Purpose
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.statements import PAPER_DIFFERS
from commands.states import STATE_KINDS, check_held
from domain.calendar import birthday
from domain.certificate_rules.content import shown_doses
from domain.vocabulary import PersonKind
from projections.about_record import AboutCertificate, AboutRecord
from projections.asking import Asked
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


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at which certificate.

    Attributes:
        caller: Who.
        certificate: Which.
        as_of: On which day, as known when.
        is_holder: Whether the caller, a citizen, holds it; citizens were let in before.
        purpose: What for, if it was said.
    """

    caller: Principal
    certificate: UUID
    as_of: Clocks
    is_holder: bool = False
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """What may be shown of a certificate: as known then, its record, and its grants."""

    look: Look
    row: CertificateRow
    about: AboutRecord
    grants: Sequence[GrantRow]

    def people(self) -> Wanted:
        """Whose names stand in it."""
        handles = {self.about.row.recipient, self.row.holder, *(g.grantee for g in self.grants)}
        return Wanted(handles, self.look.as_of.day, self.look.as_of.position)


def certificate_body(
    serving: Serving, caller: Principal, certificate: UUID, as_of: Clocks
) -> Mapping[str, Any]:
    """A certificate as its holder, a grantee or staff see it.

    Raises:
        AddressUnknown: There is none that the caller may see.
        Restricted, Erased: Its record may not be processed.
    """
    holds = caller.identity is not None and is_holder(serving, caller, certificate)
    (body,) = certificate_bodies(serving, [Look(caller, certificate, as_of, holds)])
    if isinstance(body, Exception):
        raise body
    return body


def is_holder(serving: Serving, caller: Principal, certificate: UUID) -> bool:
    """Whether a citizen who may see a certificate is its holder.

    Raises:
        NotFound: The caller may not see it, or there is none.
        Restricted, Erased: Its record may not be processed.
    """
    use = serving.parts.desk.certificates.use
    return use.is_holder(caller, use.shown(caller, certificate))


def certificate_bodies(
    serving: Serving, looks: Sequence[Look]
) -> list[Mapping[str, Any] | Exception]:
    """What each look shows, in their order: by one query, and the names by another.

    An error stands in the place of what may not be shown.
    """
    asked = [Asked(one.certificate, one.as_of.day, one.as_of.position) for one in looks]
    found = serving.views.about.of_certificates(asked, (*STATE_KINDS, PAPER_DIFFERS))
    shown = outcomes(_shown, looks, found)
    wanted = [one.people() for one in shown if isinstance(one, _Shown)]
    people = iter(people_each(serving.views, wanted))
    return outcomes(partial(_body, serving, people), shown)


def _shown(look: Look, found: AboutCertificate | None) -> _Shown:
    """What a caller may see of what was found.

    Raises:
        AddressUnknown: Nothing.
        Restricted, Erased: The record may not be processed.
    """
    if found is None:
        raise AddressUnknown
    if look.caller.identity is None:
        _check_staff(look.caller, found.row)
    if found.about is None:
        raise AddressUnknown
    check_held(found.about.held)
    at = OPEN_POSITION - 1 if look.as_of.position is None else look.as_of.position
    row = found.row.known_at(at)
    if row is None:
        raise AddressUnknown
    grants = [grant for one in found.grants if (grant := one.known_at(at))]
    return _Shown(look, row, found.about, grants if look.is_holder else ())


def _check_staff(caller: Principal, row: CertificateRow) -> None:
    """Let in staff within whose scope the record lies; to others it does not exist."""
    try:
        check_read(caller, "record", Scope(row.division))
    except Forbidden as error:
        raise AddressUnknown from error


def _body(
    serving: Serving, people: Iterator[Mapping[UUID, Mapping[str, Any]]], shown: _Shown
) -> Mapping[str, Any]:
    """What is shown, with the names that come next."""
    look, row, about, record = shown.look, shown.row, shown.about, shown.about.row
    day, known = look.as_of.day, next(people)
    doses = shown_doses(about.doses, RULES.sources_not_shown(day))
    managing = record.managing_organisation
    return {
        **vars(row),
        "position": _position(serving, look.as_of),
        "effective_on": day,
        "person": _named(known[record.recipient], "name", "sex", "birth_date"),
        "holder": _named(known[row.holder], "name"),
        "doses": dose_lines(serving, doses, about.corrections),
        "next_due": coming_doses(
            serving.parts.services.rules,
            row_as_of(serving, record, look.as_of),
            known[record.recipient],
            doses,
            about.contraindications,
            day,
        ),
        "comes_of_age_on": _comes_of_age(serving, row.kind, known[record.recipient]),
        "is_holder": look.is_holder,
        "total": len(about.doses),
        "withheld": len(about.doses) - len(doses),
        "grants": [_grant(one, known, day) for one in shown.grants],
        "managed_by": {
            "organisation": managing,
            "name": organisation_names(serving.views, [managing])[managing],
        },
        "paper_differs": PAPER_DIFFERS in about.held,
        "notice": NOTICE,
        "advice": ADVICE,
    }


def _position(serving: Serving, as_of: Clocks) -> int:
    return serving.projected.reached if as_of.position is None else as_of.position


def _grant(
    grant: GrantRow, people: Mapping[UUID, Mapping[str, Any]], day: date
) -> Mapping[str, Any]:
    return {
        **vars(grant),
        "active": grant.is_active_on(day),
        "grantee": _named(people[grant.grantee], "name"),
    }


def _comes_of_age(serving: Serving, kind: str, person: Mapping[str, Any]) -> date | None:
    """From which day on a child's certificate holds no more; None for an adult's."""
    born: date | None = person.get("birth_date")
    if kind != PersonKind.CHILD or born is None:
        return None
    return birthday(born, serving.parts.services.rules.claims.adult_age)


def _named(person: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return {name: person.get(name) for name in ("handle", "erased", *names)}
