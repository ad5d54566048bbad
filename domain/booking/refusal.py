"""A booking, or a step of one, that the rules refuse."""

from datetime import date
from typing import Self

from domain.booking.objection import Objection
from domain.booking.rules import BookingRules
from domain.errors import DomainError
from domain.schedules.finding import Finding


class BookingRefused(DomainError):
    """The booking rules do not allow this; the reasons say why."""

    code = "booking-refused"
    zh = "不符合预约规则，原因见 reasons。"

    @classmethod
    def by(cls, rules: BookingRules, *objections: Objection) -> Self:
        """Refuse by objections, the first of which is the reason."""
        return cls.told(rules, tuple(rules.finding(objection) for objection in objections))

    @classmethod
    def told(
        cls,
        rules: BookingRules,
        findings: tuple[Finding, ...],
        possible_from: date | None = None,
    ) -> Self:
        """Refuse by findings.

        Args:
            rules: The edition that they rest on.
            findings: At least one, the first to be told first.
            possible_from: First day on which time alone has removed them all, if ever.
        """
        return cls(
            reason=findings[0].code,
            reasons=[finding.describe() for finding in findings],
            possible_from=None if possible_from is None else possible_from.isoformat(),
            rules={"id": rules.edition.id, "version": rules.edition.version},
        )


class CodeRefused(DomainError):
    """This is no booking code of this platform, or it was altered."""

    code = "booking-code-refused"
    zh = "不是本平台签发的预约码，或内容被改动。"
