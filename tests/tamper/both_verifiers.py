"""The product's verifier and the second one, asked the same question."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from client.errors import RefutedError
from client.verify import Extent, verify_log
from tests.second.findings import Finding
from tests.second.notes import TreeHead
from tests.second.schemas import load
from tests.second.trust import Trust
from tests.second.verifier import Given, verify
from tests.tamper.forging import Attack
from tests.unit.client.signed_log import MemorySource, signer, trust

SCHEMAS = load(Path(__file__).parents[1] / "golden" / "events")
WIDTH = 256
BY_BUNDLE = ("bundle-malformed", "envelopes-malformed")
"""Where framing is lost, the product names the bundle by its first position."""


@cache
def own_trust() -> Trust:
    return Trust.of_keys(*(key.text() for key in signer().verifier_keys()))


def product_says(attack: Attack) -> tuple[int, str] | None:
    """Return position (0 for the whole log) and reason of the first error, None if it holds."""
    try:
        verify_log(MemorySource(attack.files), trust(), Extent(blobs=True, known=attack.known))
    except RefutedError as refuted:
        return refuted.position or 0, refuted.reason
    return None


def second_says(attack: Attack, keys: Mapping[str, bytes] | None = None) -> list[Finding]:
    """Return all findings of the second verifier."""
    known = [TreeHead(seen.origin, seen.size, seen.root) for seen in attack.known]
    given = Given(own_trust(), SCHEMAS, known, with_blobs=True, keys=keys or {})
    return verify(attack.files.get, given)


def agree(product: tuple[int, str] | None, second: list[Finding]) -> bool:
    """Return whether both say that a log holds, or both name the same place first."""
    if product is None or not second:
        return product is None and not second
    position, reason = product
    first = second[0].position
    if reason in BY_BUNDLE:
        return first > 0 and (position - 1) // WIDTH == (first - 1) // WIDTH
    return position == first
