"""The page of certificates that wait for their claim: one's own and one's children's (C-13)."""

from collections.abc import Iterable
from datetime import date

from domain.claim import ClaimFacts, ClaimPolicy, check_claim
from domain.errors import DomainError


def is_claimable(facts: ClaimFacts, policy: ClaimPolicy, today: date) -> bool:
    """Whether a claim would be allowed today, by the policy that decides claims."""
    try:
        check_claim(facts, policy, today)
    except DomainError:
        return False
    return True


def pending(
    candidates: Iterable[tuple[str, ClaimFacts]], policy: ClaimPolicy, today: date
) -> list[str]:
    """Name those whose certificates can be claimed today, in the order given."""
    return [name for name, facts in candidates if is_claimable(facts, policy, today)]
