"""Signatures: key and algorithm are the verifier's; the header decides nothing."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certificates import cbor, signing
from certificates.errors import CborError, CertificateError, KeyRefused, SignatureRefused
from certificates.signing import ES256, Algorithm, Es256Signer, PublicKey, Sign1, key_id, sign
from tests.unit.certificates.credentials import OTHER_SIGNER, SIGNER, payload, private_key


def spki(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def structure(
    *, header=None, others=None, content=b"payload", signature=bytes(64), tag=18
) -> bytes:
    """A COSE_Sign1 as another implementation writes it, signed or not."""
    header = {1: ES256, 4: SIGNER.kid} if header is None else header
    protected = header if isinstance(header, bytes) else cbor2.dumps(header)
    return cbor2.dumps(cbor2.CBORTag(tag, [protected, others or {}, content, signature]))


def test_a_signature_holds_and_is_the_same_each_time():
    raw = sign(payload(), SIGNER)
    assert sign(payload(), SIGNER) == raw
    signed = Sign1.parse(raw)
    signed.verify(SIGNER.public_key)
    assert (signed.algorithm, signed.kid, signed.type) == (ES256, SIGNER.kid, None)
    assert signed.encode() == raw


def test_the_key_id_is_the_front_of_the_hash_of_certificate_or_key():
    assert SIGNER.kid == key_id(SIGNER.public_key.spki)
    assert Es256Signer(private_key(1001), b"certificate").kid == key_id(b"certificate")
    assert len(SIGNER.kid) == 8


def test_every_changed_byte_of_a_signed_structure_is_noticed():
    raw = sign(payload(), SIGNER)
    for at in range(len(raw)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(raw)
            changed[at] ^= flip
            with pytest.raises(CertificateError):
                Sign1.parse(bytes(changed)).verify(SIGNER.public_key)


def test_another_key_is_refused():
    signed = Sign1.parse(sign(payload(), SIGNER))
    with pytest.raises(SignatureRefused):
        signed.verify(OTHER_SIGNER.public_key)


@pytest.mark.parametrize("algorithm", [0, -8, -35, -36, -37, -257, -47, 5, 4])
def test_another_algorithm_in_the_header_is_refused(algorithm):
    """Among them 0, HMAC with the public key as secret, and ES384."""
    raw = structure(header={1: algorithm, 4: SIGNER.kid})
    with pytest.raises(SignatureRefused, match="not used with this algorithm"):
        Sign1.parse(raw).verify(SIGNER.public_key)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {4: SIGNER.kid},
        {1: ES256},
        {1: None, 4: SIGNER.kid},
        {1: "none", 4: SIGNER.kid},
        {1: True, 4: SIGNER.kid},
        {1: ES256, 4: "kid"},
        {1: ES256, 4: b""},
        {1: ES256, 4: bytes(7)},
        {1: ES256, 4: bytes(32)},
        {1: ES256, 2: [16], 4: SIGNER.kid},
        {1: ES256, 4: SIGNER.kid, 33: b"own certificate"},
        {1: ES256, 4: SIGNER.kid, 16: 5},
        {1: ES256, 4: SIGNER.kid, 16: None},
        {1: ES256, 4: SIGNER.kid, 16: "t", 35: "https://own.keys.example"},
        b"",
        b"\x80",
    ],
    ids=repr,
)
def test_another_header_is_refused(header):
    with pytest.raises(CertificateError):
        Sign1.parse(structure(header=header))


def test_an_algorithm_or_a_key_in_the_unprotected_header_is_refused():
    for others in ({1: ES256}, {4: SIGNER.kid}, {1: 0}):
        with pytest.raises(SignatureRefused, match="unprotected"):
            Sign1.parse(structure(others=others))


@pytest.mark.parametrize("tag", [17, 19, 96, 97, 98, 61])
def test_another_structure_is_refused(tag):
    with pytest.raises(CborError):
        Sign1.parse(structure(tag=tag))


@pytest.mark.parametrize(
    "value",
    [
        (b"", {}, b"", b""),
        cbor.Sign1Tag(b""),
        cbor.Sign1Tag((b"", {}, b"")),
        cbor.Sign1Tag((b"", {}, b"", b"", b"")),
        cbor.Sign1Tag((b"", {}, None, b"")),
        cbor.Sign1Tag((b"", (), b"", b"")),
        cbor.Sign1Tag(({}, {}, b"", b"")),
        cbor.Sign1Tag(cbor.Sign1Tag((b"", {}, b"", b""))),
    ],
    ids=repr,
)
def test_other_shapes_are_refused(value):
    """Untagged, too few, too many, detached payload, tagged twice."""
    with pytest.raises(SignatureRefused):
        Sign1.parse(cbor.encode(value))


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(63),
        bytes(64),
        bytes(65),
        b"\xff" * 64,
        ORDER.to_bytes(32) * 2,
        bytes(32) + (1).to_bytes(32),
        bytes.fromhex("3006020101020101"),
    ],
    ids=bytes.hex,
)
def test_a_degenerate_signature_is_refused(signature):
    with pytest.raises(SignatureRefused):
        SIGNER.public_key.verify(signature, b"message")


def test_a_genuine_signature_with_a_zero_put_in_is_another_and_refused():
    signature = SIGNER.sign(b"message")
    with pytest.raises(SignatureRefused, match="64 bytes"):
        SIGNER.public_key.verify(signature[:32] + b"\x00" + signature[32:], b"message")


@pytest.mark.parametrize(
    "material",
    [
        b"",
        b"\x30\x00",
        spki(ec.derive_private_key(5, ec.SECP384R1())),
        spki(ec.derive_private_key(5, ec.SECP256K1())),
        spki(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))),
        spki(rsa.generate_private_key(65537, 2048)),
        SIGNER.public_key.spki + b"\x00",
        SIGNER.public_key.spki[:-64] + bytes(64),
    ],
)
def test_a_key_of_another_kind_is_refused(material):
    with pytest.raises(KeyRefused):
        PublicKey(ES256, material)


def test_a_compressed_point_is_another_spelling_and_refused():
    point = private_key(1001).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    with pytest.raises(KeyRefused, match="one encoding"):
        PublicKey(ES256, head + point)


def test_a_signer_on_another_curve_is_refused():
    with pytest.raises(KeyRefused):
        Es256Signer(ec.derive_private_key(5, ec.SECP384R1()))


def test_an_unknown_algorithm_has_no_keys():
    with pytest.raises(KeyRefused, match="not known"):
        PublicKey(-65_537, SIGNER.public_key.spki)


class SwappedHalves:
    """A signer of an algorithm of its own: ES256 with s before r."""

    algorithm = -65_537
    kid = SIGNER.kid

    def sign(self, message):
        signature = SIGNER.sign(message)
        return signature[32:] + signature[:32]


def test_a_further_algorithm_is_one_more_row_and_a_signer(monkeypatch):
    def verify(material, signature, message):
        PublicKey(ES256, material).verify(signature[32:] + signature[:32], message)

    further = Algorithm(lambda material: PublicKey(ES256, material), verify)
    monkeypatch.setattr(signing, "ALGORITHMS", {**signing.ALGORITHMS, -65_537: further})
    signed = Sign1.parse(sign(b"payload", SwappedHalves()))
    signed.verify(PublicKey(-65_537, SIGNER.public_key.spki))
    with pytest.raises(SignatureRefused):
        signed.verify(SIGNER.public_key)
