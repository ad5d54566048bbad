"""What citizens do with certificates at a console: the platform signs, on their behalf.

A citizen has no signing key. The platform knows them by the claims of their access token (real
name, verified face) and says in the entry for whom it signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commands.answering import Written, first_answer
from commands.behalf import record_for
from commands.certificate_use import GRANTEE_NUMBER, CertificateUse
from commands.citizens import Asked, claim_facts, identity_of, is_of_age, number_of
from commands.errors import CommandError, NotFound
from commands.principal import Principal, Role
from commands.reading import Reading
from commands.records import id_number
from commands.releasing import release
from commands.services import Services
from commands.vault import NOTHING_SEALED, Place
from commands.writing import HOLDER, ID_NUMBER, Decision, Effect
from domain.certificate import Certificate, Issued
from domain.claim import AlreadyClaimed
from domain.codec import statement_fields
from domain.effect import Cause, OnBehalf, OnBehalfOrCaused
from domain.errors import DomainError
from domain.protection import State
from domain.topics import GRANTEE, check_private
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import PersonKind
from ledger.store.append import Claim, Guard
from ledger.store.errors import ClaimTaken, GuardFailed, VersionConflict

IDENTIFIER_BYTES = 16
OF_AGE = "came-of-age"
"""Why a parent's certificate of a child ends once the child, of age by now, claims."""
ATTEMPTS = 3
"""How often a decision is made anew when what it rests on moved in between."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record whose certificate a citizen may try to claim (C-13)."""

    record: UUID
    kind: PersonKind
    holder: UUID


_Decided = tuple[Decision, Mapping[UUID, str]]
"""A decision, and the commitments to what is sealed with it."""


