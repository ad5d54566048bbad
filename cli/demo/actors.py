"""Who acts in the demo: organisations with keys made on the spot, citizens, a regulator."""

import secrets
import time
import warnings
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from bootstrap.secrets import Secrets
from bootstrap.tokens import DevelopmentIssuer, DevelopmentIssuerWarning
from client.exchange import Patience
from client.http import AsyncClient, Caller
from client.signing import AuthorKey
from client.trust import Trust
from commands.principal import Principal, Role, VerifiedIdentity

_LIFETIME_SECONDS = 12 * 3600
_SEED_BYTES = 32
_PATIENCE = Patience(attempts=60, receipt_seconds=300)
"""A machine that does much else at the time takes longer, and that is no failure."""


@dataclass(frozen=True, slots=True)
class Place:
    """The log that everyone acts on.

    Attributes:
        base_url: Where its server is.
        trust: Which log is meant, and whose signatures count.
        kept: Secrets of the installation: the operator's root key, and the development issuer.
    """

    base_url: str
    trust: Trust
    kept: Secrets

    def token(self, principal: Principal) -> str:
        """Return an access token of the development issuer."""
        with warnings.catch_warnings():
            # The server has said so already, and the demo's last words say it again.
            warnings.simplefilter("ignore", DevelopmentIssuerWarning)
            issuer = DevelopmentIssuer(self.kept.seeds["issuer"])
        return issuer.mint(
            principal, issued_at=int(time.time()), lifetime_seconds=_LIFETIME_SECONDS
        )

    def caller(self, principal: Principal, key: AuthorKey | None = None) -> Caller:
        """Return a caller with a token of their own."""
        return Caller(self.base_url, self.token(principal), self.trust, key, _PATIENCE)

    def regulator(self) -> Caller:
        """Return a caller who may read the whole log."""
        return self.caller(Principal("regulator", Role.REGULATOR, self.kept.operator, ""))

    def citizen(self, name: str, id_number: str) -> Caller:
        """Return a guardian whom the issuer has identified by name, number and face."""
        identity = VerifiedIdentity(name, id_number, None, face_verified=True)
        return self.caller(Principal(f"citizen-{id_number}", Role.GUARDIAN, None, "", identity))


class Author:
    """An organisation that signs and writes.

    Args:
        place: Where.
        principal: Who it is to the server.
        key: What it signs with.
    """

    def __init__(self, place: Place, principal: Principal, key: AuthorKey) -> None:
        self.key = key
        self.principal = principal
        self.client = AsyncClient(place.caller(principal, key))

    @classmethod
    def operator(cls, place: Place) -> Self:
        """Return the operator, with the root key of the installation."""
        organisation = place.kept.operator
        key = AuthorKey(organisation, place.kept.root_key)
        return cls(place, Principal("operator", Role.OPERATOR, organisation, ""), key)

    @classmethod
    def newcomer(cls, place: Place, organisation: UUID, kind: str, division: str) -> Self:
        """Return an organisation with a fresh key that nobody has admitted yet."""
        key = AuthorKey.from_seed(organisation, secrets.token_bytes(_SEED_BYTES))
        principal = Principal(f"{kind}-{organisation}", Role(kind), organisation, division)
        return cls(place, principal, key)
