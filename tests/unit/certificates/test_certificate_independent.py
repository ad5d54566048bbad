"""What we sign is read and verified by a COSE library that shares no code with ours."""

import zlib
from datetime import UTC, datetime, timedelta

import cwt
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from certificates.container import decode_container, encode_container
from certificates.issue import issue
from certificates.signing import ES256, Sign1
from certificates.status import sign_status_list
from certificates.verify import Verdict, verify
from tests.unit.certificates.credentials import (
    NOW,
    OTHER_SIGNER,
    SIGNER,
    check_statement,
    credential,
    history,
    payload,
    private_key,
    school_verdict,
    status_list,
    trust_list,
)

# cwt loads PEM keys of every kind and so touches Diffie-Hellman, which cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")


def cose_key(number: int, kid: bytes):
    pem = (
        private_key(number)
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return cwt.COSEKey.from_pem(pem.decode(), kid=kid)


def current(content):
    """A credential that is in force by the machine's clock, which cwt reads."""
    now = datetime.now(UTC).replace(microsecond=0)
    return credential(content, issued_at=now, expires_at=now + timedelta(days=50))


@pytest.mark.parametrize("content", [history(1), history(22), school_verdict(), check_statement()])
def test_cwt_verifies_a_credential_and_reads_its_claims(content):
    stated = current(content)
    token = decode_container(issue(stated, SIGNER))
    claims = cwt.decode(token, keys=[cose_key(1001, SIGNER.kid)])
    assert claims[1] == "CN-320600"
    assert claims[4] - claims[6] == 50 * 86_400
    (claim,) = (value for name, value in claims[-260].items() if name != -70)
    assert claims[-260][-70] == [12, 345]
    assert claim[:3] == [1, content.holder.identifier, content.holder.name]
    if hasattr(content, "doses"):
        assert list(zip(claim[9], claim[11], claim[12], strict=True)) == [
            (dose.vaccine, dose.lot, dose.clinic) for dose in content.doses
        ]


def test_cwt_refuses_what_we_refuse():
    token = decode_container(issue(current(history(1)), SIGNER))
    signed = Sign1.parse(token)
    changed = Sign1(
        signed.algorithm, signed.kid, None, signed.payload[:-1] + b"2", signed.signature
    ).encode()
    for raw, number, kid in (
        (changed, 1001, SIGNER.kid),
        (token, 1002, SIGNER.kid),
        (token, 1002, OTHER_SIGNER.kid),
    ):
        with pytest.raises((cwt.CWTError, ValueError)):
            cwt.decode(raw, keys=[cose_key(number, kid)])


def test_cwt_verifies_a_status_list_and_reads_it():
    now = datetime.now(UTC).replace(microsecond=0)
    raw = sign_status_list(status_list(3, issued_at=now, size=16), SIGNER)
    claims = cwt.decode(raw, keys=[cose_key(1001, SIGNER.kid)])
    assert claims[65533]["bits"] == 1
    assert zlib.decompress(claims[65533]["lst"]) == b"\x08\x00"


def test_we_verify_what_cwt_signed():
    pem = private_key(1001).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    theirs = cwt.COSE.new().encode(
        payload(),
        cwt.COSEKey.from_pem(pem.decode(), kid=SIGNER.kid),
        protected={1: ES256, 4: SIGNER.kid},
    )
    found = verify(encode_container(theirs), trust_list(), [status_list()], NOW)
    assert found.verdict is Verdict.VALID
    assert found.credential == credential()
