"""Wiring: the only place that picks concrete parts and hands them to each other."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial

from bootstrap.credential_keys import CredentialKeys
from bootstrap.folders import secrets_folder
from bootstrap.issuer_keys import IssuerKeys
from bootstrap.log_keys import installation_secrets, log_signer, look_outside, operator_of
from bootstrap.policy import keep_log_keys
from bootstrap.reading import open_log, open_vault
from bootstrap.secrets import Secrets
from bootstrap.settings import Settings
from bootstrap.shred_list import apply_shred_list
from bootstrap.tokens import DEVELOPMENT_ISSUER, DevelopmentIssuer, TokenVerifier
from certificates.trust import Issuer
from client.identifiers import new_id
from commands.credentials import IssuerTerms, Issuing
from commands.desk import Desk
from commands.directory import Directory
from commands.genesis import Founder
from commands.services import Platform, Rules, Services
from commands.vault import Vault
from domain import codec
from domain.booking.rules import BookingRules
from domain.certificate_rules.rules import CertificateRules
from domain.dose_rules import DoseRules
from domain.roll_up.rules import RollUpRules
from domain.schedules.catalogue import Catalogue
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.schedule import Schedule
from domain.topics import EVENTS
from ledger.signature import VerifierKey
from ledger.store.access import AccessWriter
from ledger.store.connections import Pool
from ledger.store.journal import Journal
from ledger.store.mapping import Codec
from ledger.store.pace import Pace
from ledger.store.reading import LogReader
from ledger.store.recorder import LedgerRecorder
from ledger.store.writer import Writer


@dataclass(frozen=True)
class Parts:
    """The running parts of one process."""

    settings: Settings
    secrets: Secrets
    pool: Pool
    reader: LogReader
    journal: Journal
    vault: Vault
    directory: Directory
    services: Services
    desk: Desk
    writer: Writer
    access: AccessWriter

    @cached_property
    def issuer(self) -> DevelopmentIssuer:
        """The development issuer; only who asks for it meets its warning."""
        return DevelopmentIssuer(self.secrets.seeds["issuer"])

    @cached_property
    def tokens(self) -> TokenVerifier:
        """Verifies access tokens of the configured issuer, else of the development issuer."""
        issuer, source = self.settings.issuer, self.settings.issuer_keys_source
        if issuer is None or source is None:
            return TokenVerifier(DEVELOPMENT_ISSUER, self.issuer.keys, _unix_seconds)
        return TokenVerifier(issuer, IssuerKeys(source), _unix_seconds)

    @cached_property
    def credential_keys(self) -> CredentialKeys:
        """The keys that sign credentials, status lists and the trust list."""
        return credential_keys(self.settings, self.services.clock)

    @cached_property
    def issuing(self) -> Issuing:
        """Issues credentials in the name of the newest signer."""

        def terms() -> IssuerTerms:
            newest = self.credential_keys.newest
            return IssuerTerms(self.settings.credential_issuer, newest.key_id, newest.valid_until)

        return Issuing(self.services, terms)

    @property
    def founder(self) -> Founder:
        """Who opens the log."""
        name, division = operator_of(self.settings)
        return Founder(self.secrets.operator, self.secrets.root_key, name, division)


def _now() -> datetime:
    return datetime.now(UTC)


def _unix_seconds() -> int:
    return int(time.time())


def credential_keys(settings: Settings, clock: Callable[[], datetime]) -> CredentialKeys:
    """The keys that sign credentials, made on first use."""
    issuer = Issuer(settings.credential_issuer, settings.status_uri, settings.origin)
    return CredentialKeys(secrets_folder(settings) / "credentials", issuer, clock)


def signing_keys(parts: Parts) -> tuple[VerifierKey, ...]:
    """The public keys that sign the log now: of two pairs during a rotation."""
    named = parts.reader.log_keys(parts.settings.origin).newest
    if named:
        return tuple(key for pair in named for key in pair.keys)
    return log_signer(parts.settings, parts.secrets).verifier_keys()


def publish_verifier_keys(parts: Parts) -> None:
    """Write the log's public keys where commands on this machine look for them.

    They are in `<data_dir>/log.vkey`, and in the policy beside it if our own witness has made one.
    """
    settings, keys = parts.settings, signing_keys(parts)
    target = settings.data_dir / "log.vkey"
    draft = target.with_suffix(".new")
    draft.write_text("".join(f"{key.text()}\n" for key in keys))
    draft.replace(target)
    keep_log_keys(settings.data_dir, settings.origin, keys)


def rules(settings: Settings) -> Rules:
    """The rule files in force, validated as they are read."""
    return Rules(
        catalogue=Catalogue.load(),
        requirements=EntryRequirements.load(),
        certificates=CertificateRules.load(settings.certificate_rules),
        booking=BookingRules.load(settings.booking_rules),
        roll_up=RollUpRules.load(settings.school_rules),
        doses=DoseRules.load(),
        schedule_on=Schedule.in_force,
    )


@contextmanager
def wire(settings: Settings) -> Iterator[Parts]:
    """Open everything that reading and writing need; closes it in the end.

    What was shredded is destroyed once more first: a database may come from a backup.

    Args:
        settings: With the URLs of both databases.

    Raises:
        ShredListUnreadable: The list of what was shredded is damaged.
        psycopg.OperationalError: There is such a list, and a database cannot be reached.
    """
    assert settings.database_url is not None
    assert settings.keys_url is not None
    apply_shred_list(settings)
    kept = installation_secrets(settings)
    with (
        open_log(settings) as pool,
        open_vault(settings, kept, LogReader(pool)) as vault,
        closing(
            Writer(
                settings.database_url,
                queue_limit=settings.append_queue,
                unpublished_limit=settings.unpublished_entries,
                look=partial(look_outside, settings),
                pace=Pace(_now, partial(time.clock_gettime, time.CLOCK_BOOTTIME)),
            )
        ) as writer,
        closing(AccessWriter(settings.keys_url)) as access,
    ):
        yield _parts(settings, kept, pool, vault, writer, access)


def _parts(
    settings: Settings,
    kept: Secrets,
    pool: Pool,
    vault: Vault,
    writer: Writer,
    access: AccessWriter,
) -> Parts:
    reader = LogReader(pool)
    journal = Journal(LedgerRecorder(pool, writer), origin=settings.origin, codec=event_codec())
    directory = Directory(journal)
    services = Services(
        journal=journal,
        reader=reader,
        vault=vault,
        directory=directory,
        platform=Platform(kept.platform, kept.platform_key, settings.origin),
        rules=rules(settings),
        clock=_now,
        random=secrets.token_bytes,
        new_id=new_id,
        log_key_overlap=timedelta(hours=settings.log_key_overlap_hours),
    )
    return Parts(
        settings=settings,
        secrets=kept,
        pool=pool,
        reader=reader,
        journal=journal,
        vault=vault,
        directory=directory,
        services=services,
        desk=Desk(services),
        writer=writer,
        access=access,
    )


def event_codec() -> Codec:
    """How the ledger reads and writes the domain's events."""
    return Codec(
        classes=EVENTS,
        encode=codec.encode,
        restore=codec.restore,
        sealed=codec.restore_sealed,
    )
