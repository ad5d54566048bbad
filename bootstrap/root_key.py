"""The operator's root key in a file of its own, under a passphrase, away from the installation.

The installation keeps its public half only. Whoever lets a command sign with it names file and
passphrase for that command, and takes both away again.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from bootstrap.durable import sync_folder
from bootstrap.errors import BootstrapError

MIN_PASSPHRASE = 12


class RootKeyUnusableError(BootstrapError):
    """This is not the operator's root key, or its passphrase is another."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__()
        self.reason = reason
        self.path = path


def write_root_key(path: Path, key: Ed25519PrivateKey, passphrase: str) -> None:
    """Write a key under a passphrase, as encrypted PKCS #8 in PEM, mode 0600, durably.

    Raises:
        RootKeyUnusableError: The passphrase is short, or there is such a file.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise RootKeyUnusableError(f"a passphrase has {MIN_PASSPHRASE} characters or more", path)
    pem = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise RootKeyUnusableError("the file exists", path) from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def read_root_key(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """Read a key.

    Raises:
        RootKeyUnusableError: It is none, or does not open.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase.encode())
    except (OSError, ValueError, TypeError) as error:
        raise RootKeyUnusableError(type(error).__name__, path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise RootKeyUnusableError("not an Ed25519 key", path)
    return key
