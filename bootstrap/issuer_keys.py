"""The public keys of the configured issuer: a JWKS from a file or from the issuer itself."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from bootstrap.errors import BootstrapError

REFRESH_SECONDS = 60.0
TIMEOUT_SECONDS = 5.0


class IssuerKeysError(BootstrapError):
    """The issuer's keys cannot be read."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source


class UnknownKeyError(ValueError):
    """The issuer has no key of this id."""


class IssuerKeys:
    """Finds the key that a token names; asks the issuer again, but not more than once a minute.

    Args:
        source: Path of a JWKS file, or its https URL (http on loopback only).
        clock: Monotonic seconds.

    Raises:
        IssuerKeysError: the first reading fails.
    """

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._keys = self._read()
        self._read_at = clock()

    def __call__(self, token: Any) -> Key:
        """The key for a token that is being decoded; joserfc calls this.

        Raises:
            UnknownKeyError: the token names none, or the issuer has none of that id.
        """
        kid = token.headers().get("kid")
        if not isinstance(kid, str):
            raise UnknownKeyError
        found = self._find(kid)
        if found is None:
            self._refresh()
            found = self._find(kid)
        if found is None:
            raise UnknownKeyError
        return found

    def _find(self, kid: str) -> Key | None:
        return next((key for key in self._keys.keys if key.kid == kid), None)

    def _refresh(self) -> None:
        """Ask again. An issuer that does not answer leaves the known keys in force."""
        with self._lock:
            if self._clock() - self._read_at < REFRESH_SECONDS:
                return
            self._read_at = self._clock()
            try:
                self._keys = self._read()
            except IssuerKeysError:
                return

    def _read(self) -> KeySet:
        try:
            if "://" in self._source:
                answer = httpx.get(self._source, timeout=TIMEOUT_SECONDS, follow_redirects=False)
                answer.raise_for_status()
                document: Any = answer.json()
            else:
                document = json.loads(Path(self._source).read_bytes())
            return KeySet.import_key_set(document)
        except (httpx.HTTPError, OSError, ValueError, TypeError, KeyError, JoseError) as error:
            raise IssuerKeysError(self._source) from error
