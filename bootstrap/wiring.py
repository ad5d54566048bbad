"""Wiring: the only place that picks concrete parts and hands them to each other."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from bootstrap.credential_keys import CredentialKeys
from bootstrap.erasure import apply_shred_list
from bootstrap.issuer_keys import IssuerKeys
from bootstrap.keks import KekFolder
from bootstrap.policy import keep_log_keys
from bootstrap.root_key import read_root_key
from bootstrap.secrets import Secrets, load_or_make, log_pairs, operator_facts, with_root
from bootstrap.settings import Settings
from bootstrap.tokens import DEVELOPMENT_ISSUER, DevelopmentIssuer, TokenVerifier
from certificates.trust import Issuer
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
from domain.sealed import Sealed
from domain.topics import EVENTS
from ledger.checkpoint import LogSigner
from ledger.signature import VerifierKey
from ledger.store.access import AccessWriter
from ledger.store.connections import Pool, open_pool
from ledger.store.errors import LogHalted
from ledger.store.journal import Journal
from ledger.store.keys import ROLE as VAULT_ROLE
from ledger.store.keys import KeyStore
from ledger.store.lost import Terms
from ledger.store.mapping import Codec
from ledger.store.reading import ROLE as READ_ROLE
from ledger.store.reading import LogReader
from ledger.store.recorder import LedgerRecorder
from ledger.store.recovery import refuse_behind
from ledger.store.writer import Writer

OPERATOR_NAME = "省级免疫规划信息平台（演示）"
OPERATOR_DIVISION = "410000"
POOL_SIZE = 16
KEYS_POOL_SIZE = 16

_VERSION_BITS = 0x7 << 76
_VARIANT_BITS = 0b10 << 62


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): milliseconds, then 74 random bits; index pages fill from the left."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return UUID(
        int=milliseconds << 80
        | _VERSION_BITS
        | (random >> 62) << 64
        | _VARIANT_BITS
        | random & ((1 << 62) - 1)
    )


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


def _unix_seconds() -> int:
    return int(time.time())


def installation_secrets(settings: Settings) -> Secrets:
    """The secrets of the installation, made on its first start.

    Raises:
        RootKeyUnusableError, RootKeyOfflineError: The root key that the settings name is none, or
            another one.
    """
    folder = secrets_folder(settings)
    kept = load_or_make(folder, operator=new_id(), platform=new_id())
    if settings.root_key is None or settings.root_passphrase_file is None:
        return kept
    passphrase = settings.root_passphrase_file.read_text(encoding="utf-8").rstrip("\r\n")
    return with_root(kept, folder, read_root_key(settings.root_key, passphrase))


def operator_of(settings: Settings) -> tuple[str, str]:
    """Name and division of the operator: as it was founded, else the demonstration's."""
    return operator_facts(secrets_folder(settings)) or (OPERATOR_NAME, OPERATOR_DIVISION)


def credential_keys(settings: Settings, clock: Callable[[], datetime]) -> CredentialKeys:
    """The keys that sign credentials, made on first use."""
    issuer = Issuer(settings.credential_issuer, settings.status_uri, settings.origin)
    return CredentialKeys(secrets_folder(settings) / "credentials", issuer, clock)


def secrets_folder(settings: Settings) -> Path:
    """Where the installation's secrets lie."""
    return settings.data_dir / "secrets"


def outside_path(settings: Settings) -> Path:
    """The file outside the databases that holds the newest checkpoint."""
    return settings.data_dir / "outside" / "checkpoint"


def kek_folder(settings: Settings) -> KekFolder:
    """Where the versions of the key-encryption key lie."""
    return KekFolder(secrets_folder(settings) / "kek")


def successor_folder(settings: Settings, origin: str) -> Path:
    """Where the pairs of keys of an origin lie under which the log went on."""
    return secrets_folder(settings) / f"origin-{sha256(origin.encode()).hexdigest()[:16]}"


def log_pairs_folder(settings: Settings) -> Path:
    """Where the pairs of keys of the present origin lie, all but those of the first start."""
    later = successor_folder(settings, settings.origin)
    return later if log_pairs(later) else secrets_folder(settings)


def log_signer(settings: Settings, kept: Secrets) -> LogSigner:
    """The pair of keys that the log's origin was founded with."""
    later = log_pairs(successor_folder(settings, settings.origin))
    if later:
        return LogSigner(settings.origin, *later[0])
    return LogSigner(settings.origin, kept.seeds["log-ed25519"], kept.seeds["log-ml-dsa-44"])


def log_signers(settings: Settings) -> Callable[[], list[LogSigner]]:
    """Read the pairs of log keys that are kept here: the founding one, then one a rotation."""
    folder, kept = log_pairs_folder(settings), installation_secrets(settings)

    def read() -> list[LogSigner]:
        founding = log_signer(settings, kept)
        kept_here = [LogSigner(settings.origin, *pair) for pair in log_pairs(folder)]
        first = founding.verifier_keys()
        return [founding, *(one for one in kept_here if one.verifier_keys() != first)]

    return read


def log_terms(settings: Settings, notes: Sequence[bytes] = ()) -> Terms:
    """What the log is known by from outside its database; the keys as they are kept now."""
    keys = [key for signer in log_signers(settings)() for key in signer.verifier_keys()]
    return Terms(settings.origin, keys, outside_path(settings), notes)


def look_outside(settings: Settings) -> None:
    """Mark a database that lies behind the file outside it, so that nobody appends to it."""
    assert settings.database_url is not None
    with suppress(LogHalted):  # the mark says it, and the integrator says why
        refuse_behind(settings.database_url, log_terms(settings))


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
        booking=BookingRules.load(),
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
    pool = open_pool(settings.database_url, READ_ROLE, size=POOL_SIZE)
    keys_pool = open_pool(settings.keys_url, VAULT_ROLE, size=KEYS_POOL_SIZE)
    writer = Writer(
        settings.database_url,
        queue_limit=settings.append_queue,
        unpublished_limit=settings.unpublished_entries,
        look=partial(look_outside, settings),
    )
    access = AccessWriter(settings.keys_url)
    try:
        yield _parts(settings, kept, (pool, keys_pool), writer, access)
    finally:
        access.close()
        writer.close()
        keys_pool.close()
        pool.close()


def _parts(
    settings: Settings,
    kept: Secrets,
    pools: tuple[Pool, Pool],
    writer: Writer,
    access: AccessWriter,
) -> Parts:
    reader = LogReader(pools[0])
    keys = KeyStore(pools[1], kek_folder(settings).load, kept.seeds["pepper"])
    journal = Journal(LedgerRecorder(pools[0], writer), origin=settings.origin, codec=event_codec())
    vault = Vault(keys, reader, settings.origin, secrets.token_bytes)
    directory = Directory(journal)
    services = Services(
        journal=journal,
        reader=reader,
        vault=vault,
        directory=directory,
        platform=Platform(kept.platform, kept.platform_key, settings.origin),
        rules=rules(settings),
        clock=lambda: datetime.now(UTC),
        random=secrets.token_bytes,
        new_id=new_id,
        log_key_overlap=timedelta(hours=settings.log_key_overlap_hours),
    )
    return Parts(
        settings=settings,
        secrets=kept,
        pool=pools[0],
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
        decode=codec.decode,
        sealed=lambda subject, sha256: Sealed(subject=subject, sha256=sha256),
    )
