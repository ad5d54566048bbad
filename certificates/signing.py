"""Signatures: COSE_Sign1 with the key named in the protected header (RFC 9052, RFC 9053).

    COSE_Sign1    = 18([protected, {}, payload, signature])
    protected     = bytes of {1: algorithm, 4: kid, ? 16: type}
    signed bytes  = ["Signature1", protected, h'', payload]

The verifier takes key *and* algorithm from its own trust list; the header must agree with it and
decides nothing. Another algorithm (SM2 with SM3) is one more row of ``ALGORITHMS`` and a signer.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from certificates import cbor
from certificates.errors import KeyRefused, SignatureRefused

ES256: Final = -7

KEY_ID_BYTES = 8

_ALGORITHM, _KEY_ID, _TYPE = 1, 4, 16
_HEADERS = ({_ALGORITHM, _KEY_ID}, {_ALGORITHM, _KEY_ID, _TYPE})
_PARTS = 4
_SCALAR_BYTES = 32


def key_id(material: bytes) -> bytes:
    """Return the key ID: the first 8 bytes of SHA-256.

    Args:
        material: DER of the signer's certificate, or of its SubjectPublicKeyInfo where it has none.
    """
    return hashlib.sha256(material).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key with the only algorithm that it is used for.

    Attributes:
        algorithm: COSE algorithm identifier.
        spki: DER of the SubjectPublicKeyInfo.

    Raises:
        KeyRefused: If the algorithm is not known here or the key is none of that algorithm.
    """

    algorithm: int
    spki: bytes

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise KeyRefused("This algorithm is not known here.", algorithm=self.algorithm)
        ALGORITHMS[self.algorithm].check_key(self.spki)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature.

        Raises:
            SignatureRefused: If it does not hold.
        """
        ALGORITHMS[self.algorithm].verify(self.spki, signature, message)


class Signer(Protocol):
    """Who signs: a key in memory, or one that never leaves its hardware."""

    @property
    def algorithm(self) -> int:
        """COSE algorithm identifier."""
        ...

    @property
    def kid(self) -> bytes:
        """Key ID, 8 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""
        ...


class Es256Signer:
    """Signs with ECDSA on P-256 and SHA-256, deterministically (RFC 6979).

    Args:
        key: The private key.
        certificate: DER of the signer's certificate, if it has one: the key ID is taken from it.

    Attributes:
        algorithm: -7.
        kid: Key ID, 8 bytes.
        public_key: What verifiers need.

    Raises:
        KeyRefused: If the key is not on P-256.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: bytes | None = None) -> None:
        self._key = key
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.algorithm = ES256
        self.public_key = PublicKey(ES256, spki)
        self.kid = key_id(spki if certificate is None else certificate)

    def sign(self, message: bytes) -> bytes:
        """Return r and s, 32 bytes each (RFC 9053, section 2.1)."""
        r, s = decode_dss_signature(
            self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        )
        return r.to_bytes(_SCALAR_BYTES) + s.to_bytes(_SCALAR_BYTES)


@dataclass(frozen=True, slots=True)
class Sign1:
    """A signed payload, not yet verified.

    Attributes:
        algorithm: What the header claims.
        kid: Which key the header names, 8 bytes.
        type: What kind of payload the header says it is (RFC 9596), or None.
        payload: The signed bytes.
        signature: The signature.
    """

    algorithm: int
    kid: bytes
    type: str | None
    payload: bytes
    signature: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a tagged COSE_Sign1.

        Raises:
            CborError: If it is not deterministic CBOR.
            SignatureRefused: If it is no COSE_Sign1 of the form above.
        """
        match cbor.decode(raw):
            case cbor.Sign1Tag(
                [bytes() as protected, dict() as others, bytes() as payload, bytes() as signature]
            ):
                pass
            case _:
                raise SignatureRefused("This is not a COSE_Sign1 structure.")
        if others:
            raise SignatureRefused("Nothing stands in the unprotected header.")
        header = cbor.decode(protected)
        if not isinstance(header, dict) or header.keys() not in _HEADERS:
            raise SignatureRefused("The header names the algorithm and the key.")
        algorithm, kid, type_ = header[_ALGORITHM], header[_KEY_ID], header.get(_TYPE, "")
        if type(algorithm) is not int or not isinstance(kid, bytes) or not isinstance(type_, str):
            raise SignatureRefused("The header names the algorithm and the key.")
        if len(kid) != KEY_ID_BYTES:
            raise SignatureRefused("A key ID has 8 bytes.")
        return cls(algorithm, kid, header.get(_TYPE), payload, signature)

    def encode(self) -> bytes:
        """Return the bytes of the structure."""
        return cbor.encode(cbor.Sign1Tag((self._protected(), {}, self.payload, self.signature)))

    def message(self) -> bytes:
        """Return the bytes that the signature covers (Sig_structure)."""
        return cbor.encode(("Signature1", self._protected(), b"", self.payload))

    def verify(self, key: PublicKey) -> None:
        """Check the signature with a key of the verifier's own.

        Raises:
            SignatureRefused: If the header claims another algorithm than the key is used for, or
                the signature does not hold.
        """
        if self.algorithm != key.algorithm:
            raise SignatureRefused("The key is not used with this algorithm.")
        key.verify(self.signature, self.message())

    def _protected(self) -> bytes:
        header: dict[int, cbor.Cbor] = {_ALGORITHM: self.algorithm, _KEY_ID: self.kid}
        if self.type is not None:
            header[_TYPE] = self.type
        return cbor.encode(header)


def sign(payload: bytes, signer: Signer, type_: str | None = None) -> bytes:
    """Return the COSE_Sign1 structure of a payload.

    Args:
        payload: What is signed.
        signer: Who signs.
        type_: What kind of payload it is; credentials have none (HCERT).
    """
    unsigned = Sign1(signer.algorithm, signer.kid, type_, payload, b"")
    return Sign1(
        signer.algorithm, signer.kid, type_, payload, signer.sign(unsigned.message())
    ).encode()


@lru_cache(maxsize=1024)
def _p256(spki: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused("This is not a public key.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyRefused("ES256 takes keys on P-256.")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise KeyRefused("This is not the one encoding of this key.")
    return key


def _verify_es256(spki: bytes, signature: bytes, message: bytes) -> None:
    if len(signature) != 2 * _SCALAR_BYTES:
        raise SignatureRefused("An ES256 signature has 64 bytes.")
    r, s = (int.from_bytes(half) for half in (signature[:_SCALAR_BYTES], signature[_SCALAR_BYTES:]))
    try:
        _p256(spki).verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise SignatureRefused from error


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm.

    Attributes:
        check_key: Takes a SubjectPublicKeyInfo; raises KeyRefused.
        verify: Takes SubjectPublicKeyInfo, signature and message; raises SignatureRefused.
    """

    check_key: Callable[[bytes], object]
    verify: Callable[[bytes, bytes, bytes], None]


ALGORITHMS: Mapping[int, Algorithm] = {ES256: Algorithm(_p256, _verify_es256)}
"""What is verified here, by COSE algorithm identifier."""
