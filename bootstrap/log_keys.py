"""What the log is signed with, and what it is known by outside its database."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from bootstrap.folders import outside_path, secrets_folder
from bootstrap.root_key import read_root_key
from bootstrap.secrets import Secrets, load_or_make, log_pairs, operator_facts, with_root
from bootstrap.settings import Settings
from client.identifiers import new_id
from ledger.checkpoint import LogSigner
from ledger.store.errors import LogHalted
from ledger.store.lost import Terms
from ledger.store.recovery import refuse_behind

OPERATOR_NAME = "省级免疫规划信息平台（演示）"
OPERATOR_DIVISION = "410000"


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
