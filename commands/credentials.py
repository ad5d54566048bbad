"""Issuing credentials: what the platform writes when a certificate is carried away.

A credential in force is handed out again while it still says what the record says. What it shows
is no event: it is made from the log each time (`domain.credential`).
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from commands.errors import CommandError
from commands.reading import Reading
from commands.recording import platform_signed, record, request_digest, statement_of
from commands.services import Services
from commands.vault import NOTHING_SEALED
from commands.writing import Decision, Effect
from domain.calendar import civil_day
from domain.certificate import Certificate
from domain.credential import Content, Credential
from domain.errors import DomainError
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import EntryType
from ledger.store.append import Claim
from ledger.store.errors import ClaimTaken, VersionConflict

STATUS_BIT = "credential-status"
"""Kind of claim: one bit of a status list belongs to one credential, for ever."""

LIST_SIZE = 2**20
"""Credentials that one status list speaks of."""

LIVES = {Content.HISTORY: timedelta(days=365), Content.SCHOOL_VERDICT: timedelta(days=60)}
_LAST_MONTH = timedelta(days=30)
_DRAWS = 8
"""Indexes tried in one list before the next list is taken: then it is nearly full."""
_ATTEMPTS = 256
_LINKS = 64
"""Corrections that a credential names at most."""


@dataclass(frozen=True, slots=True)
class IssuerTerms:
    """In whose name credentials are issued now.

    Attributes:
        issuer: Such as `CN-320600`.
        key: Key ID of the signer, 16 hex digits.
        valid_until: Nothing it signs outlives this.
    """

    issuer: str
    key: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A credential that somebody asks for.

    Attributes:
        content: What it is to show.
        reflects: Last position that the views show.
        entry_type: What a school verdict is for.
        outdated: Credentials whose content was corrected; the new one stands in their place.
    """

    content: Content
    reflects: int
    entry_type: EntryType | None = None
    outdated: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class Outdated:
    """A credential whose content was corrected, as the views find it."""

    certificate: UUID
    credential: UUID
    content: Content
    entry_type: str | None


@dataclass
class Issuing:
    """Issues credentials.

    Attributes:
        services: The running parts.
        terms: In whose name.
    """

    services: Services
    terms: Callable[[], IssuerTerms]
    _list: int = field(default=0, init=False)

    def current(self, stream: UUID, wanted: Wanted) -> Credential:
        """Return the credential in force that says what the record says, else issue one.

        Args:
            stream: The certificate.
            wanted: What is asked for.

        Raises:
            NotFound, NotClaimed: There is no such certificate, or nobody holds it any more.
            Restricted, Erased: The record may not be processed.
        """
        found = self._settle(stream, wanted, is_renewal=False)
        assert found is not None, "one was issued"
        return found

    def _settle(self, stream: UUID, wanted: Wanted, *, is_renewal: bool) -> Credential | None:
        """A renewal issues only in the place of others; None where there are none any more."""
        taken = 0
        for _ in range(_ATTEMPTS):
            reading = Reading(services=self.services, recorded_at=self.services.clock())
            certificate = reading.load(Certificate, stream)
            record_ = reading.load(VaccinationRecord, certificate.record)
            replaced = _replaced(certificate, wanted)
            newest = newest_position(reading, record_)
            found = None if replaced else self._in_force(certificate, wanted, newest, reading.today)
            if found is not None or (is_renewal and not replaced):
                return found
            try:
                number = self._list + taken // _DRAWS
                corrections = _corrections(reading, record_, certificate, replaced)
                return self._issue(certificate, wanted, replaced, corrections, number)
            except VersionConflict:  # somebody else asked at once, and has it by now
                continue
            except ClaimTaken:  # that bit is another credential's
                taken += 1
        raise AssertionError("a status list after the next has room")

    def renew(self, outdated: Iterable[Outdated], reflects: int) -> int:
        """Issue anew what was corrected, and revoke it in the same event; return how many.

        Safe to run twice and by two processes at once: a credential is superseded once.
        """
        renewed = 0
        in_order = sorted(outdated, key=_group)
        for (stream, content, entry_type), group in groupby(in_order, key=_group):
            ids = [one.credential for one in group]
            wanted = Wanted(content, reflects, EntryType(entry_type) if entry_type else None, ids)
            try:
                if self._settle(stream, wanted, is_renewal=True) is not None:
                    renewed += len(ids)
            except (CommandError, DomainError):
                continue  # restricted, erased or released: the list says that they hold no more
        return renewed

    def _in_force(
        self, certificate: Certificate, wanted: Wanted, newest: int, today: date
    ) -> Credential | None:
        for found in reversed(certificate.credentials.values()):
            if (
                (found.content, found.entry_type) == (wanted.content, wanted.entry_type)
                and found.key == self.terms().key
                and found.reflects >= newest
                and today < _handed_out_until(found)
            ):
                return found
        return None

    def _issue(
        self,
        certificate: Certificate,
        wanted: Wanted,
        replaced: tuple[UUID, ...],
        corrections: tuple[UUID, ...],
        number: int,
    ) -> Credential:
        terms, now = self.terms(), self.services.clock()
        index = int.from_bytes(self.services.random(4)) % LIST_SIZE
        credential = UUID(bytes=self.services.random(16), version=4)
        certificate.issue_credential(
            recorded_at=now,
            credential=credential,
            content=wanted.content,
            status_list=number,
            status_index=index,
            issuer=terms.issuer,
            key=terms.key,
            reflects=wanted.reflects,
            effective_on=civil_day(now),
            expires_on=min(civil_day(now) + LIVES[wanted.content], civil_day(terms.valid_until)),
            supersedes=replaced,
            corrections=corrections or None,
            entry_type=wanted.entry_type,
        )
        bit = Claim(STATUS_BIT, number.to_bytes(4) + index.to_bytes(4), certificate.id)
        self._append(certificate, bit)
        self._list = number
        return certificate.credentials[credential]

    def _append(self, certificate: Certificate, bit: Claim) -> None:
        key = self.services.new_id()
        statement = statement_of(self.services, certificate, Effect(certificate), key)
        record(
            self.services,
            Decision(certificate, NOTHING_SEALED, claims=(bit,)),
            key=key,
            request=request_digest(statement.encode()),
            signed=platform_signed(self.services, statement),
        )


def _corrections(
    reading: Reading,
    record_: VaccinationRecord,
    certificate: Certificate,
    replaced: Collection[UUID],
) -> tuple[UUID, ...]:
    """The newest of the corrections that came between what is replaced and now."""
    if not replaced:
        return ()
    issued = min(certificate.credentials[one].issued_at for one in replaced)
    return reading.corrected_since(record_, issued)[-_LINKS:]


def newest_position(reading: Reading, record_: VaccinationRecord) -> int:
    """Where the newest entry stands of a record and of those that were merged into it."""
    return max(reading.history(one.id)[-1].position for one in reading.with_merged(record_))


def _replaced(certificate: Certificate, wanted: Wanted) -> tuple[UUID, ...]:
    """Those of the same kind that hold no more."""
    return tuple(
        found.credential
        for found in certificate.credentials.values()
        if found.credential in wanted.outdated
        and (found.content, found.entry_type) == (wanted.content, wanted.entry_type)
    )


def _handed_out_until(found: Credential) -> date:
    """A verdict is for the day that was judged; a history is renewed in its last month."""
    if found.content is Content.SCHOOL_VERDICT:
        return found.effective_on + timedelta(days=1)
    return found.expires_on - _LAST_MONTH


def _group(one: Outdated) -> tuple[UUID, Content, str]:
    return one.certificate, one.content, one.entry_type or ""
