"""More than thirty kinds of tokens that must not be taken, at every address that takes one."""

import json
import re
import time
from base64 import b64decode, b64encode
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from api.app import openapi_document
from bootstrap.tokens import MAX_TOKEN_CHARS
from commands.principal import Principal, Role
from tests.integration.api.conftest import Child, County, dose, doses_path, register


@pytest.fixture(scope="module")
def child(county: County) -> Child:
    return register(county.clinic)


def claims(county: County, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    principal = county.clinic.principal
    made = {
        "iss": "http://127.0.0.1/development-issuer",
        "aud": "vaxledger",
        "sub": principal.subject,
        "iat": now,
        "exp": now + 600,
        "role": "clinic",
        "organisation": str(principal.organisation),
        "division": principal.division,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": 1_600_000_000},
    "never expiring": {"exp": None},
    "for another audience": {"aud": "another-service"},
    "for no audience": {"aud": None},
    "of another issuer": {"iss": "https://elsewhere.example"},
    "not valid yet": {"nbf": 4_000_000_000},
    "issued in the future": {"iat": 4_000_000_000},
    "of an unknown role": {"role": "root"},
    "without a role": {"role": None},
    "without an organisation": {"organisation": None},
    "without a division": {"division": None},
    "of a clinic of the whole country": {"division": ""},
    "of a division that is none": {"division": "4102%"},
    "without a subject": {"sub": None},
    "with a number as division": {"division": 410299},
}


def minted(county: County, header: dict[str, Any], **changes: Any) -> str:
    return jwt.encode(
        header, claims(county, **changes), county.served.parts.issuer._key, algorithms=["Ed25519"]
    )


HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "development"}


def part(value: dict[str, Any]) -> str:
    return b64encode(json.dumps(value).encode()).decode().rstrip("=").replace("+", "-")


def forged_tokens(county: County) -> dict[str, str]:
    body = claims(county)
    public = county.served.parts.issuer.keys.as_dict()["keys"][0]
    secret = OctKey.import_key(json.dumps(public).encode())
    stranger = OKPKey.generate_key("Ed25519", {"kid": "development", "use": "sig"})
    good = minted(county, HEADER)
    head, claimed, signature = good.split(".")
    raw = b64decode(signature.replace("-", "+").replace("_", "/") + "==")
    flipped = b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode().rstrip("=")
    critical = part({**HEADER, "crit": ["x"], "x": 1})
    promoted = part({**body, "role": "operator"})
    return {
        "alg none": f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(body)}.",
        "alg none with a signature": f"{part({**HEADER, 'alg': 'none'})}.{claimed}.{signature}",
        "HMAC under the public key": jwt.encode(
            {"alg": "HS256", "typ": "at+jwt"}, body, secret, algorithms=["HS256"]
        ),
        "another key of the same name": jwt.encode(HEADER, body, stranger, algorithms=["Ed25519"]),
        "another type": minted(county, {**HEADER, "typ": "JWT"}),
        "an ID token": minted(county, {"alg": "Ed25519", "kid": "development"}),
        "an unknown critical header": f"{critical}.{claimed}.{signature}",
        "a flipped bit": f"{head}.{claimed}.{flipped.replace('+', '-').replace('/', '_')}",
        "no signature": f"{head}.{claimed}.",
        "other claims under the signature": f"{head}.{promoted}.{signature}",
    }


def bad_headers(county: County) -> dict[str, list[tuple[str, str]]]:
    """What stands in a request's headers, by what is wrong with it."""
    good = minted(county, HEADER)
    tokens = {name: minted(county, HEADER, **changes) for name, changes in CLAIMS.items()}
    tokens |= forged_tokens(county)
    tokens |= {
        "no token at all": "clinic",
        "too long": f"{good}{'A' * MAX_TOKEN_CHARS}",
        "two in one": f"{good} {good}",
        "with a line of its own": f"{good}\tBearer {good}",
    }
    headers = {name: [("Authorization", f"Bearer {token}")] for name, token in tokens.items()}
    return headers | {
        "none": [],
        "nothing after the scheme": [("Authorization", "Bearer")],
        "two headers": [("Authorization", f"Bearer {good}")] * 2,
        "another scheme": [("Authorization", f"Basic {good}")],
        "no scheme": [("Authorization", good)],
        "in a cookie": [("Cookie", f"session={good}")],
        "in another header": [("X-Authorization", f"Bearer {good}")],
    }


def secured() -> list[tuple[str, str]]:
    """Method and address of every operation that wants a token."""
    return [
        (method, re.sub(r"\{[^}]+\}", "x", path))
        for path, operations in openapi_document()["paths"].items()
        for method, operation in operations.items()
        if operation.get("security")
    ]


def test_no_address_takes_a_bad_token(county: County):
    head, taken, cases = county.served.head(), [], bad_headers(county)
    assert len(cases) >= 30
    addresses = secured()
    assert len(addresses) > 100
    for name, headers in cases.items():
        for method, address in addresses:
            answer = county.served.http.request(method, address, headers=headers)
            body = answer.json()
            body.pop("request_id")
            is_refused = (answer.status_code, body) == (401, REFUSED)
            if not is_refused or answer.headers["www-authenticate"] != "Bearer":
                taken.append((name, method, address, answer.status_code))
    assert taken == []
    assert county.served.head() == head


REFUSED = {
    "type": "/problems/unauthenticated",
    "title": "访问令牌缺失或无效。",
    "status": 401,
    "facts": {},
}
"""The same of every token: why it was not taken is nobody's business."""


def test_a_token_made_by_hand_is_taken_when_it_is_right(county: County, child: Child):
    token = minted(county, HEADER)
    answer = county.clinic.post(
        doses_path(child),
        dose(county.clinic, child, vaccine="HepZ"),
        authorization=f"Bearer {token}",
    )
    assert answer.json()["type"] == "/problems/unknown-vaccine"  # so the token was


def test_a_citizen_signs_nothing(county: County, child: Child):
    principal = Principal("x", Role.GUARDIAN, None, "", None)
    token = minted(
        county,
        HEADER,
        role=str(principal.role),
        organisation=None,
        name="李梅",
        id_number="11010519491231002X",
    )
    answer = county.clinic.post(
        doses_path(child), dose(county.clinic, child), authorization=f"Bearer {token}"
    )
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/key-unknown")
