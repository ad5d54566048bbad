"""The trust list: signed by a pinned root, each key for its issuer, purpose and time."""

from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest

from certificates import signing
from certificates.errors import (
    CertificateError,
    ClaimsError,
    KeyRefused,
    SignatureRefused,
    TrustListError,
    UnknownIssuer,
)
from certificates.signing import ES256, Es256Signer, PublicKey, Sign1, key_id, sign
from certificates.trust import (
    MAX_BYTES,
    TRUST_LIST_TYPE,
    Issuer,
    Usage,
    check_issued_by,
    sign_trust_list,
    verify_trust_list,
)
from tests.unit.certificates.credentials import (
    DAY,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    OTHER_SIGNER,
    ROOT,
    SIGNER,
    payload,
    private_key,
    trust_list,
    trusted,
    x509_certificate,
)

ROOTS = [ROOT.public_key]
CERTIFICATE = x509_certificate(private_key(1001), private_key(1009))


def signed_list(claims: dict, root=ROOT, type_: str | None = TRUST_LIST_TYPE) -> bytes:
    return sign(cbor2.dumps(claims, canonical=True), root, type_)


def claims_of(*keys: list) -> dict:
    issuer = [ISSUER.name, ISSUER.status_uri, ISSUER.log, list(keys)]
    return {4: 1_800_000_000, 6: 1_780_000_000, -70001: [issuer]}


def key_of(**changed) -> list:
    fields = {
        "algorithm": ES256,
        "kind": 0,
        "der": SIGNER.public_key.spki,
        "since": 1_780_000_000,
        "until": 1_800_000_000,
        "usages": 7,
    }
    return list((fields | changed).values())


def test_a_list_of_two_issuers_with_and_without_certificates_comes_back():
    keys = (
        trusted(OTHER_SIGNER.public_key, OTHER_ISSUER, Usage.HISTORY),
        trusted(usages=Usage.STATUS_LIST),
        trusted(certificate=CERTIFICATE, usages=Usage.HISTORY | Usage.SCHOOL_VERDICT),
    )
    trust = trust_list(*keys)
    assert (
        verify_trust_list(sign_trust_list(trust, ROOT), [OTHER_SIGNER.public_key, *ROOTS]) == trust
    )
    assert keys[2].kid == key_id(CERTIFICATE) == Es256Signer(private_key(1001), CERTIFICATE).kid
    assert keys[1].kid == key_id(SIGNER.public_key.spki)


def test_a_list_that_another_key_signed_is_refused():
    raw = sign_trust_list(trust_list(), OTHER_SIGNER)
    with pytest.raises(TrustListError, match="No root key"):
        verify_trust_list(raw, ROOTS)


def test_a_list_with_the_key_id_of_the_root_but_another_signature_is_refused():
    class Impostor:
        algorithm, kid, sign = ES256, ROOT.kid, OTHER_SIGNER.sign

    with pytest.raises(SignatureRefused):
        verify_trust_list(sign_trust_list(trust_list(), Impostor()), ROOTS)


def test_a_credential_is_no_trust_list_even_signed_by_the_root():
    for type_ in (None, "application/statuslist+cwt"):
        with pytest.raises(TrustListError):
            verify_trust_list(sign(payload(), ROOT, type_), ROOTS)


def test_a_genuine_list_signed_as_something_else_is_refused():
    content = Sign1.parse(sign_trust_list(trust_list(), ROOT)).payload
    verify_trust_list(sign(content, ROOT, TRUST_LIST_TYPE), ROOTS)
    with pytest.raises(TrustListError):
        verify_trust_list(sign(content, ROOT, None), ROOTS)


def test_a_list_that_is_too_long_is_refused_unread():
    with pytest.raises(TrustListError, match="1,000,000"):
        verify_trust_list(bytes(MAX_BYTES + 1), ROOTS)


