"""What a clinic's audit of a child's doses found, and which form says so (S-10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from domain.errors import DomainError
from domain.verdict import Finding


class Template(StrEnum):
    """Which form of annex 2 (S-10, S-33)."""

    COMPLETE = "1"
    TO_MAKE_UP = "2"
    TO_MAKE_UP_EXCEPT_CONTRAINDICATED = "2+contraindication_note"


@dataclass(frozen=True)
class Audit(Finding):
    """What the clinic's audit found, and which form says so.

    Attributes:
        template: form of annex 2.
        reissue_certificate: whether the certificate is reissued with it (S-10).
    """

    template: Template = field(kw_only=True)
    reissue_certificate: bool = field(kw_only=True)


class NotJudgeable(DomainError):
    """The requirements have no row for this age; no statement can be issued."""

    code = "not-judgeable"
    zh = "该年龄无对应查验要求，不能出具查验证明。"


def template_for(finding: Finding) -> Template:
    """The form of annex 2 that says what was found (S-10, X-5).

    Raises:
        NotJudgeable: no row of the requirements fits the age (X-3).
    """
    if finding.complete is None:
        raise NotJudgeable(age_years=finding.age_years)
    if finding.missing:
        return Template.TO_MAKE_UP
    return Template.TO_MAKE_UP_EXCEPT_CONTRAINDICATED if finding.exempt else Template.COMPLETE
