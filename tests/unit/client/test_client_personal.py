"""Personal values sealed to a subscriber: another implementation agrees, and nothing else opens."""

import json
from base64 import b64encode
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

from client.errors import PersonalError
from client.personal import PersonalPart, PersonalQuestion, context
from ledger.errors import SealError
from ledger.hpke import open_sealed, public_key, seal_to

ORIGIN = "personal.example.cn/vax"
KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHERS = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
RECORD, PERSON = UUID(int=1), UUID(int=2)
ANSWER = {
    "parts": [
        {"position": 3, "record": str(RECORD), "person": str(PERSON), "values": {"name": "王小明"}}
    ],
    "refused": [{"item": 4, "reason": "restricted"}, {"item": str(RECORD), "reason": "not-found"}],
}


def question(**changes):
    return PersonalQuestion(**{"purpose": "outbreak", "positions": (3, 4), "key": KEY} | changes)


def sealed(plaintext=ANSWER, *, asked=None, origin=ORIGIN, key=KEY):
    info = context(origin, (asked or question()).body())
    blob = seal_to(key.public_key(), info, json.dumps(plaintext).encode())
    return json.dumps({"suite": "", "sealed": b64encode(blob).decode()}).encode()


def test_another_implementation_opens_what_we_seal():
    blob = seal_to(KEY.public_key(), b"info", b"plaintext")
    recipient = OTHERS.create_recipient_context(
        blob[:32], KEMKey.from_pyca_cryptography_key(KEY), info=b"info"
    )
    assert recipient.open(blob[32:]) == b"plaintext"


def test_we_open_what_another_implementation_seals():
    enc, sender = OTHERS.create_sender_context(
        KEMKey.from_pyca_cryptography_key(KEY.public_key()), info=b"info"
    )
    assert open_sealed(KEY, b"info", enc + sender.seal(b"plaintext")) == b"plaintext"


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), bytes(32), b"\1" + bytes(31)])
def test_keys_that_everyone_could_open_are_none(raw):
    with pytest.raises(SealError):
        public_key(raw)


def test_a_sealed_answer_opens():
    answer = question().read(ORIGIN, sealed())
    assert answer.parts == (PersonalPart(3, RECORD, PERSON, {"name": "王小明"}, None, None),)
    assert answer.refused == {4: "restricted", RECORD: "not-found"}
    assert "王小明" not in repr(answer)


def test_an_answer_in_clear_is_read_by_whoever_has_no_key():
    assert question(key=None).read(ORIGIN, json.dumps(ANSWER).encode()).parts[0].values


@pytest.mark.parametrize(
    "content",
    [
        sealed(key=X25519PrivateKey.from_private_bytes(bytes(32))),
        sealed(asked=question(positions=(3,))),
        sealed(asked=question(positions=(), records=(RECORD,))),
        sealed(origin="another.example.cn/vax"),
        json.dumps(ANSWER).encode(),
        sealed({}),
        sealed({"parts": [{"position": "3"}], "refused": []}),
        b'{"sealed": 1}',
        b'{"sealed": "AAAA"}',
        b"[]",
        b"",
    ],
    ids=[
        "for another key",
        "to other positions",
        "to records",
        "of another log",
        "in clear",
        "of nothing",
        "of parts without persons",
        "a number",
        "cut off",
        "a list",
        "nothing",
    ],
)
def test_what_is_not_for_this_question_and_this_key_is_refused(content):
    with pytest.raises(PersonalError):
        question().read(ORIGIN, content)
