"""Status lists against the IETF's example, a reader of our own, and forgers."""

import base64
import tracemalloc
import zlib
from datetime import timedelta

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from certificates.errors import CertificateError, ClaimsError, StatusListError, UnknownIssuer
from certificates.signing import Sign1, sign
from certificates.status import (
    MAX_BYTES,
    MAX_SIZE,
    STATUS_LIST_TYPE,
    sign_status_list,
    verify_status_list,
)
from certificates.trust import Usage
from tests.unit.certificates.credentials import (
    DAY,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    OTHER_SIGNER,
    SIGNER,
    STATUS,
    credential,
    payload,
    private_key,
    status_list,
    trust_list,
    trusted,
)

URI = ISSUER.status_list(STATUS.list)


def read_independently(raw: bytes, public_key: ec.EllipticCurvePublicKey, index: int) -> int:
    """A Token Status List reader that shares no code with ours."""
    token = cbor2.loads(raw)
    assert token.tag == 18
    protected, _, body, signature = token.value
    header, claims = cbor2.loads(protected), cbor2.loads(body)
    assert header[16] == "application/statuslist+cwt"
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    covered = cbor2.dumps(["Signature1", protected, b"", body])
    public_key.verify(encode_dss_signature(r, s), covered, ec.ECDSA(SHA256()))
    assert claims[2].startswith("https://")
    statuses = claims[65533]
    assert claims[4] > claims[6]
    assert claims[65534] > 0
    per_byte = 8 // statuses["bits"]
    held = zlib.decompress(statuses["lst"])[index // per_byte]
    return held >> (index % per_byte) * statuses["bits"] & (1 << statuses["bits"]) - 1


def forged(**changed) -> bytes:
    """A list with members changed, signed by the issuer's own key."""
    claims = {
        2: URI,
        4: 1_790_000_000,
        6: 1_788_000_000,
        65533: {"bits": 1, "lst": zlib.compress(bytes(16))},
        65534: 3600,
    }
    claims |= {int(name.removeprefix("c")): value for name, value in changed.items()}
    present = {name: value for name, value in claims.items() if value is not None}
    return sign(cbor2.dumps(present, canonical=True), SIGNER, STATUS_LIST_TYPE)


def test_the_example_of_the_specification_has_the_same_bytes():
    """Token Status List, section 4.1: sixteen statuses of one bit."""
    statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    made = status_list(*(at for at, bit in enumerate(statuses) if bit), size=16)
    assert made.bits.hex() == "b9a3"
    assert base64.urlsafe_b64encode(zlib.compress(made.bits, 9)).rstrip(b"=") == b"eNrbuRgAAhcBXQ"


def test_an_independent_reader_finds_the_same_bits():
    revoked = {0, 7, 8, 345, 1023}
    raw = sign_status_list(status_list(*revoked), SIGNER)
    ours = verify_status_list(raw, trust_list())
    assert ours == status_list(*revoked)
    public_key = private_key(1001).public_key()
    for index in range(ours.size):
        assert ours.has(index) == (index in revoked)
        assert read_independently(raw, public_key, index) == ours.has(index)


def test_beyond_the_end_nothing_is_set():
    assert not status_list(7, size=8).has(8)


def test_a_list_of_a_million_with_ten_thousand_revoked_is_small():
    size = 1_000_000
    raw = sign_status_list(
        status_list(*((at * 7919) % size for at in range(10_000)), size=size), SIGNER
    )
    assert len(raw) < 25_000
    assert verify_status_list(raw, trust_list()).size == size


@pytest.mark.parametrize("index", [-1, 1024, 2**40])
def test_an_index_outside_is_refused(index):
    with pytest.raises(ClaimsError):
        status_list(index)


@pytest.mark.parametrize("size", [0, -8, MAX_SIZE + 1])
def test_a_size_outside_is_refused(size):
    with pytest.raises(ClaimsError):
        status_list(size=size)


@pytest.mark.parametrize(
    "changed",
    [
        {"c2": None},
        {"c2": 5},
        {"c2": ""},
        {"c4": None},
        {"c4": True},
        {"c4": -1},
        {"c6": None},
        {"c6": "now"},
        {"c65533": None},
        {"c65533": b"\xff"},
        {"c65533": {"bits": 1}},
        {"c65533": {"bits": 2, "lst": zlib.compress(bytes(16))}},
        {"c65533": {"bits": 1, "lst": "text"}},
        {"c65533": {"bits": 1, "lst": b"not zlib"}},
        {"c65533": {"bits": 1, "lst": zlib.compress(b"")}},
        {"c65533": {"bits": 1, "lst": zlib.compress(bytes(16)) + b"\x00"}},
        {"c65534": None},
        {"c65534": 0},
        {"c65534": 2**60},
    ],
    ids=repr,
)
def test_a_malformed_list_is_refused_even_from_its_issuer(changed):
    verify_status_list(forged(), trust_list())
    with pytest.raises(CertificateError):
        verify_status_list(forged(**changed), trust_list())


def test_a_bomb_in_a_list_is_stopped_at_the_limit():
    bomb = forged(c65533={"bits": 1, "lst": zlib.compress(bytes(50_000_000), 9)})
    tracemalloc.start()
    with pytest.raises(CertificateError, match="inflates to more"):
        verify_status_list(bomb, trust_list())
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_list_that_is_too_long_is_refused_unread():
    with pytest.raises(StatusListError, match="4,000,000"):
        verify_status_list(bytes(MAX_BYTES + 1), trust_list())


def test_a_credential_is_no_status_list():
    for type_ in (None, "application/statuslist+jwt"):
        with pytest.raises(StatusListError):
            verify_status_list(sign(payload(), SIGNER, type_), trust_list())
    with pytest.raises(StatusListError):
        verify_status_list(sign(payload(), SIGNER, STATUS_LIST_TYPE), trust_list())


def test_a_genuine_list_signed_as_something_else_is_refused():
    content = Sign1.parse(sign_status_list(status_list(), SIGNER)).payload
    verify_status_list(sign(content, SIGNER, STATUS_LIST_TYPE), trust_list())
    for type_ in (None, "application/statuslist+jwt"):
        with pytest.raises(StatusListError):
            verify_status_list(sign(content, SIGNER, type_), trust_list())


def test_one_issuer_cannot_speak_for_anothers_credentials():
    both = trust_list(trusted(), trusted(OTHER_SIGNER.public_key, OTHER_ISSUER))
    with pytest.raises(UnknownIssuer, match="no such status list"):
        verify_status_list(sign_status_list(status_list(), OTHER_SIGNER), both)


def test_a_uri_that_only_begins_alike_is_another_issuers():
    near = status_list(uri=ISSUER.status_uri + "-x/12")
    with pytest.raises(UnknownIssuer, match="no such status list"):
        verify_status_list(sign_status_list(near, SIGNER), trust_list())


def test_a_key_for_credentials_alone_signs_no_list():
    only = trust_list(trusted(usages=Usage.HISTORY))
    with pytest.raises(UnknownIssuer, match="purpose"):
        verify_status_list(sign_status_list(status_list(), SIGNER), only)


def test_a_list_from_before_the_key_was_valid_is_refused():
    late = trust_list(trusted(valid=(NOW, NOW + 60 * DAY)))
    with pytest.raises(UnknownIssuer, match="that time"):
        verify_status_list(sign_status_list(status_list(issued_at=NOW - DAY), SIGNER), late)


def test_every_changed_byte_of_a_list_is_noticed():
    raw = sign_status_list(status_list(3), SIGNER)
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 0x01
        with pytest.raises(CertificateError):
            verify_status_list(bytes(changed), trust_list())


def test_the_two_lists_lie_beside_each_other():
    assert URI == "https://vax.example.cn/status/12"
    assert ISSUER.superseded_list(12) == f"{URI}/superseded"
    assert credential().status.list == 12
    assert status_list().ttl == timedelta(days=1)
