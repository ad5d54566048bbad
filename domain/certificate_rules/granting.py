"""A grant as a holder asks for it: decided by the certificate itself (C-14 to C-18)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from domain.calendar import start_of_day
from domain.certificate import Certificate, Issued, NotClaimed, NotHolder
from domain.certificate_rules.rules import CertificateRules
from domain.certificate_rules.symbols import eligible, handle
from domain.effect import OnBehalf
from domain.errors import DomainError
from domain.grant import AdultNotGrantable, GrantRelation, Scope
from domain.topics import GRANTEE, SEALED_FIELDS
from domain.vocabulary import PersonKind

FIELDS = SEALED_FIELDS[Certificate.Granted.TOPIC][GRANTEE].fields
"""The four mandatory fields of a grantee (C-16), as a grant seals them."""

_BEFORE_THE_FORM = (NotClaimed, NotHolder, AdultNotGrantable)
"""Refusals for which the form is not even shown."""


@dataclass(frozen=True)
class GrantQuestion:
    """A grant that someone asks for.

    Attributes:
        kind: Whose certificate it is.
        claimed_by: Who holds it, if anyone.
        granted_by: Who asks.
        active: How many grants hold already.
        grantee: What the form says, by field; blank where a field is left out.
        is_granted_already: Whether the grantee has one of those grants.
    """

    kind: PersonKind
    claimed_by: str | None
    granted_by: str
    active: int
    grantee: Mapping[str, str]
    is_granted_already: bool


def check_grant(question: GrantQuestion, rules: CertificateRules) -> None:
    """Check a grant: first who may grant at all, then the form, then the grant.

    Raises:
        DomainError: As `Certificate.grant`, and what is missing in the form (C-16).
    """
    refusal = _refusal(question, rules)
    if isinstance(refusal, _BEFORE_THE_FORM):
        raise refusal
    for name, field in FIELDS.items():
        if not question.grantee.get(name, "").strip():
            raise field.missing
    if refusal is not None:
        raise refusal


def _refusal(question: GrantQuestion, rules: CertificateRules) -> DomainError | None:
    try:
        _grant(_held(question, rules), question, rules, question.granted_by, _grantee(question))
    except DomainError as refused:
        return refused
    return None


def _grantee(question: GrantQuestion) -> UUID:
    return handle(question.grantee.get("id_number", ""))


def _held(question: GrantQuestion, rules: CertificateRules) -> Certificate:
    """Claim a certificate and grant it as often as the question says, through its own commands.

    More grants than the rules allow cannot be, and would change no answer.
    """
    if question.claimed_by is None:
        raise NotClaimed
    holder = handle(question.claimed_by)
    certificate = Certificate.claim(
        uuid5(holder, "certificate"),
        facts=eligible(question.kind, rules),
        policy=rules.claims,
        derived=Issued(holder.hex, holder),
        recorded_at=start_of_day(rules.edition.effective_from),
        record=uuid5(holder, "record"),
        kind=question.kind,
        division=eligible(question.kind, rules).division,
        holder=holder,
    )
    others = [uuid5(holder, str(number)) for number in range(rules.claims.max_grants)]
    if question.is_granted_already:
        others.insert(0, _grantee(question))
    if question.kind is PersonKind.CHILD:
        active = max(question.active, int(question.is_granted_already))
        for grantee in others[: min(active, rules.claims.max_grants)]:
            _grant(certificate, question, rules, question.claimed_by, grantee)
    return certificate


def _grant(
    certificate: Certificate,
    question: GrantQuestion,
    rules: CertificateRules,
    by: str,
    grantee: UUID,
) -> None:
    relation: Any = question.grantee.get("relation")
    known = relation in tuple(GrantRelation)
    certificate.grant(
        policy=rules.claims,
        derived=OnBehalf(handle(by)),
        recorded_at=start_of_day(rules.edition.effective_from),
        grant=uuid5(grantee, str(certificate.version)),
        grantee=grantee,
        relation=GrantRelation(relation) if known else GrantRelation.OTHER,
        scope=tuple(Scope),
    )
