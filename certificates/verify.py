"""Verifying a credential, offline: a text, a trust list, status lists and a clock give a verdict.

A verdict is never better than the newest list at hand, and says of which day that is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from certificates.claims import Credential, decode_claims
from certificates.container import decode_container
from certificates.errors import CertificateError, SignatureRefused, UnknownIssuer
from certificates.history import History
from certificates.shape import civil_day
from certificates.signing import Sign1
from certificates.status import StatusList
from certificates.trust import Issuer, TrustedKey, TrustList, Usage

LEEWAY = timedelta(minutes=5)
"""How far a verifier's clock may be off."""


class Verdict(StrEnum):
    """What verification found."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    UNKNOWN_ISSUER = "unknown-issuer"
    ALTERED = "altered"
    NOT_YET_VALID = "not-yet-valid"
    STALE_LIST = "stale-list"


SENTENCES: Mapping[Verdict, tuple[str, str]] = {
    Verdict.VALID: ("有效（依据{zh}的状态名单）。", "Valid as of the status list of {en}."),
    Verdict.EXPIRED: ("已过期。", "Expired."),
    Verdict.REVOKED: ("已撤销（依据{zh}的状态名单）。", "Revoked, by the status list of {en}."),
    Verdict.SUPERSEDED: (
        "已被新证替代，请出示最新的电子证（依据{zh}的状态名单）。",
        "Replaced by a newer one, which is to be shown instead, by the status list of {en}.",
    ),
    Verdict.UNKNOWN_ISSUER: ("签发机构不在信任名单中。", "The issuer is not on the trust list."),
    Verdict.ALTERED: (
        "内容被改动，或不是有效的电子证。",
        "The content was altered, or is no credential.",
    ),
    Verdict.NOT_YET_VALID: ("尚未生效。", "Not yet valid."),
    Verdict.STALE_LIST: (
        "签名真实，但状态只能确认到{zh}，请更新名单后重新核验。",
        "Genuine, but its status is known up to {en} only; fetch newer lists and verify again.",
    ),
}
"""What each verdict says, in Chinese and English; `zh` and `en` stand for the day."""

_FINAL = (Verdict.REVOKED, Verdict.SUPERSEDED)
YOUNGER_THAN_LIST = (
    "有效（{zh}签发，晚于所持状态名单）。",
    "Valid as issued on {en}, after the status list at hand.",
)
"""Said of what is younger than the status list at hand."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What verification found.

    Attributes:
        verdict: The result.
        reason: What decided it, in English, for logs; holds nothing of the person.
        credential: What the issuer states; None unless the issuer is known and stated just this.
        issuer: Who stated it, under the same condition.
        listed_at: When the status list was made that decided; None without one.
    """

    verdict: Verdict
    reason: str
    credential: Credential | None = None
    issuer: Issuer | None = None
    listed_at: datetime | None = None

    @property
    def as_of(self) -> datetime | None:
        """Until when the status is known, which is no later than the lists at hand.

        When the status list was made, or the credential itself where that is later; None without
        credential.
        """
        if self.credential is None:
            return None
        return max(self.listed_at or self.credential.issued_at, self.credential.issued_at)

    @property
    def zh(self) -> str:
        """The sentence in Chinese."""
        return self._sentence(0)

    @property
    def en(self) -> str:
        """The sentence in English."""
        return self._sentence(1)

    def _sentence(self, language: int) -> str:
        sentences, as_of = SENTENCES[self.verdict], self.as_of
        if as_of is None:
            return sentences[language]
        if self.verdict is Verdict.VALID and as_of != self.listed_at:
            sentences = YOUNGER_THAN_LIST
        day = civil_day(self.listed_at or as_of if self.verdict in _FINAL else as_of)
        return sentences[language].format(en=day, zh=f"{day.year}年{day.month}月{day.day}日")


def verify(
    text: str,
    trust: TrustList,
    statuses: Iterable[StatusList],
    now: datetime,
    leeway: timedelta = LEEWAY,
) -> Verification:
    """Verify the text of a credential. Never raises: whatever is wrong is a verdict.

    Args:
        text: As scanned, beginning with ``HC1:``.
        trust: From `trust.verify_trust_list`.
        statuses: From `status.verify_status_list`, in any number; the newest of a URI counts.
        now: The verifier's clock. Lists that were issued later correct a clock that is behind.
        leeway: How far the clock may be off.
    """
    try:
        credential, key = _authenticate(text, trust)
    except UnknownIssuer as error:
        return Verification(Verdict.UNKNOWN_ISSUER, str(error))
    except CertificateError as error:
        return Verification(Verdict.ALTERED, str(error))
    newest = _newest(statuses)
    known = [trust.issued_at, *(one.issued_at for one in newest.values())]
    return _judge(credential, key.issuer, trust, newest, _Clock(max(now, *known), leeway))


def _authenticate(text: str, trust: TrustList) -> tuple[Credential, TrustedKey]:
    # 1. Text to bytes, within limits.
    raw = decode_container(text)
    # 2. Bytes to a COSE_Sign1 of exactly our form; lists carry a type, credentials none.
    signed = Sign1.parse(raw)
    if signed.type is not None:
        raise SignatureRefused("This was signed for another purpose.")
    # 3. The key is one of the trust list's, by its key ID; 4. its signature holds, with its own
    # algorithm.
    key = trust.verified_key(signed)
    # 5. The payload is claims in their one form.
    credential = decode_claims(signed.payload)
    # 6. The key is that issuer's, for this purpose, and for all of this time.
    if credential.issuer != key.issuer.name:
        raise UnknownIssuer("The key is another issuer's.")
    is_history = isinstance(credential.content, History)
    usage = Usage.HISTORY if is_history else Usage.SCHOOL_VERDICT
    key.check_may_sign(usage, credential.issued_at, credential.expires_at)
    return credential, key


@dataclass(frozen=True, slots=True)
class _Clock:
    """The present, as well as the verifier knows it."""

    now: datetime
    leeway: timedelta

    def is_before(self, moment: datetime) -> bool:
        return self.now + self.leeway < moment

    def is_past(self, moment: datetime) -> bool:
        return moment + self.leeway <= self.now


def _judge(
    credential: Credential,
    issuer: Issuer,
    trust: TrustList,
    statuses: Mapping[str, StatusList],
    clock: _Clock,
) -> Verification:
    status = credential.status
    listed = statuses.get(issuer.status_list(status.list))

    def found(verdict: Verdict, reason: str) -> Verification:
        listed_at = listed.issued_at if listed else None
        return Verification(verdict, reason, credential, issuer, listed_at)

    # 7. A revocation is final, however old the news.
    if listed is not None and listed.has(status.index):
        successors = statuses.get(issuer.superseded_list(status.list))
        if successors is not None and successors.has(status.index):
            return found(Verdict.SUPERSEDED, "A newer credential replaced it.")
        return found(Verdict.REVOKED, "Its bit is set in the status list.")
    # 8. The credential's own time.
    if clock.is_before(credential.issued_at):
        return found(Verdict.NOT_YET_VALID, "It is issued later than now.")
    if clock.is_past(credential.expires_at):
        return found(Verdict.EXPIRED, "Its time is over.")
    # 9. Lists whose time is over tell nothing of the present.
    stale = _staleness(credential, trust, listed, clock)
    if stale:
        return found(Verdict.STALE_LIST, stale)
    return found(Verdict.VALID, "Everything holds.")


def _staleness(
    credential: Credential, trust: TrustList, listed: StatusList | None, clock: _Clock
) -> str | None:
    if clock.is_past(trust.expires_at):
        return "The trust list has expired."
    if listed is None:
        return "There is no status list."
    if clock.is_past(listed.expires_at):
        return "The status list has expired."
    # A credential younger than the list cannot be in it yet; an older one must be.
    if credential.status.index >= listed.size and credential.issued_at <= listed.issued_at:
        return "The status list does not speak of it."
    return None


def _newest(statuses: Iterable[StatusList]) -> Mapping[str, StatusList]:
    return {one.uri: one for one in sorted(statuses, key=lambda one: one.issued_at)}