@pytest.mark.parametrize(
    ("kind", "claims"),
    {
        "nothing": {},
        "no list": {4: 1, 6: 1},
        "a map for the list": {4: 1, 6: 1, -70001: {}},
        "issued before 1970": {4: -1, 6: 1, -70001: []},
        "an issuer of no fields": {4: 1, 6: 1, -70001: [[]]},
        "keys that are a number": {4: 1, 6: 1, -70001: [["CN", "https://x", "log", 5]]},
        "a country in lower case": {4: 1, 6: 1, -70001: [["cn", "https://x", "log", []]]},
        "no address": {4: 1, 6: 1, -70001: [["CN", "", "log", []]]},
        "no issuers": claims_of([]),
        "a key of an unknown kind": claims_of(key_of(kind=2)),
        "a certificate that is a bare key": claims_of(key_of(kind=1)),
        "a certificate cut short": claims_of(key_of(kind=1, der=CERTIFICATE[:-1])),
        "an empty key": claims_of(key_of(der=b"")),
        "no usages": claims_of(key_of(usages=0)),
        "an unknown usage": claims_of(key_of(usages=8)),
        "since before 1970": claims_of(key_of(since=-1)),
        "a certificate that ends earlier": claims_of(
            key_of(kind=1, der=CERTIFICATE, until=1_900_000_000)
        ),
    }.items(),
)
def test_a_malformed_list_is_refused_even_from_the_root(kind, claims):
    with pytest.raises(CertificateError):
        verify_trust_list(signed_list(claims), ROOTS)


def test_a_key_of_an_algorithm_not_known_here_does_not_spoil_the_list():
    raw = signed_list(claims_of(key_of(algorithm=-65_537, der=b"sm2"), key_of()))
    assert [key.kid for key in verify_trust_list(raw, ROOTS).keys] == [SIGNER.kid]


def test_two_keys_of_one_key_id_are_both_tried():
    """Eight bytes can be brought to collide; all keys with the key ID are checked (HCERT)."""
    keys = trusted(OTHER_SIGNER.public_key), trusted()
    for key in keys:
        key.__dict__["kid"] = SIGNER.kid
    trust = trust_list(*keys)
    assert trust.verified_key(Sign1.parse(sign(payload(), SIGNER))) == trusted()
    with pytest.raises(SignatureRefused):
        trust_list(keys[0]).verified_key(Sign1.parse(sign(payload(), SIGNER)))


def test_an_unlisted_key_is_unknown():
    with pytest.raises(UnknownIssuer):
        trust_list().verified_key(Sign1.parse(sign(payload(), OTHER_SIGNER)))


def test_a_key_signs_for_its_purpose_and_time_only():
    key = trusted(usages=Usage.HISTORY, valid=(NOW, NOW + DAY))
    key.check_may_sign(Usage.HISTORY, NOW, NOW + DAY)
    second = timedelta(seconds=1)
    for usage, issued_at, expires_at in (
        (Usage.SCHOOL_VERDICT, NOW, NOW + DAY),
        (Usage.HISTORY, NOW - second, NOW + DAY),
        (Usage.HISTORY, NOW, NOW + DAY + second),
    ):
        with pytest.raises(UnknownIssuer):
            key.check_may_sign(usage, issued_at, expires_at)


def test_a_certificate_of_another_key_or_time_is_refused():
    with pytest.raises(KeyRefused, match="another key"):
        trusted(OTHER_SIGNER.public_key, certificate=CERTIFICATE)
    for valid in ((NOW - 366 * DAY, NOW), (NOW, NOW + 731 * DAY)):
        with pytest.raises(KeyRefused, match="outlives"):
            trusted(certificate=CERTIFICATE, valid=valid)


def test_a_signers_certificate_names_its_authority():
    authority = x509_certificate(private_key(1009), private_key(1009), ("Authority", "Authority"))
    check_issued_by(CERTIFICATE, authority)
    stranger = x509_certificate(private_key(1008), private_key(1008), ("Authority", "Authority"))
    for other in (stranger, CERTIFICATE, b"", authority[:-1]):
        with pytest.raises(KeyRefused):
            check_issued_by(CERTIFICATE, other)


def test_an_issuer_and_its_moments_have_their_form():
    with pytest.raises(ClaimsError):
        Issuer("CN-320600", "https://x\n", "log")
    with pytest.raises(ClaimsError):
        trusted(valid=(NOW.replace(tzinfo=None), NOW))
    with pytest.raises(ClaimsError):
        replace(trust_list(), expires_at=NOW.replace(microsecond=1))


def test_a_certificate_with_a_key_that_no_library_reads_is_refused():
    broken = CERTIFICATE.replace(SIGNER.public_key.spki[:23], SIGNER.public_key.spki[:22] + b"\x09")
    assert broken != CERTIFICATE
    with pytest.raises(KeyRefused):
        trusted(PublicKey(ES256, SIGNER.public_key.spki), certificate=broken)


def test_the_list_is_read_with_the_algorithms_known_now(monkeypatch):
    raw = sign_trust_list(trust_list(), ROOT)
    monkeypatch.setattr("certificates.trust.ALGORITHMS", {})
    assert verify_trust_list(raw, ROOTS).keys == ()
    assert signing.ALGORITHMS