class Console:
    """Claims, grants, revocations and releases of citizens.

    Attributes:
        use: Who may use which certificate.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.use = CertificateUse(services)

    def candidates(self, caller: Principal) -> list[Candidate]:
        """The caller's own record and those of the caller's children (C-13)."""
        identity, reading = identity_of(caller), self._reading()
        found = []
        for person, stream in self._services.vault.keys.find(ID_NUMBER, number_of(identity)):
            if not reading.exists(stream):
                continue  # an index left over from a write that failed
            record_ = reading.stored(VaccinationRecord, stream)
            if record_.protection.state is not State.NORMAL or record_.merged_into is not None:
                continue
            is_adult = record_.kind is PersonKind.ADULT or is_of_age(reading, record_)
            if (person == record_.recipient) == is_adult:
                kind = PersonKind.ADULT if is_adult else PersonKind.CHILD
                found.append(Candidate(stream, kind, person))
        return found

    def claim(self, caller: Principal, key: UUID, request: Mapping[str, Any]) -> Written:
        """Claim the certificate of a record (C-12, C-14).

        Args:
            caller: A guardian or an adult, identified.
            key: Idempotency key.
            request: `record` (UUID text) and `has_consented`.

        Raises:
            DomainError: see `domain.claim`; `AlreadyClaimed` also when two claim at once.
            Forbidden, NotFound: not a citizen; no such record.
        """
        return self._answer(Asked(caller, key, "claim", None, request), self._claim)

    def _claim(self, asked: Asked) -> _Decided:
        identity, reading = identity_of(asked.caller), self._reading()
        kind = PersonKind.ADULT if asked.caller.role is Role.ADULT else PersonKind.CHILD
        record_ = reading.load(VaccinationRecord, UUID(asked.request["record"]))
        holder, facts = claim_facts(
            reading, record_, identity, kind, has_consented=asked.request["has_consented"]
        )
        certificate = Certificate.claim(
            self._services.new_id(),
            facts=facts,
            policy=self._services.rules.claims,
            derived=Issued(self._services.random(IDENTIFIER_BYTES).hex(), holder),
            recorded_at=reading.recorded_at,
            record=record_.id,
            kind=kind,
            division=record_.division,
            holder=holder,
        )
        effects, freed = self._grown_out_of(reading, record_, certificate)
        held = Claim(HOLDER, record_.id.bytes, certificate.id)
        claims = (*freed, held)
        return Decision(certificate, NOTHING_SEALED, claims=claims, effects=tuple(effects)), {}

    def _grown_out_of(
        self, reading: Reading, record_: VaccinationRecord, certificate: Certificate
    ) -> tuple[list[Effect], list[Claim]]:
        """Who has come of age takes the certificate over from the parent that holds it."""
        if certificate.kind is not PersonKind.ADULT:
            return [], []
        cause = Cause(certificate.id, certificate.version)
        return release(
            reading, record_.id, cause, OF_AGE, only=lambda held: held.kind is PersonKind.CHILD
        )

    def grant(
        self, caller: Principal, key: UUID, stream: UUID, request: Mapping[str, Any]
    ) -> Written:
        """Let another person use a child's certificate (C-15 to C-18).

        Args:
            caller: The holder.
            key: Idempotency key.
            stream: The certificate.
            request: `scope`, optional `ends_on`, `relation` (a code) and `grantee` with the four
                mandatory values of C-16.

        Raises:
            DomainError: see `Certificate.grant`, and `check_private` for the grantee's values.
            Forbidden, NotFound: not a citizen; not the caller's certificate.
        """
        return self._answer(Asked(caller, key, "grant", stream, request), self._grant)

    def _grant(self, asked: Asked) -> _Decided:
        reading, certificate, derived = self._held(asked)
        values = asked.request["grantee"]
        typed = check_private(Certificate.Granted.TOPIC, GRANTEE, values)
        number = id_number(typed) or ""
        grantee, is_new = self._grantee(number, certificate.id)
        fields = statement_fields(
            Certificate.Granted,
            {
                "grant": str(self._services.new_id()),
                "grantee": str(grantee),
                **{name: value for name, value in asked.request.items() if name != "grantee"},
            },
        )
        part, commitment = self._services.vault.part(values)
        sealing = self._services.vault.seal(
            {grantee: part},
            Place(Certificate.Granted.TOPIC, certificate.id, certificate.version + 1),
            newcomers=[grantee] if is_new else [],
        )
        certificate.grant(
            policy=self._services.rules.claims,
            derived=derived,
            recorded_at=reading.recorded_at,
            sealed=sealing.sealed,
            **fields,
        )
        record_ = reading.load(VaccinationRecord, certificate.record)
        decision = Decision(
            certificate,
            sealing,
            # Nothing is sealed beside a record once it was shredded.
            guards=(Guard(record_.id, record_.version),),
            indexes=((GRANTEE_NUMBER, number, grantee),),
        )
        return decision, {grantee: commitment}

    def revoke_grant(
        self, caller: Principal, key: UUID, stream: UUID, request: Mapping[str, Any]
    ) -> Written:
        """Take a grant back; `request` names the `grant`."""
        return self._answer(Asked(caller, key, "revoke-grant", stream, request), self._revoke)

    def _revoke(self, asked: Asked) -> _Decided:
        reading, certificate, derived = self._held(asked)
        certificate.revoke_grant(
            derived=derived,
            recorded_at=reading.recorded_at,
            **statement_fields(Certificate.GrantRevoked, dict(asked.request)),
        )
        return Decision(certificate, NOTHING_SEALED), {}

    def revoke_credential(
        self, caller: Principal, key: UUID, stream: UUID, request: Mapping[str, Any]
    ) -> Written:
        """Let a credential hold no more, of a lost telephone or paper.

        Args:
            caller: The holder.
            key: Idempotency key.
            stream: The certificate.
            request: Names the `credential` and gives the `reason`.

        Raises:
            UnknownCredential: It is not in force.
            Forbidden, NotFound: not a citizen; not the caller's certificate.
        """
        asked = Asked(caller, key, "revoke-credential", stream, request)
        return self._answer(asked, self._revoke_credential)

    def _revoke_credential(self, asked: Asked) -> _Decided:
        reading, certificate, derived = self._held(asked)
        certificate.revoke_credential(
            derived=derived,
            recorded_at=reading.recorded_at,
            **statement_fields(Certificate.CredentialRevoked, dict(asked.request)),
        )
        return Decision(certificate, NOTHING_SEALED), {}

    def release(
        self, caller: Principal, key: UUID, stream: UUID, request: Mapping[str, Any]
    ) -> Written:
        """Give the certificate up, so that another may claim it; `request` gives the `reason`."""
        return self._answer(Asked(caller, key, "release", stream, request), self._release)

    def _release(self, asked: Asked) -> _Decided:
        reading, certificate, derived = self._held(asked)
        certificate.release(
            derived=OnBehalfOrCaused(derived.on_behalf_of),
            recorded_at=reading.recorded_at,
            **statement_fields(Certificate.Released, dict(asked.request)),
        )
        held = Claim(HOLDER, certificate.record.bytes, certificate.id, release=True)
        return Decision(certificate, NOTHING_SEALED, claims=(held,)), {}

    def _held(self, asked: Asked) -> tuple[Reading, Certificate, OnBehalf]:
        """The certificate for its holder; to everyone else it does not exist."""
        reading = self._reading()
        assert asked.stream is not None
        identity_of(asked.caller)  # before anything is looked up: what is there is not told either
        certificate = reading.load(Certificate, asked.stream)
        if not self.use.is_holder(asked.caller, certificate):
            raise NotFound
        reading.load(VaccinationRecord, certificate.record)  # refuses one that is restricted
        return reading, certificate, OnBehalf(certificate.holder)

    def _grantee(self, number: str, certificate: UUID) -> tuple[UUID, bool]:
        """One person has one handle at a certificate, so a second grant is seen as such."""
        for handle, stream in self._services.vault.keys.find(GRANTEE_NUMBER, number):
            if stream == certificate:
                return handle, False
        return UUID(bytes=self._services.random(16), version=4), True

    def _answer(self, asked: Asked, decide: Callable[[Asked], _Decided]) -> Written:
        """Decide and append, anew when something moved in between; the first answer stands.

        A retry finds the world changed by its own first attempt: only then is the key looked up.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return record_for(self._services, asked, *decide(asked))
            except ClaimTaken:
                return self._first_answer(asked, AlreadyClaimed())
            except (DomainError, CommandError) as refused:
                return self._first_answer(asked, refused)
            except (VersionConflict, GuardFailed):
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError

    def _first_answer(self, asked: Asked, refused: Exception) -> Written:
        platform = self._services.platform.organisation
        return first_answer(self._services, platform, asked.own_key, asked.digest, refused)

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock())
