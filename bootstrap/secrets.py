"""The installation's secrets: files below `<data_dir>/secrets`, made once, mode 0600.

None of them lies in a database, so that neither a dump of the log nor one of the key database
opens anything (DESIGN section 6).
"""

import json
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from bootstrap.durable import sync_folder, write_draft
from bootstrap.errors import BootstrapError

SEEDS = (
    "pepper",  # keys the blind indexes
    "log-ed25519",  # signs checkpoints, signature type 0x01
    "log-ml-dsa-44",  # signs checkpoints, signature type 0x06
    "root",  # the operator's root key, pinned by position 1
    "platform",  # signs what the server itself writes
    "issuer",  # the development issuer's token key
)


_LOG_PAIR = "log-pair"
_ROOT = "root"
_PUBLIC_ROOT = "root.public"
"""Stands where the root key was taken away by `vaxledger init`."""
_OPERATOR = "operator.json"


class RootKeyOfflineError(BootstrapError):
    """The operator's root key is offline; VAXLEDGER_ROOT_KEY names its file for this command."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """32-byte seeds by name, and the stream ids of the operator and of the platform."""

    seeds: dict[str, bytes]
    operator: UUID
    platform: UUID

    @property
    def root_key(self) -> Ed25519PrivateKey:
        """The operator's signing key."""
        if _ROOT not in self.seeds:
            raise RootKeyOfflineError
        return Ed25519PrivateKey.from_private_bytes(self.seeds[_ROOT])

    @property
    def platform_key(self) -> Ed25519PrivateKey:
        """The platform's signing key."""
        return Ed25519PrivateKey.from_private_bytes(self.seeds["platform"])


def load_or_make(folder: Path, *, operator: UUID, platform: UUID) -> Secrets:
    """Read the secrets below `folder`, making what is missing on the very first start.

    Two processes may start at once: each file is created exclusively, and the loser reads the
    winner's. A crash between two files leaves the rest to the next start.

    Args:
        folder: Created with mode 0700.
        operator: The operator's stream id, used only when none is kept yet.
        platform: The platform's stream id, likewise.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_offline = has_public_root(folder)
    names = [name for name in SEEDS if not (is_offline and name == _ROOT)]
    seeds = {name: bytes.fromhex(keep(folder / name, secrets.token_hex(32))) for name in names}
    ids = json.loads(
        keep(
            folder / "organisations.json",
            json.dumps({"operator": str(operator), "platform": str(platform)}),
        )
    )
    return Secrets(seeds, UUID(ids["operator"]), UUID(ids["platform"]))


def keep_public_root(folder: Path, public: Ed25519PublicKey) -> bool:
    """Begin a folder of secrets whose root key is kept elsewhere.

    Returns:
        Whether it is this root key's, and no other's from before.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    raw = public.public_bytes_raw().hex()
    return keep(folder / _PUBLIC_ROOT, raw) == raw


def has_public_root(folder: Path) -> bool:
    """Whether such a folder was begun."""
    return (folder / _PUBLIC_ROOT).exists()


def with_root(kept: Secrets, folder: Path, root: Ed25519PrivateKey) -> Secrets:
    """Return secrets with the root key that was brought for this command.

    Raises:
        RootKeyOfflineError: It is another one.
    """
    public = root.public_key().public_bytes_raw().hex()
    if public != (folder / _PUBLIC_ROOT).read_text().strip():
        raise RootKeyOfflineError
    return replace(kept, seeds=kept.seeds | {_ROOT: root.private_bytes_raw()})


def note_operator(folder: Path, name: str, division: str) -> None:
    """Keep what the operator is called."""
    keep(folder / _OPERATOR, json.dumps({"name": name, "division": division}, ensure_ascii=False))


def operator_facts(folder: Path) -> tuple[str, str] | None:
    """Return name and division of the operator, None where none was noted."""
    try:
        found = json.loads((folder / _OPERATOR).read_bytes())
    except FileNotFoundError:
        return None
    return found["name"], found["division"]


def log_pairs(folder: Path) -> list[tuple[bytes, bytes]]:
    """The seeds of every pair that a log key rotation has made, in their order.

    Returns:
        Ed25519 and ML-DSA-44 seeds, 32 bytes each; the founding pair of the first origin is not
        among them, that of a later one is number 0.
    """
    files = sorted(folder.glob(f"{_LOG_PAIR}-[0-9][0-9][0-9][0-9]"))
    return [_log_pair(file.read_text()) for file in files]


def make_log_pair(folder: Path, number: int) -> tuple[bytes, bytes]:
    """Make the pair of some rotation, durably; a pair that is there already stays.

    Args:
        folder: Of the installation's secrets.
        number: How many pairs the log has had before, the founding one too.
    """
    path = folder / f"{_LOG_PAIR}-{number:04}"
    return _log_pair(keep(path, f"{secrets.token_hex(32)} {secrets.token_hex(32)}"))


def _log_pair(text: str) -> tuple[bytes, bytes]:
    ed25519, mldsa44 = map(bytes.fromhex, text.split())
    return ed25519, mldsa44


def keep(path: Path, fresh: str) -> str:
    """The file's text, durably; `fresh` becomes it when there is none. All or nothing."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            write_draft(draft, fresh)
            os.link(draft, path)  # atomic, and refuses to replace what another process made
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    return path.read_text().strip()
