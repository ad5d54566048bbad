"""Weak public keys: each would make one signature fit many messages."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import ed25519
from ledger.ed25519 import check_public_key
from ledger.errors import KeyMaterialError

# The eight points of small order in every spelling, canonical or not (RFC 8032, 5.1.3: y mod p).
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


def compress(point):
    x, y, z, _ = point
    inverse = pow(z, -1, 2**255 - 19)
    x, y = x * inverse % (2**255 - 19), y * inverse % (2**255 - 19)
    return (y | (x & 1) << 255).to_bytes(32, "little")


def test_honest_keys_pass():
    for seed in range(1, 9):
        key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        check_public_key(key.public_key().public_bytes_raw())


@pytest.mark.parametrize("text", SMALL_ORDER)
def test_a_key_of_small_order_is_refused(text):
    with pytest.raises(KeyMaterialError):
        check_public_key(bytes.fromhex(text))


def test_a_key_with_a_small_component_is_refused():
    honest = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    for text in SMALL_ORDER[2:6] + SMALL_ORDER[10:]:
        try:
            torsion = ed25519._decompress(bytes.fromhex(text))
        except KeyMaterialError:
            continue  # a non-canonical spelling of one of the others
        mixed = compress(ed25519._add(ed25519._decompress(honest), torsion))
        if mixed == honest:
            continue
        with pytest.raises(KeyMaterialError, match="small order"):
            check_public_key(mixed)


@pytest.mark.parametrize("y", range(2**255 - 19, 2**255))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_in_non_canonical_form_is_refused(y, sign):
    with pytest.raises(KeyMaterialError, match="canonical form"):
        check_public_key((y | sign << 255).to_bytes(32, "little"))


def test_a_key_off_the_curve_is_refused():
    with pytest.raises(KeyMaterialError, match="not a point"):
        check_public_key((2).to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size):
    honest = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    with pytest.raises(KeyMaterialError, match="32 bytes"):
        check_public_key((honest + bytes(32))[:size])


def test_arithmetic_gives_the_public_key_of_a_known_private_key():
    # RFC 8032, 7.1, test 1: the base point times the clamped hash of the secret is the key.
    import hashlib

    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    scalar = int.from_bytes(hashlib.sha512(secret).digest()[:32], "little")
    scalar = scalar & ~7 & (1 << 254) - 1 | 1 << 254
    base = ed25519._decompress(bytes([0x58]) + b"\x66" * 31)
    assert compress(ed25519._multiply(scalar, base)).hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
