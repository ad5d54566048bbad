"""An answer of certificate rules: what a case states, and the sentences behind it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.certificate_rules.rules import Advice, CertificateRules
from domain.errors import DomainError
from domain.schedules.edition import Wording
from domain.schedules.finding import Finding


@dataclass(frozen=True)
class Answer:
    """What a rule says.

    Attributes:
        actual: The members that `expected` may name.
        findings: The conclusions in words, under the numbers of their rules.
        usual: Names of the members that are stated unasked; None for all.
    """

    actual: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    usual: tuple[str, ...] | None = None

    def chosen(self, asked: Iterable[str] | None) -> dict[str, Any]:
        """Return the members that are asked for, or the usual ones when none are named."""
        names = self.usual if asked is None else asked
        if names is None:
            return self.actual
        return {name: self.actual[name] for name in names if name in self.actual}


def allowed() -> Answer:
    """Answer that something may be done."""
    return Answer({"allowed": True, "reason": None})


def refused(refusal: DomainError, rules: CertificateRules) -> Answer:
    """Answer that something may not be done, why, and what to do next."""
    sentence = Wording(refusal.zh, refusal.sentence())
    finding = Finding(rules.reasons[refusal.code], refusal.code, sentence)
    return Answer({"allowed": False, "reason": refusal.code}, (finding,))


def told(advice: Advice) -> Finding:
    """Return a piece of advice as a conclusion."""
    return Finding(advice.rule, advice.code, advice.sentence)
