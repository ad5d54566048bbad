"""Citizens: who they are by their access token, and what is known of what they claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from commands.errors import Forbidden
from commands.principal import Principal, VerifiedIdentity
from commands.reading import Reading
from commands.recording import request_digest
from commands.records import id_number
from domain.calendar import completed_age
from domain.claim import ClaimFacts
from domain.merging import check_open
from domain.topics import check_private
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import PersonKind
from ledger.jcs import canonical


@dataclass(frozen=True, slots=True)
class Asked:
    """What a citizen asks for at the console."""

    caller: Principal
    key: UUID
    action: str
    stream: UUID | None
    request: Mapping[str, Any]

    @property
    def own_key(self) -> UUID:
        """The idempotency key, apart from every other citizen's: all write as the platform."""
        digest = request_digest(f"{self.caller.subject}\n{self.key}".encode())
        return UUID(bytes=digest[:16], version=4)

    @property
    def digest(self) -> bytes:
        """What the key stands for."""
        asked = {
            "subject": self.caller.subject,
            "action": self.action,
            "stream": str(self.stream),
            "request": dict(self.request),
        }
        return request_digest(canonical(asked))


def identity_of(caller: Principal) -> VerifiedIdentity:
    """The citizen's identity.

    Raises:
        Forbidden: the caller is no citizen.
    """
    if caller.identity is None:
        raise Forbidden(what="certificate", role=str(caller.role))
    return caller.identity


def number_of(identity: VerifiedIdentity) -> str:
    """The normalised number by which the citizen is found.

    Raises:
        InvalidIdNumber: the issuer vouches for a number that is none.
    """
    typed = check_private(
        VaccinationRecord.Registered.TOPIC,
        "guardian",
        {"name": identity.name, "id_number": identity.id_number},
    )
    return id_number(typed) or ""


def is_about(reading: Reading, record_: VaccinationRecord, identity: VerifiedIdentity) -> bool:
    """Whether a record holds the citizen, as recipient or guardian.

    Raises:
        Erased: a person's key is gone.
    """
    number = number_of(identity)
    return any(id_number(reading.person(record_, who)) == number for who in record_.people)


def is_of_age(reading: Reading, record_: VaccinationRecord) -> bool:
    """Whether the recipient has come of age: a parent's certificate of the child ends then.

    Raises:
        Erased: the recipient's key is gone.
    """
    born: date = reading.person(record_, record_.recipient)["birth_date"]
    return completed_age(born, reading.today) >= reading.services.rules.claims.adult_age


def claim_facts(
    reading: Reading,
    record_: VaccinationRecord,
    identity: VerifiedIdentity,
    kind: PersonKind,
    *,
    has_consented: bool,
) -> tuple[UUID, ClaimFacts]:
    """What the policy of claims must know, and who would hold the certificate (C-9, C-10).

    Raises:
        Erased: a person's key is gone.
        RecordMerged: it was merged into another, whose certificate is claimed instead.
    """
    check_open(record_)
    persons: Sequence[UUID] = (
        [record_.recipient]
        if kind is PersonKind.ADULT
        else [guardian.person for guardian in record_.guardians]
    )
    numbers = {who: id_number(reading.person(record_, who)) for who in persons}
    matching = [who for who, number in numbers.items() if number == number_of(identity)]
    state = record_.roll_on(reading.today)
    holder = next(iter([*matching, *persons]), record_.recipient)
    return holder, ClaimFacts(
        kind=kind,
        birth_date=reading.person(record_, record_.recipient)["birth_date"],
        division=record_.division,
        roll=state.status if state else None,
        is_id_on_file=any(numbers.values()),
        is_id_matching=bool(matching),
        is_face_verified=identity.face_verified,
        has_consented=has_consented,
        doses=tuple(
            (dose.occurred_on, dose.source_system)
            for dose in reading.doses_on(record_, reading.today)
        ),
        identity_effective_on=record_.identity_effective_on.get(holder),
    )
