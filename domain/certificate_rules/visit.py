"""The visit that a show code opens at a clinic (亮码接种, C-2, C-19).

Queue number, registration, vaccination and observation carry one visit id; the code may be shown by
the holder, or by a grantee: that is what a grant is for.
"""

from enum import StrEnum

from domain.certificate import NotClaimed, NotHolder
from domain.certificate_rules.rules import CertificateRules
from domain.grant import AdultNotGrantable
from domain.schedules.edition import Wording
from domain.vocabulary import PersonKind


class Presenter(StrEnum):
    """Who shows the code."""

    HOLDER = "holder"
    GRANTEE = "grantee"
    OTHER = "other"


def visit_steps(
    presenter: Presenter, kind: PersonKind, rules: CertificateRules, *, is_claimed: bool
) -> tuple[Wording, ...]:
    """Return the steps that one shown code carries a visit through.

    Args:
        presenter: Who shows it.
        kind: Whose certificate it is; an adult's has no grantees (C-15).
        rules: The rules in force.
        is_claimed: Whether somebody holds the certificate; before there is no code.

    Raises:
        NotClaimed, NotHolder, AdultNotGrantable: As they say.
    """
    if not is_claimed:
        raise NotClaimed
    if presenter is Presenter.OTHER:
        raise NotHolder
    if presenter is Presenter.GRANTEE and kind is PersonKind.ADULT:
        raise AdultNotGrantable
    return rules.visit_steps
