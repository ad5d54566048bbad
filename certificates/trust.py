"""The trust list: whose keys may sign what, and when; itself signed by a root key.

    trust list = COSE_Sign1 of {4: expires, 6: issued, -70001: [* issuer]}
    issuer     = [name, status URI, log origin, [* key]]
    key        = [algorithm, kind, DER, from, until, usages]

`kind` is 0 for a SubjectPublicKeyInfo, 1 for an X.509 certificate of it. A key that is being
replaced stays listed until what it signed has expired; a compromised one is left out, and with it
falls everything that it ever signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag
from functools import cached_property
from itertools import groupby

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from certificates import cbor
from certificates.claims import ISSUER_FORM
from certificates.errors import KeyRefused, SignatureRefused, TrustListError, UnknownIssuer
from certificates.shape import (
    check_code,
    check_moment,
    check_number,
    check_text,
    moment_of,
    seconds_of,
)
from certificates.signing import ALGORITHMS, PublicKey, Sign1, Signer, key_id, sign

TRUST_LIST_TYPE = "application/vnd.vaxledger.trust-list+cwt"

MAX_BYTES = 1_000_000
MAX_ITEMS = 50_000

_EXPIRES, _ISSUED, _ISSUERS = 4, 6, -70001
_MAX_URI = 200
_SPKI, _CERTIFICATE = 0, 1


class Usage(IntFlag):
    """What a key may sign."""

    HISTORY = 1
    SCHOOL_VERDICT = 2
    STATUS_LIST = 4


_ANY_USAGE = int(Usage.HISTORY | Usage.SCHOOL_VERDICT | Usage.STATUS_LIST)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs credentials.

    Attributes:
        name: As in its credentials, such as ``CN-320600``.
        status_uri: Where its status lists lie, without a slash at the end.
        log: Origin of the log whose positions its credentials name.
    """

    name: str
    status_uri: str
    log: str

    def __post_init__(self) -> None:
        check_code(self.name, ISSUER_FORM, "issuer")
        check_text(self.status_uri, _MAX_URI, "status URI")
        check_text(self.log, _MAX_URI, "log origin")

    def status_list(self, number: int) -> str:
        """Return the URI of the list of credentials that hold no more."""
        return f"{self.status_uri}/{number}"

    def superseded_list(self, number: int) -> str:
        """Return the URI of the list that tells which of them have a successor."""
        return f"{self.status_uri}/{number}/superseded"


@dataclass(frozen=True)
class TrustedKey:
    """A key of an issuer.

    Attributes:
        issuer: Whose.
        public_key: The key.
        valid_from: First moment that it signs.
        valid_until: Nothing it signs outlives this.
        usages: What it may sign.
        certificate: DER of its X.509 certificate, if it has one; its life encloses the key's.

    Raises:
        KeyRefused: If the certificate is of another key or another time.
        ClaimsError: If a moment is no whole second in UTC.
    """

    issuer: Issuer
    public_key: PublicKey
    valid_from: datetime
    valid_until: datetime
    usages: Usage
    certificate: bytes | None = None

    def __post_init__(self) -> None:
        check_moment(self.valid_from, "valid from")
        check_moment(self.valid_until, "valid until")
        if self.certificate is None:
            return
        spki, since, until = _read_certificate(self.certificate)
        if spki != self.public_key.spki:
            raise KeyRefused("The certificate is of another key.")
        if self.valid_from < since or self.valid_until > until:
            raise KeyRefused("The key outlives its certificate.")

    @cached_property
    def kid(self) -> bytes:
        """Key ID, 8 bytes."""
        return key_id(self.certificate or self.public_key.spki)

    def check_may_sign(self, usage: Usage, issued_at: datetime, expires_at: datetime) -> None:
        """Refuse what this key may not sign, or not for this time.

        Raises:
            UnknownIssuer: With the reason.
        """
        if not self.usages & usage:
            raise UnknownIssuer("This key is not for this purpose.")
        if issued_at < self.valid_from or expires_at > self.valid_until:
            raise UnknownIssuer("This key was not valid for that time.")


@dataclass(frozen=True)
class TrustList:
    """The keys that a verifier trusts.

    Attributes:
        issued_at: When the list was made.
        expires_at: From when on it says nothing any more.
        keys: The keys.
    """

    issued_at: datetime
    expires_at: datetime
    keys: tuple[TrustedKey, ...]

    def __post_init__(self) -> None:
        check_moment(self.issued_at, "issued")
        check_moment(self.expires_at, "expires")

    def verified_key(self, signed: Sign1) -> TrustedKey:
        """Return the listed key that signed a structure; key IDs may be shared.

        Raises:
            UnknownIssuer: If no listed key has the key ID that the header names.
            SignatureRefused: If none of those that have it made the signature.
        """
        candidates = [key for key in self.keys if key.kid == signed.kid]
        if not candidates:
            raise UnknownIssuer(kid=signed.kid.hex())
        for key in candidates:
            try:
                signed.verify(key.public_key)
            except SignatureRefused:
                continue
            return key
        raise SignatureRefused(kid=signed.kid.hex())


