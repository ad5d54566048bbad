"""The keys that sign credentials: a root, and signers with X.509 certificates that it signed.

Files below `<data_dir>/secrets/credentials`, each a private key and its certificate (PEM). The
newest signer signs; older ones stay on the trust list until their certificates end. A signer whose
file is taken away leaves the trust list, and everything that it signed falls with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from bootstrap.secrets import keep
from certificates.signing import ES256, Es256Signer, PublicKey
from certificates.trust import Issuer, TrustedKey, TrustList, Usage, sign_trust_list

ROOT_LIFE = timedelta(days=3653)
SIGNER_LIFE = timedelta(days=3 * 365)
TRUST_LIST_LIFE = timedelta(days=30)

_ROOT = "root"
_SIGNER = "signer"
_SIGNS_ALL = Usage.HISTORY | Usage.SCHOOL_VERDICT | Usage.STATUS_LIST
_OWN_LEAF = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class CredentialKey:
    """A key with its certificate.

    Attributes:
        private_key: On P-256.
        certificate: What the root says of it.
    """

    private_key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @cached_property
    def der(self) -> bytes:
        """The certificate's bytes."""
        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def signer(self) -> Es256Signer:
        """Signs under the key ID of the certificate."""
        return Es256Signer(self.private_key, self.der)

    @property
    def key_id(self) -> str:
        """The key ID, 16 hex digits."""
        return self.signer.kid.hex()

    @property
    def valid_from(self) -> datetime:
        """First moment that it signs."""
        return self.certificate.not_valid_before_utc

    @property
    def valid_until(self) -> datetime:
        """Nothing it signs outlives this."""
        return self.certificate.not_valid_after_utc

    @classmethod
    def parse(cls, text: str) -> "CredentialKey":
        """Read a file's text: a private key, then its certificate."""
        raw = text.encode()
        private_key = load_pem_private_key(raw, None)
        assert isinstance(private_key, ec.EllipticCurvePrivateKey), "the files are ours"
        return cls(private_key, x509.load_pem_x509_certificate(raw))


class CredentialKeys:
    """The keys of an installation; what is missing is made on first use.

    Args:
        folder: Where the files lie.
        issuer: In whose name they sign.
        clock: The time in UTC.
    """

    def __init__(self, folder: Path, issuer: Issuer, clock: Callable[[], datetime]) -> None:
        self.issuer = issuer
        self._folder = folder
        self._clock = clock
        self._read: dict[str, CredentialKey] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @cached_property
    def root(self) -> Es256Signer:
        """Signs the trust list; its public key is what verifiers are built with."""
        return Es256Signer(self._root.private_key)

    def signers(self) -> list[CredentialKey]:
        """All signers that still count, the newest last."""
        files = sorted(self._folder.glob(f"{_SIGNER}-[0-9][0-9][0-9][0-9]"))
        if not files:
            return [self.rotate()]
        now = self._clock()
        return [key for key in map(self._known, files) if now < key.valid_until]

    @property
    def newest(self) -> CredentialKey:
        """The one that signs."""
        return self.signers()[-1]

    def of(self, moment: datetime) -> CredentialKey:
        """The signer of a moment; where none of then counts any more, the oldest that does."""
        signers = self.signers()
        until_then = [key for key in signers if key.valid_from <= moment]
        return until_then[-1] if until_then else signers[0]

    def find(self, key_id: str) -> CredentialKey | None:
        """A signer that still counts, by its key ID in hex."""
        return next((key for key in self.signers() if key.key_id == key_id), None)

    def rotate(self) -> CredentialKey:
        """Make a further signer, which signs from now on; older ones stay trusted.

        Two processes that rotate at once make one signer.
        """
        numbers = [int(file.name[-4:]) for file in self._folder.glob(f"{_SIGNER}-*") if file.name]
        path = self._folder / f"{_SIGNER}-{max(numbers, default=0) + 1:04}"
        # The file is durable before anything is signed with it; until then nobody knows of it.
        keep(path, self._made(f"{self.issuer.name} {path.name}", SIGNER_LIFE, self._root))
        return self._known(path)

    def trust_list(self) -> bytes:
        """The signed trust list of this moment (docs/certificate-format.md)."""
        now = self._now()
        keys = tuple(
            TrustedKey(
                self.issuer,
                PublicKey(ES256, key.signer.public_key.spki),
                key.valid_from,
                key.valid_until,
                _SIGNS_ALL,
                key.der,
            )
            for key in self.signers()
        )
        return sign_trust_list(TrustList(now, now + TRUST_LIST_LIFE, keys), self.root)

    @cached_property
    def _root(self) -> CredentialKey:
        fresh = self._made(f"{self.issuer.name} root", ROOT_LIFE, None)
        return CredentialKey.parse(keep(self._folder / _ROOT, fresh))

    def _known(self, path: Path) -> CredentialKey:
        if path.name not in self._read:
            self._read[path.name] = CredentialKey.parse(path.read_text())
        return self._read[path.name]

    def _made(self, name: str, life: timedelta, authority: CredentialKey | None) -> str:
        """A new key and its certificate as text; without an authority it signs itself."""
        private_key, now = ec.generate_private_key(ec.SECP256R1()), self._now()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = x509.CertificateBuilder(
            issuer_name=authority.certificate.subject if authority else subject,
            subject_name=subject,
            public_key=private_key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now,
            not_valid_after=now + life,
        ).add_extension(
            x509.BasicConstraints(ca=authority is None, path_length=None), critical=True
        )
        if authority is not None:
            built = built.add_extension(_OWN_LEAF, critical=True)
        certificate = built.sign(authority.private_key if authority else private_key, SHA256())
        key = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (key + certificate.public_bytes(Encoding.PEM)).decode()

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)
