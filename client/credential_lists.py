"""The lists by which credentials are verified: a folder of files, fetched anew where one can.

The newest that was ever seen stays, whatever a server hands out later, so that nobody hides a
revocation by going back. Nothing is believed that the root key does not lead to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

import httpx

from certificates.claims import STATEMENT_LISTS
from certificates.errors import CertificateError
from certificates.signing import PublicKey
from certificates.status import StatusList, verify_status_list
from certificates.trust import TrustList, verify_trust_list
from certificates.verify import Verification, verify
from client.errors import TrustError

TRUST_LIST = "trust-list"
MOST_LISTS = 64
"""Of credentials, and as many of check statements."""
_SECONDS = 10.0
_OK = 200


class _Dated(Protocol):
    @property
    def issued_at(self) -> datetime: ...


_L = TypeVar("_L", bound=_Dated)


@dataclass(frozen=True, slots=True)
class CredentialLists:
    """What a verifier has at hand.

    Attributes:
        trust: Whose signatures count.
        statuses: The status lists, in any number.
    """

    trust: TrustList
    statuses: tuple[StatusList, ...]

    def verify(self, text: str, now: datetime) -> Verification:
        """Verify the text of a credential; see `certificates.verify`."""
        return verify(text, self.trust, self.statuses, now)

    @classmethod
    def load(cls, folder: Path, roots: Sequence[PublicKey]) -> "CredentialLists":
        """Read the lists of a folder.

        Raises:
            TrustError: It has no trust list that a root key signed.
            OSError: A file cannot be read.
        """
        return cls._gather(roots, lambda name: _kept(folder / name))

    @classmethod
    def fetch(cls, folder: Path, roots: Sequence[PublicKey], url: str) -> "CredentialLists":
        """Fetch the lists of an issuer into a folder, which is made; what is newer there stays.

        Args:
            folder: Where they are kept.
            roots: The root keys that count.
            url: Of the issuer's server, without a slash at its end.

        Raises:
            TrustError: Neither side has a trust list that a root key signed.
            httpx.HTTPError: The server does not answer.
            OSError: A file cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with httpx.Client(base_url=url, timeout=_SECONDS) as http:

            def both(name: str) -> list[bytes]:
                answer = http.get(f"/certificates/{name.replace('-superseded', '/superseded')}")
                fetched = [answer.content] if answer.status_code == _OK else []
                return [*_kept(folder / name), *fetched]

            return cls._gather(roots, both, folder)

    @classmethod
    def _gather(
        cls,
        roots: Sequence[PublicKey],
        candidates: Callable[[str], list[bytes]],
        folder: Path | None = None,
    ) -> "CredentialLists":
        trust = _newest(TRUST_LIST, candidates, lambda raw: verify_trust_list(raw, roots), folder)
        if trust is None:
            raise TrustError("There is no trust list that this root key signed.")
        statuses: list[StatusList] = []
        for first in (0, STATEMENT_LISTS):
            for number in range(first, first + MOST_LISTS):
                found = [
                    _newest(name, candidates, lambda raw: verify_status_list(raw, trust), folder)
                    for name in (f"status/{number}", f"status/{number}-superseded")
                ]
                if found[0] is None:
                    break
                statuses += [one for one in found if one is not None]
        return cls(trust, tuple(statuses))


def _kept(path: Path) -> list[bytes]:
    return [path.read_bytes()] if path.exists() else []


def _newest(
    name: str,
    candidates: Callable[[str], list[bytes]],
    read: Callable[[bytes], _L],
    folder: Path | None,
) -> _L | None:
    best: tuple[bytes, _L] | None = None
    for raw in candidates(name):
        try:
            found = read(raw)
        except CertificateError:
            continue  # of nobody who is trusted
        if best is None or best[1].issued_at < found.issued_at:
            best = raw, found
    if best is not None and folder is not None:
        _keep(folder / name, best[0])
    return best and best[1]


def _keep(path: Path, raw: bytes) -> None:
    """Put a whole file in its place; after a crash it is the former one."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(raw)
    draft.replace(path)
