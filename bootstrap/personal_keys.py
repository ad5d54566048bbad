"""The public keys to which personal values are sealed: one file, organisation by organisation."""

import json
from base64 import b64decode
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from bootstrap.errors import BootstrapError
from ledger.errors import SealError
from ledger.hpke import public_key


class PersonalKeysUnusableError(BootstrapError):
    """The file of public keys for personal values cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__()
        self.path = path
        self.reason = reason


class PersonalKeys:
    """A JSON object of organisation and X25519 public key (32 bytes, base64).

    Read at start; a key that changed counts from the next start on.

    Args:
        path: The file; None where personal values are answered in clear.

    Raises:
        PersonalKeysUnusableError: If it cannot be read, or is no such file.
    """

    def __init__(self, path: Path | None) -> None:
        self.is_required = path is not None
        self._keys = {} if path is None else _load(path)

    def of(self, organisation: UUID | None) -> X25519PublicKey | None:
        """Return an organisation's key, None if it has none."""
        return None if organisation is None else self._keys.get(organisation)


def _load(path: Path) -> dict[UUID, X25519PublicKey]:
    try:
        given = json.loads(path.read_bytes())
        return {
            UUID(organisation): public_key(b64decode(key, validate=True))
            for organisation, key in given.items()
        }
    except OSError as error:
        raise PersonalKeysUnusableError(path, error.strerror or "cannot be read") from error
    except (ValueError, TypeError, AttributeError, RecursionError, SealError) as error:
        raise PersonalKeysUnusableError(path, str(error)) from error
