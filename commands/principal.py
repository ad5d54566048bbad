"""Who is asking: the claims of a verified access token, as the policies need them."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """The roles of DESIGN section 7."""

    CLINIC = "clinic"
    SCHOOL = "school"
    TOWNSHIP = "township"
    COUNTY_CDC = "county-cdc"
    CITY_CDC = "city-cdc"
    PROVINCE_CDC = "province-cdc"
    EDUCATION = "education"
    REGULATOR = "regulator"
    INTEGRATOR = "integrator"
    GUARDIAN = "guardian"
    ADULT = "adult"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class VerifiedIdentity:
    """A citizen's identity as the issuer vouches for it (C-9, C-10): real name, face checked."""

    name: str
    id_number: str
    phone: str | None
    face_verified: bool


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller.

    `division` is the prefix (GB/T 2260) within which the caller sees and acts; the empty string
    is the whole installation. Citizens have an identity and no organisation.
    """

    subject: str
    role: Role
    organisation: UUID | None
    division: str
    identity: VerifiedIdentity | None = None

    def is_within(self, division: str) -> bool:
        """Whether the division lies in the caller's scope."""
        return division.startswith(self.division)