def sign_trust_list(trust: TrustList, root: Signer) -> bytes:
    """Return the signed bytes of a trust list."""
    by_issuer = groupby(
        sorted(trust.keys, key=lambda key: key.issuer.name), key=lambda key: key.issuer
    )
    payload: dict[int, cbor.Cbor] = {
        _EXPIRES: seconds_of(trust.expires_at),
        _ISSUED: seconds_of(trust.issued_at),
        _ISSUERS: [
            (issuer.name, issuer.status_uri, issuer.log, [_encode_key(key) for key in keys])
            for issuer, keys in by_issuer
        ],
    }
    return sign(cbor.encode(payload), root, TRUST_LIST_TYPE)


def verify_trust_list(raw: bytes, roots: Iterable[PublicKey]) -> TrustList:
    """Return the list that a root key signed, without keys of algorithms not known here.

    Whether it has expired is judged when it is used. A reader keeps the list with the newest
    `issued_at` and takes no older one after it.

    Args:
        raw: The bytes, at most 1,000,000.
        roots: Root keys that the verifier was built with.

    Raises:
        TrustListError: If it is too long, of another type, no known root key's, or malformed.
        CertificateError: Any other reason why it cannot be read or its signature does not hold.
    """
    if len(raw) > MAX_BYTES:
        raise TrustListError("A trust list is at most 1,000,000 bytes.", size=len(raw))
    signed = Sign1.parse(raw)
    if signed.type != TRUST_LIST_TYPE:
        raise TrustListError
    root = next((key for key in roots if key_id(key.spki) == signed.kid), None)
    if root is None:
        raise TrustListError("No root key known here signed this list.", kid=signed.kid.hex())
    signed.verify(root)
    match cbor.decode(signed.payload, max_items=MAX_ITEMS):
        case {4: int() as expires, 6: int() as issued, -70001: list() as issuers}:
            keys = [key for fields in issuers for key in _decode_issuer(fields)]
            return TrustList(
                moment_of(issued, "issued"), moment_of(expires, "expires"), tuple(keys)
            )
    raise TrustListError


def check_issued_by(certificate: bytes, authority: bytes) -> None:
    """Check that a signer's certificate was signed by an authority's (both DER).

    For whoever makes a trust list; its readers rely on the root's signature.

    Raises:
        KeyRefused: If it was not.
    """
    try:
        signer = load_der_x509_certificate(certificate)
        signer.verify_directly_issued_by(load_der_x509_certificate(authority))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise KeyRefused("This authority did not sign the certificate.") from error


def _encode_key(key: TrustedKey) -> cbor.Cbor:
    kind = _SPKI if key.certificate is None else _CERTIFICATE
    return (
        key.public_key.algorithm,
        *(kind, key.certificate or key.public_key.spki),
        *(seconds_of(key.valid_from), seconds_of(key.valid_until), int(key.usages)),
    )


def _decode_issuer(fields: cbor.Cbor) -> Iterable[TrustedKey]:
    match fields:
        case [str() as name, str() as status_uri, str() as log, list() as keys]:
            issuer = Issuer(name, status_uri, log)
            return [key for one in keys if (key := _decode_key(one, issuer))]
    raise TrustListError("This is not an issuer.")


def _decode_key(fields: cbor.Cbor, issuer: Issuer) -> TrustedKey | None:
    match fields:
        case [
            int() as algorithm,
            int() as kind,
            bytes() as der,
            int() as since,
            int() as until,
            int() as usages,
        ] if kind in (_SPKI, _CERTIFICATE):
            if algorithm not in ALGORITHMS:
                return None
            check_number(usages, 1, _ANY_USAGE, "usages")
            certificate = der if kind == _CERTIFICATE else None
            spki = _read_certificate(der)[0] if certificate else der
            return TrustedKey(
                issuer,
                PublicKey(algorithm, spki),
                moment_of(since, "valid from"),
                moment_of(until, "valid until"),
                Usage(usages),
                certificate,
            )
    raise TrustListError("This is not a key.")


def _read_certificate(der: bytes) -> tuple[bytes, datetime, datetime]:
    """Return the SubjectPublicKeyInfo of a certificate, and its first and last second."""
    try:
        certificate = load_der_x509_certificate(der)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused("This is not a certificate.") from error
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki, certificate.not_valid_before_utc, certificate.not_valid_after_utc
