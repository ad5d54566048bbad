"""Sealing: one blob, one key, one place; and nothing once the key is gone."""

import hashlib
import hmac
import json
from dataclasses import replace
from uuid import UUID

import pytest
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import ErasedError, LedgerError, SealError
from ledger.sealing import SealContext, blind_index, blob_digest, seal, unseal, unwrap_key, wrap_key

KEY = bytes(range(32))
SALT = bytes(range(32, 64))
CONTEXT = SealContext(
    "ledger.example.cn/vax/2026",
    "vaccination-record.registered.v1",
    UUID("0198f3a0-7c1e-7d2f-8a4b-5c6d7e8f9a0b"),
    1,
    "3f0c2f6e-9d1b-4c57-8a35-0e6f7f1d2c3b",
)
VALUE = '{"name":"王小明"}'.encode()
BLOB = seal(KEY, SALT, CONTEXT, VALUE)


def hkdf(key, salt, info, length):
    """RFC 5869 by hand."""
    prk = hmac.new(salt, key, "sha256").digest()
    okm, block, counter = b"", b"", 1
    while len(okm) < length:
        block = hmac.new(prk, block + info + bytes([counter]), "sha256").digest()
        okm, counter = okm + block, counter + 1
    return okm[:length]


def test_the_bytes_of_a_blob_are_the_design_s():
    info = rfc8785.dumps(
        {
            "origin": CONTEXT.origin,
            "topic": CONTEXT.topic,
            "stream": str(CONTEXT.stream),
            "version": 1,
            "subject": CONTEXT.subject,
        }
    )
    okm = hkdf(KEY, SALT, info, 64)
    ciphertext = AESGCM(okm[:32]).encrypt(bytes(12), VALUE, None)
    assert b"\x01" + SALT + okm[32:] + ciphertext == BLOB
    assert json.loads(CONTEXT.info()) == json.loads(info)


def test_a_blob_never_changes():
    assert (
        blob_digest(BLOB)
        == hashlib.sha256(BLOB).hexdigest()
        == ("02b6e73c9e31b27f0a49ef8e2442ae5616df4785a02f06001355268b570b0457")
    )


@pytest.mark.parametrize("value", [b"", b"x", VALUE, bytes(100_000)])
def test_a_value_comes_back(value):
    assert unseal(KEY, CONTEXT, seal(KEY, SALT, CONTEXT, value)) == value


@pytest.mark.parametrize(
    "other",
    [
        replace(CONTEXT, origin="ledger.example.cn/vax/2027"),
        replace(CONTEXT, topic="vaccination-record.registered.v2"),
        replace(CONTEXT, stream=UUID(int=1)),
        replace(CONTEXT, version=2),
        replace(CONTEXT, subject="00000000-0000-4000-8000-000000000000"),
    ],
)
def test_a_ciphertext_moved_to_another_place_does_not_open(other):
    with pytest.raises(SealError, match="another key or place"):
        unseal(KEY, other, BLOB)


def test_fields_of_the_context_do_not_run_into_each_other():
    shifted = replace(CONTEXT, origin=CONTEXT.origin + '","x":"')
    assert shifted.info() != CONTEXT.info()
    with pytest.raises(SealError):
        unseal(KEY, shifted, BLOB)


def test_another_person_s_key_does_not_open():
    with pytest.raises(SealError, match="another key or place"):
        unseal(bytes(32), CONTEXT, BLOB)


@pytest.mark.parametrize("place", range(len(BLOB)))
def test_no_byte_of_a_blob_can_change(place):
    flipped = BLOB[:place] + bytes([BLOB[place] ^ 0x80]) + BLOB[place + 1 :]
    with pytest.raises(SealError):
        unseal(KEY, CONTEXT, flipped)


@pytest.mark.parametrize("size", [0, 1, 32, 33, 65, 80, len(BLOB) - 1])
def test_a_cut_off_blob_does_not_open(size):
    with pytest.raises(SealError):
        unseal(KEY, CONTEXT, BLOB[:size])


def test_a_longer_blob_does_not_open():
    with pytest.raises(SealError):
        unseal(KEY, CONTEXT, BLOB + b"\x00")


def test_a_ciphertext_under_another_commitment_does_not_open():
    other = seal(bytes(32), SALT, CONTEXT, VALUE)
    with pytest.raises(SealError):
        unseal(KEY, CONTEXT, BLOB[:65] + other[65:])
    with pytest.raises(SealError):
        unseal(KEY, CONTEXT, other[:65] + BLOB[65:])


def test_two_salts_give_two_blobs_of_one_value():
    assert seal(KEY, bytes(32), CONTEXT, VALUE)[33:] != BLOB[33:]


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_keys_and_salts_have_32_bytes(size):
    for use in (
        lambda: seal(bytes(size), SALT, CONTEXT, VALUE),
        lambda: seal(KEY, bytes(size), CONTEXT, VALUE),
        lambda: unseal(bytes(size), CONTEXT, BLOB),
        lambda: wrap_key(bytes(size), KEY),
        lambda: wrap_key(KEY, bytes(size)),
        lambda: unwrap_key(bytes(size), bytes(40)),
        lambda: blind_index(bytes(size), "id-card", "1"),
    ):
        with pytest.raises(SealError):
            use()


def test_wrapping_is_the_one_of_rfc_3394():
    # RFC 3394, 4.6: 256 bits of key data with a 256-bit key.
    key = bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
    wrapped = bytes.fromhex(
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
    )
    assert wrap_key(bytes(range(32)), key) == wrapped
    assert unwrap_key(bytes(range(32)), wrapped) == key


@pytest.mark.parametrize(
    "wrapped", [b"", bytes(8), bytes(40), bytes(41), wrap_key(KEY, SALT)[:-8], wrap_key(SALT, KEY)]
)
def test_a_wrapped_key_opens_under_its_own_key_only(wrapped):
    with pytest.raises(SealError):
        unwrap_key(KEY, wrapped)


def test_a_wrapped_key_of_another_length_is_refused():
    from cryptography.hazmat.primitives.keywrap import aes_key_wrap

    with pytest.raises(SealError):
        unwrap_key(KEY, aes_key_wrap(KEY, bytes(16)))


def test_a_blind_index_is_keyed_and_tells_kinds_apart():
    number = "11010120200101123X"
    index = blind_index(KEY, "id-card", number)
    info = rfc8785.dumps({"kind": "id-card", "normalised": number})
    assert index == hmac.new(KEY, info, "sha256").digest()
    assert index != blind_index(SALT, "id-card", number)
    assert index != blind_index(KEY, "passport", number)
    assert blind_index(KEY, "a", "bc") != blind_index(KEY, "ab", "c")


def test_errors_state_a_sentence_and_facts():
    assert str(ErasedError()) == (
        "The key of this person was destroyed; the value cannot be opened any more."
    )
    error = SealError("A key has 32 bytes.", size=5)
    assert str(error) == "A key has 32 bytes. (size=5)"
    assert error.fields == {"size": 5}
    assert issubclass(ErasedError, SealError)
    assert issubclass(SealError, LedgerError)
