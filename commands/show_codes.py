"""The code that is shown at a clinic: sealed by the platform, for a minute, for one visit.

    code = "VSC1:" base45(nonce, AES-256-GCM(certificate, presenter, milliseconds))

Whoever photographs it learns nothing of the person, and has a minute. Its nonce is claimed in the
transaction that opens the visit, so it opens one only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certificates.base45 import decode, encode
from certificates.errors import Base45Error
from domain.show_code import LIFE, ShowCodeExpired, ShowCodeUnknown

PREFIX = "VSC1:"
NONCE_BYTES = 12
_MILLISECOND = timedelta(milliseconds=1)
_PLAIN_BYTES = 40
_CHARS = len(PREFIX) + len(encode(bytes(NONCE_BYTES + _PLAIN_BYTES + 16)))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ShowCode:
    """What a code says.

    Attributes:
        nonce: 12 random bytes; no two codes have the same.
        certificate: Whose visit it opens.
        presenter: Handle of the person who shows it.
        made_at: Our clock, whole milliseconds, UTC.
    """

    nonce: bytes
    certificate: UUID
    presenter: UUID
    made_at: datetime

    @property
    def expires_at(self) -> datetime:
        """From when on it opens nothing."""
        return self.made_at + LIFE

    def text(self, key: bytes) -> str:
        """The text of the code.

        Args:
            key: The platform's, 32 bytes.
        """
        milliseconds = (self.made_at - _EPOCH) // _MILLISECOND
        plain = self.certificate.bytes + self.presenter.bytes + milliseconds.to_bytes(8)
        sealed = AESGCM(key).encrypt(self.nonce, plain, PREFIX.encode())
        return PREFIX + encode(self.nonce + sealed)

    @classmethod
    def read(cls, text: str, key: bytes, now: datetime) -> "ShowCode":
        """Open a code that somebody shows.

        Raises:
            ShowCodeUnknown: The platform has not made it.
            ShowCodeExpired: Its minute is over.
        """
        if len(text) != _CHARS or not text.startswith(PREFIX):
            raise ShowCodeUnknown
        try:
            raw = decode(text.removeprefix(PREFIX))
            nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
            plain = AESGCM(key).decrypt(nonce, sealed, PREFIX.encode())
        except (Base45Error, InvalidTag) as error:
            raise ShowCodeUnknown from error
        made_at = _EPOCH + int.from_bytes(plain[32:]) * _MILLISECOND
        code = cls(nonce, UUID(bytes=plain[:16]), UUID(bytes=plain[16:32]), made_at)
        if not code.made_at <= now < code.expires_at:
            raise ShowCodeExpired(made_at=made_at.isoformat(timespec="seconds"))
        return code
