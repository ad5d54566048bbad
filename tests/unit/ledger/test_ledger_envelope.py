"""Author signatures: exact bytes, one key, one place in one batch."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.envelope import (
    BATCH_PAYLOAD_TYPE,
    PAYLOAD_TYPE,
    BatchMember,
    Envelope,
    Sig,
    commitment,
    decode_evidence,
    keyid_of,
    pae,
    sign_batch,
    sign_payload,
    verify_batch_member,
    verify_envelope,
    verify_evidence,
)
from ledger.errors import EntryError, EnvelopeError
from ledger.jcs import canonical
from ledger.merkle import leaf_hash

GOLDEN = Path(__file__).parents[2] / "vectors" / "ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([11]) * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([12]) * 32)
OTHER_PUBLIC = OTHER.public_key().public_bytes_raw()
PAYLOAD = b'{"topic":"organisation.registered.v1"}'
LINES = [f'{{"line":{n}}}'.encode() for n in range(5)]


def test_the_encoding_that_is_signed_is_the_one_of_dsse():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("名", b"") == b"DSSEv1 3 \xe5\x90\x8d 0 "


def test_a_key_id_is_the_digest_of_the_raw_key():
    assert keyid_of(PUBLIC) == hashlib.sha256(PUBLIC).hexdigest()


def test_the_bytes_of_an_envelope_never_change():
    raw = (GOLDEN / "envelope.json").read_bytes()
    envelope = sign_payload(PAYLOAD, KEY)
    assert envelope.encode() == raw == rfc8785.dumps(json.loads(raw))
    assert Envelope.decode(raw) == envelope
    verify_envelope(Envelope.decode(raw), PUBLIC)
    assert verify_evidence(decode_evidence(raw), PUBLIC) == PAYLOAD
    members = json.loads(raw)
    assert base64.b64decode(members["payload"]) == PAYLOAD
    assert members["payloadType"] == PAYLOAD_TYPE
    signature = base64.b64decode(members["signatures"][0]["sig"])
    KEY.public_key().verify(signature, pae(PAYLOAD_TYPE, PAYLOAD))


@pytest.mark.parametrize(
    "change",
    [
        {"payload": PAYLOAD + b" "},
        {"payload": b""},
        {"payload_type": BATCH_PAYLOAD_TYPE},
        {"payload_type": PAYLOAD_TYPE + " "},
    ],
)
def test_a_changed_envelope_is_refused(change):
    with pytest.raises(EnvelopeError):
        verify_envelope(replace(sign_payload(PAYLOAD, KEY), **change), PUBLIC)


def test_another_key_is_refused():
    with pytest.raises(EnvelopeError, match="did not sign"):
        verify_envelope(sign_payload(PAYLOAD, KEY), OTHER_PUBLIC)


def test_the_key_id_in_an_envelope_is_never_trusted():
    sig = sign_payload(PAYLOAD, OTHER).signatures[0].sig
    forged = Envelope(PAYLOAD, PAYLOAD_TYPE, (Sig(keyid_of(PUBLIC), sig),))
    with pytest.raises(EnvelopeError, match="does not fit"):
        verify_envelope(forged, PUBLIC)


def test_the_bytes_between_length_and_content_cannot_shift():
    envelope = sign_payload(b"1 ab", KEY, "x")
    shifted = replace(envelope, payload_type="x 4 1", payload=b"ab")
    with pytest.raises(EnvelopeError):
        verify_envelope(shifted, PUBLIC)


def test_a_second_signer_beside_the_first():
    first, second = sign_payload(PAYLOAD, KEY), sign_payload(PAYLOAD, OTHER)
    both = Envelope(PAYLOAD, PAYLOAD_TYPE, first.signatures + second.signatures)
    verify_envelope(Envelope.decode(both.encode()), PUBLIC)
    verify_envelope(both, OTHER_PUBLIC)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(size):
    sig = (sign_payload(PAYLOAD, KEY).signatures[0].sig * 2)[:size]
    with pytest.raises(EnvelopeError):
        verify_envelope(Envelope(PAYLOAD, PAYLOAD_TYPE, (Sig(keyid_of(PUBLIC), sig),)), PUBLIC)


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"", bytes(31)])
def test_a_weak_key_verifies_nothing(public):
    # Under the neutral point the signature (R, S) = (neutral, 0) fits every message.
    sig = b"\x01" + bytes(63)
    forged = Envelope(PAYLOAD, PAYLOAD_TYPE, (Sig(keyid_of(public), sig),))
    with pytest.raises(EnvelopeError):
        verify_envelope(forged, public)


def bent(**changes):
    return json.loads(sign_payload(PAYLOAD, KEY).encode()) | changes


SIGNATURE = {"keyid": "ab" * 32, "sig": "AAAA"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        bent(extra=1),
        bent(payload=None),
        bent(payload="AAA"),
        bent(payload="AAB="),
        bent(payload="_-_-"),
        bent(payloadType=1),
        bent(signatures=None),
        bent(signatures={}),
        bent(signatures=[]),
        bent(signatures=[None]),
        bent(signatures=[{}]),
        bent(signatures=[SIGNATURE | {"x": 1}]),
        bent(signatures=[SIGNATURE | {"keyid": "AB" * 32}]),
        bent(signatures=[SIGNATURE | {"keyid": ""}]),
        bent(signatures=[SIGNATURE | {"keyid": 1}]),
        bent(signatures=[SIGNATURE | {"sig": ""}]),
        bent(signatures=[SIGNATURE, SIGNATURE]),
        bent(signatures=[SIGNATURE | {"keyid": f"{n:064x}"} for n in range(9)]),
    ],
)
def test_what_is_almost_an_envelope_is_refused(value):
    with pytest.raises(EnvelopeError):
        Envelope.decode(canonical(value))
    with pytest.raises(EnvelopeError):
        decode_evidence(canonical(value))


def test_an_envelope_has_one_spelling():
    raw = sign_payload(PAYLOAD, KEY).encode()
    for other in (b" " + raw, raw + b"\n", json.dumps(json.loads(raw)).encode(), raw[:-1]):
        with pytest.raises(EnvelopeError):
            Envelope.decode(other)


def test_an_envelope_in_any_member_order_is_read_from_a_request():
    value = dict(reversed(json.loads(sign_payload(PAYLOAD, KEY).encode()).items()))
    assert Envelope.from_json(value) == sign_payload(PAYLOAD, KEY)


def test_an_envelope_over_its_limit_is_neither_written_nor_read():
    with pytest.raises(EnvelopeError):
        sign_payload(bytes(65_536), KEY).encode()
    with pytest.raises(EnvelopeError):
        Envelope.decode(canonical(sign_payload(bytes(65_536), KEY).to_json()))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_each_line_of_a_batch_proves_alone(size):
    payloads = [f"line {n}".encode() for n in range(size)]
    members = sign_batch(payloads, KEY)
    assert len(members) == size
    for member, payload in zip(members, payloads, strict=True):
        again = decode_evidence(member.encode())
        assert again == member == BatchMember.decode(member.encode())
        assert verify_evidence(again, PUBLIC) == payload


def test_the_bytes_of_a_batch_member_never_change():
    raw = (GOLDEN / "batch-member.json").read_bytes()
    assert sign_batch(LINES, KEY)[3].encode() == raw == rfc8785.dumps(json.loads(raw))
    statement = json.loads(base64.b64decode(json.loads(raw)["envelope"]["payload"]))
    hashes = [leaf_hash(line) for line in LINES]

    def node(left, right):
        return hashlib.sha256(b"\x01" + left + right).digest()

    top = node(node(node(hashes[0], hashes[1]), node(hashes[2], hashes[3])), hashes[4])
    assert statement == {"root": top.hex(), "size": 5}


@pytest.mark.parametrize(
    "change",
    [
        {"index": 2},
        {"index": 4},
        {"index": 5},
        {"size": 4},
        {"size": 6},
        {"payload": LINES[2]},
        {"payload": LINES[3] + b" "},
        {"path": ()},
        {"path": sign_batch(LINES, KEY)[3].path[:-1]},
        {"path": sign_batch(LINES, KEY)[3].path[::-1]},
        {"path": (*sign_batch(LINES, KEY)[3].path, bytes(32))},
        {"path": (b"short", *sign_batch(LINES, KEY)[3].path[1:])},
        {"envelope": sign_batch(LINES[:4], KEY)[0].envelope},
        {"envelope": sign_payload(LINES[3], KEY)},
        {"envelope": sign_batch(LINES, OTHER)[3].envelope},
    ],
)
def test_a_bent_batch_member_is_refused(change):
    with pytest.raises(EnvelopeError):
        verify_batch_member(replace(sign_batch(LINES, KEY)[3], **change), PUBLIC)


def test_a_batch_s_own_statement_does_not_pass_for_an_event():
    envelope = sign_batch(LINES, KEY)[0].envelope
    verify_envelope(envelope, PUBLIC)
    with pytest.raises(EnvelopeError, match="no event"):
        verify_evidence(envelope, PUBLIC)


def test_an_event_that_looks_like_a_statement_makes_no_batch():
    statement = canonical({"root": leaf_hash(b"forged").hex(), "size": 1})
    member = BatchMember(sign_payload(statement, KEY), 0, 1, (), b"forged")
    with pytest.raises(EnvelopeError, match="no batch"):
        verify_evidence(member, PUBLIC)


@pytest.mark.parametrize(
    "statement",
    [
        b"",
        b"[]",
        canonical({"root": leaf_hash(b"x").hex()}),
        canonical({"root": leaf_hash(b"x").hex(), "size": 1, "x": 1}),
        canonical({"root": leaf_hash(b"x").hex().upper(), "size": 1}),
        canonical({"root": None, "size": 1}),
        canonical({"root": leaf_hash(b"x").hex(), "size": "1"}),
        canonical({"root": leaf_hash(b"x").hex(), "size": True}),
        canonical({"root": leaf_hash(b"x").hex(), "size": -1}),
    ],
)
def test_a_malformed_statement_is_refused_although_signed(statement):
    envelope = sign_payload(statement, KEY, BATCH_PAYLOAD_TYPE)
    with pytest.raises(EnvelopeError):
        verify_batch_member(BatchMember(envelope, 0, 1, (), b"x"), PUBLIC)


def test_a_batch_has_a_line_and_a_limit():
    with pytest.raises(EnvelopeError):
        sign_batch([], KEY)
    with pytest.raises(EnvelopeError):
        sign_batch([b""] * 65_537, KEY)
    statement = canonical({"root": leaf_hash(b"x").hex(), "size": 65_537})
    envelope = sign_payload(statement, KEY, BATCH_PAYLOAD_TYPE)
    with pytest.raises(EnvelopeError):
        verify_batch_member(BatchMember(envelope, 0, 65_537, (), b"x"), PUBLIC)


@pytest.mark.parametrize(
    "change", [{"index": -1}, {"index": "0"}, {"size": None}, {"path": [1]}, {"path": None}]
)
def test_a_malformed_batch_member_is_not_read(change):
    value = json.loads(sign_batch(LINES, KEY)[3].encode()) | change
    with pytest.raises(EnvelopeError):
        decode_evidence(canonical(value))


def test_a_commitment_is_a_keyed_digest_of_canonical_bytes():
    private = {"name": "王小明", "id_number": "110101202001011234"}
    expected = hmac.new(bytes(range(32)), rfc8785.dumps(private), "sha256").hexdigest()
    assert commitment(bytes(range(32)), private) == expected
    assert commitment(bytes(32), private) != expected
    assert commitment(bytes(range(32)), private | {"name": "王小名"}) != expected


def test_a_commitment_needs_its_whole_salt_and_canonical_values():
    with pytest.raises(EnvelopeError):
        commitment(bytes(31), {})
    with pytest.raises(EntryError):
        commitment(bytes(32), {"weight": 3.5})
