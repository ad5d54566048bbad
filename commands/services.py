"""What every handler may use: the log, keys, rules, and the platform's own signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commands.directory import Directory
from commands.vault import Vault
from domain.booking.rules import BookingRules
from domain.certificate_rules.rules import CertificateRules
from domain.claim import ClaimPolicy
from domain.dose_rules import DoseRules
from domain.roll_up.rules import RollUpRules
from domain.schedules.catalogue import Catalogue
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.schedule import Schedule
from ledger.envelope import keyid_of, sign_payload
from ledger.statement import Statement
from ledger.store.journal import Journal
from ledger.store.reading import LogReader


@dataclass(frozen=True)
class Platform:
    """The platform's organisation: it signs effects, and what citizens do at a console."""

    organisation: UUID
    key: Ed25519PrivateKey
    origin: str

    @cached_property
    def keyid(self) -> str:
        """SHA-256 of its public key, 64 hex digits."""
        return keyid_of(self.key.public_key().public_bytes_raw())

    def envelope(self, statement: Statement) -> bytes:
        """The DSSE envelope of a statement of the platform's own."""
        return sign_payload(statement.encode(), self.key).encode()

    def statement(
        self,
        *,
        key: UUID,
        topic: str,
        stream: UUID,
        expected_version: int,
        data: Mapping[str, Any],
        commitments: Mapping[UUID, str],
    ) -> Statement:
        """What the platform signs for one event; `data` may hold `derived`, which is left out."""
        clear = {name: value for name, value in data.items() if name != "derived"}
        return Statement(self.origin, key, topic, stream, expected_version, clear, commitments)


@dataclass(frozen=True, slots=True)
class Rules:
    """The versioned rule files in force.

    Attributes:
        schedule_on: Returns the immunization schedule in force on a day, or None.
    """

    catalogue: Catalogue
    requirements: EntryRequirements
    certificates: CertificateRules
    booking: BookingRules
    roll_up: RollUpRules
    doses: DoseRules
    schedule_on: Callable[[date], Schedule | None]

    @property
    def claims(self) -> ClaimPolicy:
        """The rules by which certificates are claimed."""
        return self.certificates.claims


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may use.

    Attributes:
        clock: The time in UTC.
        random: Random bytes.
        new_id: A fresh UUIDv7, for streams that the server itself opens.
        log_key_overlap: How long two pairs of log keys sign together at least.
    """

    journal: Journal
    reader: LogReader
    vault: Vault
    directory: Directory
    platform: Platform
    rules: Rules
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    new_id: Callable[[], UUID]
    log_key_overlap: timedelta
