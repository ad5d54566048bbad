"""Access tokens: the resource server's check, and the loopback-only development issuer.

Tokens are JWTs of RFC 9068 shape. joserfc's decoding alone accepts expired tokens, so every claim
that we rely on is validated explicitly.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from bootstrap.issuer_keys import IssuerKeys
from commands.principal import Principal, Role, VerifiedIdentity

ALGORITHMS = ["Ed25519", "ES256"]
AUDIENCE = "vaxledger"
LEEWAY_SECONDS = 60
MAX_TOKEN_CHARS = 4096
MAX_REMEMBERED = 2048
"""Tokens whose signature need not be verified again; then all are forgotten."""
DEVELOPMENT_ISSUER = "http://127.0.0.1/development-issuer"


class TokenRefusedError(Exception):
    """The access token is missing, malformed, expired, or not from the configured issuer."""


class DevelopmentIssuerWarning(UserWarning):
    """Tokens come from the development issuer: anyone who reads its seed is anyone. Demo only."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class TokenVerifier:
    """Turns a bearer token of one issuer into a `Principal`."""

    def __init__(self, issuer: str, keys: KeySet | IssuerKeys, now: Callable[[], int]) -> None:
        self._keys = keys
        self._now = now
        self._remembered: dict[str, tuple[Principal, int]] = {}
        self._registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            role={"essential": True, "values": [str(role) for role in Role]},
        )

    def principal(self, token: str) -> Principal:
        """The caller that the token vouches for.

        Raises:
            TokenRefusedError: whatever is wrong with it; the reason never reaches the caller.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenRefusedError
        known = self._remembered.get(token)
        # Nothing but its end can make a verified token invalid.
        if known is not None and self._now() < known[1]:
            return known[0]
        try:
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            if decoded.header.get("typ") not in ("at+jwt", "application/at+jwt"):
                raise TokenRefusedError
            self._registry.validate(decoded.claims)
            principal = _principal(decoded.claims)
            self._remember(token, principal, int(decoded.claims["exp"]))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TokenRefusedError from error
        return principal

    def _remember(self, token: str, principal: Principal, expires_at: int) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = (principal, expires_at)


class DevelopmentIssuer:
    """Mints tokens from a seed on this machine, so that the demo needs no account anywhere."""

    def __init__(self, seed: bytes) -> None:
        warnings.warn(DevelopmentIssuerWarning(), stacklevel=2)
        self._key = OKPKey.import_key(
            Ed25519PrivateKey.from_private_bytes(seed),
            {"kid": "development", "use": "sig", "alg": "Ed25519"},
        )

    @property
    def keys(self) -> KeySet:
        """The public keys that a verifier trusts."""
        return KeySet([OKPKey.import_key(self._key.as_dict(private=False))])

    def mint(self, principal: Principal, *, issued_at: int, lifetime_seconds: int = 3600) -> str:
        """A token for the principal, valid from `issued_at` (Unix seconds)."""
        claims: dict[str, Any] = {
            "iss": DEVELOPMENT_ISSUER,
            "aud": AUDIENCE,
            "sub": principal.subject,
            "iat": issued_at,
            "exp": issued_at + lifetime_seconds,
            "role": str(principal.role),
            "division": principal.division,
        }
        if principal.organisation:
            claims["organisation"] = str(principal.organisation)
        if principal.identity:
            claims["name"] = principal.identity.name
            claims["id_number"] = principal.identity.id_number
            claims["face_verified"] = principal.identity.face_verified
            if principal.identity.phone:
                claims["phone_number"] = principal.identity.phone
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": "development"}
        return jwt.encode(header, claims, self._key, algorithms=ALGORITHMS)


def _principal(claims: Mapping[str, Any]) -> Principal:
    role = Role(claims["role"])
    organisation = UUID(claims["organisation"]) if "organisation" in claims else None
    identity = None
    if role in (Role.GUARDIAN, Role.ADULT):
        identity = VerifiedIdentity(
            name=_text(claims["name"]),
            id_number=_text(claims["id_number"]),
            phone=claims.get("phone_number"),
            face_verified=claims.get("face_verified") is True,
        )
    elif organisation is None:
        raise TokenRefusedError
    # A token without a scope sees nothing: the scope is never assumed to be the whole country.
    division = _text(claims["division"]) if identity is None else ""
    if not (division == "" and role in _NATIONWIDE) and identity is None and not division.isdigit():
        raise TokenRefusedError
    return Principal(_text(claims["sub"]), role, organisation, division, identity)


_NATIONWIDE = (Role.OPERATOR, Role.REGULATOR, Role.INTEGRATOR)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TokenRefusedError
    return value
