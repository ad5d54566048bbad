"""Access tokens: who is believed, and every way in which a token is bad."""

import json
import re
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey

from bootstrap.issuer_keys import IssuerKeys, IssuerKeysError
from bootstrap.tokens import (
    ALGORITHMS,
    AUDIENCE,
    DEVELOPMENT_ISSUER,
    DevelopmentIssuer,
    DevelopmentIssuerWarning,
    TokenRefusedError,
    TokenVerifier,
)
from commands.principal import Principal, Role

ROOT = Path(__file__).parents[3]
NOW = 1_800_000_000
ISSUER = "https://login.example.cn"
CLINIC = UUID(int=7)
KEY = OKPKey.generate_key("Ed25519", {"kid": "a", "alg": "Ed25519", "use": "sig"})
OTHER = OKPKey.generate_key("Ed25519", {"kid": "a", "alg": "Ed25519", "use": "sig"})


def claims(**changes: Any) -> dict[str, Any]:
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "clinic-7",
        "iat": NOW - 10,
        "exp": NOW + 600,
        "role": "clinic",
        "organisation": str(CLINIC),
        "division": "410299101",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def token(key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": "a"} | (header or {})
    algorithms = ["Ed25519", "ES256", "HS256", "none"]
    return jwt.encode(header, claims(**changes), key, algorithms=algorithms)


def by_hand(header: dict[str, Any], *, signature: bytes | None = None) -> str:
    """A token that the library would not write, rightly signed unless a signature is given."""

    def part(raw: bytes) -> str:
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    text = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims()).encode())}"
    if signature is None:
        signature = KEY.private_key.sign(text.encode())
    return f"{text}.{part(signature)}"


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    return TokenVerifier(ISSUER, IssuerKeys(str(jwks)), lambda: NOW)


def test_a_token_of_the_configured_issuer_is_believed(verifier: TokenVerifier):
    found = verifier.principal(token())
    assert found == Principal("clinic-7", Role.CLINIC, CLINIC, "410299101")


BAD: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "noise": lambda: "a.b.c",
    "two parts": lambda: token().rsplit(".", 1)[0],
    "signature cut": lambda: token()[:-4],
    "other key": lambda: token(OTHER),
    "unknown key id": lambda: token(header={"kid": "b"}),
    "no key id": lambda: by_hand({"alg": "Ed25519", "typ": "at+jwt"}),
    "key id is a number": lambda: by_hand({"alg": "Ed25519", "typ": "at+jwt", "kid": 1}),
    "expired": lambda: token(exp=NOW - 61),
    "never expires": lambda: token(exp=None),
    "not yet valid": lambda: token(nbf=NOW + 61),
    "issued in the future": lambda: token(iat=NOW + 61),
    "no time of issue": lambda: token(iat=None),
    "other issuer": lambda: token(iss="https://evil.example"),
    "development issuer": lambda: token(iss=DEVELOPMENT_ISSUER),
    "no issuer": lambda: token(iss=None),
    "other audience": lambda: token(aud="other"),
    "no audience": lambda: token(aud=None),
    "no subject": lambda: token(sub=None),
    "no role": lambda: token(role=None),
    "invented role": lambda: token(role="superuser"),
    "an id token": lambda: token(header={"typ": "JWT"}),
    "no type": lambda: by_hand({"alg": "Ed25519", "kid": "a"}),
    "alg none": lambda: by_hand({"alg": "none", "typ": "at+jwt", "kid": "a"}, signature=b""),
    "alg None": lambda: by_hand({"alg": "None", "typ": "at+jwt", "kid": "a"}, signature=b""),
    "no alg": lambda: by_hand({"typ": "at+jwt", "kid": "a"}),
    "critical header": lambda: by_hand(
        {"alg": "Ed25519", "typ": "at+jwt", "kid": "a", "crit": ["exp"]}
    ),
    "no organisation": lambda: token(organisation=None),
    "organisation is no uuid": lambda: token(organisation="7"),
    "no division": lambda: token(division=None),
    "empty division of a clinic": lambda: token(division=""),
    "division is a wildcard": lambda: token(division="41*"),
    "guardian without a number": lambda: token(role="guardian", name="李梅"),
    "symmetric confusion": lambda: token(
        OctKey.import_key(KEY.raw_value.public_key().public_bytes_raw()), {"alg": "HS256"}
    ),
    "another curve": lambda: token(ECKey.generate_key("P-256", {"kid": "a"}), {"alg": "ES256"}),
    "too long": lambda: token(note="x" * 5000),
}


@pytest.mark.parametrize("attack", BAD)
def test_a_bad_token_is_refused(verifier: TokenVerifier, attack: str):
    bad = BAD[attack]()
    with pytest.raises(TokenRefusedError):
        verifier.principal(bad)


def test_what_is_written_by_hand_is_otherwise_a_good_token(verifier: TokenVerifier):
    good = by_hand({"alg": "Ed25519", "typ": "at+jwt", "kid": "a"})
    assert verifier.principal(good).organisation == CLINIC


def test_a_remembered_token_ends_with_its_time(tmp_path: Path):
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    now = [NOW]
    verifier = TokenVerifier(ISSUER, IssuerKeys(str(jwks)), lambda: now[0])
    once = token()
    verifier.principal(once)
    now[0] = NOW + 700
    with pytest.raises(TokenRefusedError):
        verifier.principal(once)


def test_a_new_key_of_the_issuer_is_found_within_a_minute(tmp_path: Path):
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    clock = [0.0]
    verifier = TokenVerifier(ISSUER, IssuerKeys(str(jwks), lambda: clock[0]), lambda: NOW)
    fresh = OKPKey.generate_key("Ed25519", {"kid": "new", "alg": "Ed25519", "use": "sig"})
    jwks.write_text(json.dumps(KeySet([KEY, fresh]).as_dict(private=False)))
    signed = token(fresh, {"kid": "new"})
    with pytest.raises(TokenRefusedError):
        verifier.principal(signed)
    clock[0] = 61.0
    assert verifier.principal(signed).organisation == CLINIC


def test_keys_that_cannot_be_read_stop_the_start(tmp_path: Path):
    with pytest.raises(IssuerKeysError):
        IssuerKeys(str(tmp_path / "nothing.json"))


def test_the_development_issuer_says_loudly_what_it_is():
    with pytest.warns(DevelopmentIssuerWarning, match="anyone"):
        DevelopmentIssuer(b"\1" * 32)


def test_what_the_development_issuer_mints_is_believed_by_its_own_verifier():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DevelopmentIssuerWarning)
        issuer = DevelopmentIssuer(b"\1" * 32)
    verifier = TokenVerifier(DEVELOPMENT_ISSUER, issuer.keys, lambda: NOW)
    caller = Principal("operator", Role.OPERATOR, CLINIC, "")
    assert verifier.principal(issuer.mint(caller, issued_at=NOW)) == caller


def test_the_operator_s_page_says_what_a_token_must_hold():
    page = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    _, _, told = page.partition("## Access tokens")
    named = set(re.findall(r"`([\w+-]+)`", told.partition("\n## ")[0]))
    assert {*map(str, Role), *ALGORITHMS, AUDIENCE, "at+jwt"} <= named
