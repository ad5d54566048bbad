"""Bodies of unsigned requests: their members, checked before anything else sees them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from api.errors import MalformedBody
from api.parameters import MAX_POSITION
from client.personal import MAX_POSITIONS, MAX_RECORDS

Uuid = Annotated[
    str,
    Field(
        strict=True,
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        json_schema_extra={"format": "uuid"},
    ),
]
Day = Annotated[
    str,
    Field(
        strict=True, pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}
    ),
]

MAX_LISTED = 200
"""Rows of a class list in one request."""


class Body(BaseModel):
    """A JSON object with exactly these members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def read(cls, values: Any) -> Self:
        """Check parsed JSON.

        Raises:
            MalformedBody: the first thing that is wrong, by JSON pointer; never its value.
        """
        if not isinstance(values, dict):
            raise MalformedBody(pointer="", reason="an object is required")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            pointer = "".join(f"/{part}" for part in first["loc"])[:200]
            raise MalformedBody(pointer=pointer, reason=first["type"]) from error

    def members(self) -> Mapping[str, Any]:
        """The members that were given, as JSON values."""
        return self.model_dump(exclude_unset=True)


class ClaimRequest(Body):
    """A claim of the electronic certificate of a record (C-12)."""

    record: Uuid
    has_consented: StrictBool


class Grantee(Body):
    """The four mandatory particulars of C-16; what is missing has an error of its own."""

    name: StrictStr | None = None
    id_number: StrictStr | None = None
    phone: StrictStr | None = None
    relation: StrictStr | None = None


class GrantRequest(Body):
    """A grant of a child's certificate to another person (C-15 to C-18)."""

    scope: list[StrictStr] = Field(min_length=1, max_length=3)
    relation: StrictStr
    grantee: Grantee
    ends_on: Day | None = None


class RevocationRequest(Body):
    """The grant that is taken back."""

    grant: Uuid


class CredentialRevocation(Body):
    """The credential that is to hold no more, and why, as a code."""

    credential: Uuid
    reason: StrictStr


class ReleaseRequest(Body):
    """Why the certificate is given up, as a code."""

    reason: StrictStr


class VisitRequest(Body):
    """The code that was shown at the clinic, as scanned."""

    code: StrictStr = Field(max_length=200)


class BookedFor(Body):
    """Where somebody lives and what they suffer from; by proxy also who they are (A-18)."""

    name: StrictStr | None = None
    id_number: StrictStr | None = None
    phone: StrictStr | None = None
    household_division: StrictStr | None = None
    residence_division: StrictStr | None = None
    detail_address: StrictStr | None = None
    contraindications: list[StrictStr] = Field(default=[], max_length=32)


class HoldRequest(Body):
    """A wish for a seat; there is no price (A-23)."""

    supply: Uuid
    slot: Annotated[StrictInt, Field(ge=1, le=64)]
    dose_number: Annotated[StrictInt, Field(ge=1, le=20)]
    channel: StrictStr = "individual"
    person: BookedFor


class WalkIn(BookedFor):
    """Somebody who came without a booking: name and number as the identity card shows them."""

    name: StrictStr
    id_number: StrictStr


class WalkInRequest(Body):
    """The seat of today that they get."""

    supply: Uuid
    slot: Annotated[StrictInt, Field(ge=1, le=64)]
    dose_number: Annotated[StrictInt, Field(ge=1, le=20)]
    person: WalkIn


class MoveRequest(Body):
    """The seat that is wished for instead."""

    supply: Uuid
    slot: Annotated[StrictInt, Field(ge=1, le=64)]


class CancelRequest(Body):
    """Why a booking is cancelled, as a code."""

    reason: StrictStr


class BookingSearch(Body):
    """A booking number as somebody reads it out, or a code as it is scanned: one of the two."""

    booking_number: Annotated[str, Field(strict=True, pattern="^[0-9]{12}$")] | None = None
    code: Annotated[StrictStr, Field(max_length=4296)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.booking_number is None) == (self.code is None):
            raise ValueError("either booking_number or code")
        return self


class SearchRequest(Body):
    """An exact number, or a name with the birth date; in the body and never in an address."""

    id_number: StrictStr | None = None
    id_type: StrictStr | None = None
    birth_certificate_number: StrictStr | None = None
    certificate_number: StrictStr | None = None
    name: StrictStr | None = None
    birth_date: StrictStr | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        numbers = (self.id_number, self.birth_certificate_number, self.certificate_number)
        ways = [number for number in numbers if number is not None]
        ways += [name for name in (self.name, self.birth_date) if name is not None][:1]
        if len(ways) != 1 or (self.name is None) != (self.birth_date is None):
            raise ValueError("one number, or name and birth_date")
        return self


class PersonalRequest(Body):
    """Entries by position, or records, whose personal values are to be opened: one of the two."""

    positions: list[Annotated[StrictInt, Field(ge=1, le=MAX_POSITION)]] = Field(
        default=[], max_length=MAX_POSITIONS
    )
    records: list[Uuid] = Field(default=[], max_length=MAX_RECORDS)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.positions) == bool(self.records):
            raise ValueError("either positions or records")
        return self


class ListedChild(Body):
    """A child as a class list has it."""

    name: StrictStr = Field(min_length=1, max_length=50)
    birth_date: Day
    sex: StrictStr | None = Field(default=None, pattern="^(male|female)$")
    id_number: StrictStr | None = Field(default=None, max_length=30)


class ClassListReview(Body):
    """Rows of a class list."""

    children: list[ListedChild] = Field(min_length=1, max_length=MAX_LISTED)


class Identity(Body):
    """What a real issuer would have verified of a citizen."""

    name: StrictStr = Field(min_length=1)
    id_number: StrictStr = Field(min_length=1)
    phone: StrictStr | None = None
    face_verified: StrictBool = True


class CorrectedField(Body):
    """A clear field of a dose, and what it is to read; empty without `after`."""

    field: Literal[
        "vaccine",
        "national_code",
        "dose_number",
        "product",
        "maker",
        "lot",
        "expires_on",
        "occurred_on",
        "site",
        "route",
        "quantity",
        "source_system",
        "province",
    ]
    after: StrictStr | None = Field(default=None, min_length=1, max_length=100)


class CorrectionPreview(Body):
    """Which doses are to be corrected in the same way: those of a lot, or those listed."""

    kind: Literal["amend", "entered-in-error"] = "amend"
    maker: StrictStr | None = Field(default=None, min_length=1, max_length=200)
    lot: StrictStr | None = Field(default=None, min_length=1, max_length=64)
    doses: tuple[Uuid, ...] | None = Field(default=None, min_length=1, max_length=1_000)
    changes: tuple[CorrectedField, ...] = Field(default=(), max_length=16)
    urgency: Literal["next-day", "immediate"] = "next-day"
    reason: StrictStr = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)

    @model_validator(mode="after")
    def _names_doses(self) -> Self:
        is_lot = self.maker is not None and self.lot is not None
        if is_lot == (self.doses is not None) or (self.maker is None) != (self.lot is None):
            raise ValueError("either maker and lot, or doses")
        if (self.kind == "amend") != bool(self.changes):
            raise ValueError("an amendment names its changes, a strike none")
        return self


class TokenRequest(Body):
    """Whom a development token is to speak for."""

    subject: StrictStr = Field(min_length=1, max_length=200)
    role: StrictStr
    organisation: UUID | None = None
    division: StrictStr = ""
    identity: Identity | None = None
