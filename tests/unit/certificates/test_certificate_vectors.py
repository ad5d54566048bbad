"""Golden vectors: the bytes of format 1, which never change.

`vectors.json` holds test keys as scalars, what is stated, and every layer of the result, so that a
verifier in another language can be built against it. zlib's output may differ between builds; all
that is signed may not.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest

from certificates.claims import decode_claims, encode_claims, status_of_statement
from certificates.container import decode_container
from certificates.signing import Es256Signer, Sign1, sign
from certificates.status import sign_status_list, verify_status_list
from certificates.trust import sign_trust_list, verify_trust_list
from certificates.verify import verify
from tests.unit.certificates.credentials import (
    ROOT,
    SIGNER,
    STATUS,
    check_statement,
    credential,
    history,
    private_key,
    school_verdict,
    status_list,
    trust_list,
)

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
STATED = {
    "history of 1 dose": credential(history(1)),
    "history of 22 doses": credential(history(22)),
    "school verdict": credential(school_verdict()),
    "check statement": credential(check_statement(), status=status_of_statement(1234567)),
}


def test_the_keys_are_those_of_the_vectors():
    for name, signer in (("issuer", SIGNER), ("root", ROOT)):
        key = VECTORS["keys"][name]
        assert signer.kid.hex() == key["kid"]
        assert signer.public_key.spki.hex() == key["spki"]
        assert Es256Signer(private_key(key["scalar"])).kid == signer.kid


@pytest.mark.parametrize("vector", VECTORS["credentials"], ids=lambda vector: vector["name"])
def test_a_credential_has_the_bytes_of_its_vector(vector):
    stated = STATED[vector["name"]]
    assert encode_claims(stated).hex() == vector["claims"]
    assert sign(encode_claims(stated), SIGNER).hex() == vector["cose"]
    signed = Sign1.parse(decode_container(vector["text"]))
    assert signed.encode().hex() == vector["cose"]
    assert decode_claims(signed.payload) == stated


def test_the_lists_have_the_bytes_of_their_vectors():
    assert sign_trust_list(trust_list(), ROOT).hex() == VECTORS["trust_list"]
    for name, listed in (("empty", status_list()), ("revoked", status_list(STATUS.index))):
        raw = bytes.fromhex(VECTORS["status_lists"][name])
        assert verify_status_list(raw, trust_list()) == listed
        assert Sign1.parse(sign_status_list(listed, SIGNER)).kid == Sign1.parse(raw).kid


@pytest.mark.parametrize("case", VECTORS["verdicts"], ids=lambda case: case["name"])
def test_a_verdict_is_the_one_of_the_vectors(case):
    trust = verify_trust_list(bytes.fromhex(VECTORS["trust_list"]), [ROOT.public_key])
    statuses = [
        verify_status_list(bytes.fromhex(VECTORS["status_lists"][name]), trust)
        for name in case["status_lists"]
    ]
    found = verify(case["text"], trust, statuses, datetime.fromisoformat(case["now"]))
    assert (found.verdict.value, found.zh, found.en) == (case["verdict"], case["zh"], case["en"])
