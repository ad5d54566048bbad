"""Personal values as they arrive, before they are sealed: which are allowed and what they mean.

A vocabulary is a set of named fields. Reading is strict and gives typed values; the sealed bytes
remain those that the author committed to. No error repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from domain.codec import MalformedData
from domain.errors import DomainError, shown
from domain.identity import (
    BirthCertificateNumber,
    IdNumber,
    PhoneNumber,
    check_birth_date_matches,
    check_sex_matches,
)
from domain.text import is_plain

MAX_NAME = 50
MAX_SLUGS = 32


class Sex(StrEnum):
    """GB/T 2261.1, as far as an identity number knows it."""

    MALE = "male"
    FEMALE = "female"


class IdType(StrEnum):
    """Which document an id number stands on; 身份证 where nothing is said."""

    ID_CARD = "id-card"
    HK_MACAO_TAIWAN_RESIDENCE_PERMIT = "hk-macao-taiwan-residence-permit"
    FOREIGN_PERMANENT_RESIDENCE_CARD = "foreign-permanent-residence-card"
    HK_MACAO_TRAVEL_PERMIT = "hk-macao-travel-permit"
    TAIWAN_TRAVEL_PERMIT = "taiwan-travel-permit"
    PASSPORT = "passport"


NUMBERED_AS_CITIZENS = frozenset({IdType.ID_CARD, IdType.HK_MACAO_TAIWAN_RESIDENCE_PERMIT})
"""Documents whose numbers are built and checked by GB 11643 (E-19)."""


@dataclass(frozen=True)
class Field:
    """One personal value.

    Attributes:
        what: its form, in words, for the event catalogue.
        read: JSON value to typed value; raises a `DomainError` that repeats no value.
        required: whether it must be there.
        missing: what is raised when it is not.
    """

    what: str
    read: Callable[[Any], Any]
    required: bool = True
    missing: type[DomainError] = MalformedData

    def optional(self) -> Field:
        """The same value where it may be left out."""
        return Field(self.what, self.read, required=False)

    def or_raise(self, missing: type[DomainError]) -> Field:
        """The same value where its absence has an error of its own."""
        return Field(self.what, self.read, missing=missing)


@dataclass(frozen=True)
class Vocabulary:
    """All that may be sealed for one person in one event.

    Attributes:
        fields: fields by name.
        required: whether the event must seal something for this person.
    """

    fields: Mapping[str, Field]
    required: bool = True


def read_fields(fields: Mapping[str, Field], values: object) -> dict[str, Any]:
    """Read an object of personal values into typed values.

    Raises:
        MalformedData: unknown or missing member, or wrong form; with `pointer`.
        DomainError: a number that is none (`domain.identity`), or the field's own `missing`.
    """
    if not isinstance(values, dict):
        raise MalformedData(pointer="", reason="an object is required")
    for name in values:
        if name not in fields:
            raise MalformedData(pointer=f"/{shown(name)}", reason="unknown member")
    for name, field in fields.items():
        if field.required and values.get(name) in (None, ""):
            raise field.missing(pointer=f"/{name}", reason="required member is missing")
    typed = {}
    for name, value in values.items():
        try:
            typed[name] = fields[name].read(value)
        except DomainError as refused:
            inner = refused.facts.pop("pointer", "")
            raise refused.at(f"/{name}{inner}") from None
    return typed


def check_identity(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check that the number, birth date and sex of one person agree; parse the number.

    Args:
        values: typed values of `read_fields`, of one person; any may be absent.

    Returns:
        The values with `id_number` as an `IdNumber` where it is built by GB 11643.

    Raises:
        InvalidIdNumber: by its form or checksum.
        BirthDateMismatch: the number carries another birth date.
        SexMismatch: the number carries another sex.
    """
    checked = dict(values)
    if "id_number" not in values or values.get("id_type", IdType.ID_CARD) not in (
        NUMBERED_AS_CITIZENS
    ):
        return checked
    try:
        stated = values["id_number"]
        number = stated if isinstance(stated, IdNumber) else IdNumber.parse(stated)
        checked["id_number"] = number
        if "birth_date" in values:
            check_birth_date_matches(number, values["birth_date"])
        if "sex" in values:
            check_sex_matches(number, values["sex"].value)
    except DomainError as refused:
        raise refused.at("/id_number") from None
    return checked


def text(most: int, what: str = "") -> Field:
    """Free text: 1 to `most` characters, no control characters, no outer spaces."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise MalformedData(reason=f"a text of 1 to {most} characters is required")
        if not is_plain(value):
            raise MalformedData(reason="control characters or outer spaces")
        return value

    return Field(what or f"text of at most {most} characters", read)


def pattern(regex: str, what: str) -> Field:
    """A text of a fixed form."""
    match = re.compile(regex).fullmatch

    def read(value: Any) -> str:
        if not isinstance(value, str) or match(value) is None:
            raise MalformedData(reason=f"required: {what}")
        return value

    return Field(what, read)


def choice(enum: type[StrEnum]) -> Field:
    """One of a closed list."""
    what = " or ".join(f"`{member.value}`" for member in enum)

    def read(value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in list(enum):
            raise MalformedData(reason=f"must be one of {', '.join(enum)}")
        return enum(value)

    return Field(what, read)


def partial(fields: Mapping[str, Field], least: int = 1) -> Field:
    """An object with any of the fields, at least so many."""
    optional = {name: field.optional() for name, field in fields.items()}

    def read(value: Any) -> dict[str, Any]:
        typed = read_fields(optional, value)
        if len(typed) < least:
            raise MalformedData(reason=f"at least {least} member is required")
        return check_identity(typed)

    return Field("object with any of " + ", ".join(f"`{name}`" for name in fields), read)


def _read_slugs(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_SLUGS:
        raise MalformedData(reason=f"an array of at most {MAX_SLUGS} codes is required")
    if not all(isinstance(one, str) and _SLUG(one) for one in value):
        raise MalformedData(reason="codes of lower-case letters are required")
    return tuple(value)


def _read_date(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise MalformedData(reason="a date YYYY-MM-DD is required") from None
    if day.isoformat() != value:
        raise MalformedData(reason="a date YYYY-MM-DD is required")
    return day


def _read_instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _RFC3339(value):
        raise MalformedData(reason="an RFC 3339 time with offset is required")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise MalformedData(reason="no such time") from None


def _read_phone(value: Any) -> PhoneNumber:
    return PhoneNumber.parse(value if isinstance(value, str) else "")


def _read_birth_certificate(value: Any) -> BirthCertificateNumber:
    return BirthCertificateNumber.parse(value if isinstance(value, str) else "")


_SLUG = re.compile("[a-z0-9]+(?:[_-][a-z0-9]+)*").fullmatch
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
).fullmatch

NAME = text(MAX_NAME, f"name of at most {MAX_NAME} characters")
DATE = Field("date YYYY-MM-DD", _read_date)
INSTANT = Field("RFC 3339 time with offset", _read_instant)
PHONE = Field("telephone number of mainland China", _read_phone)
BIRTH_CERTIFICATE = Field("birth certificate number", _read_birth_certificate)
ID_NUMBER = pattern("[0-9A-Za-z()-]{5,20}", "number of the document; of an 身份证 by GB 11643")
CERTIFICATE_NUMBER = pattern("[0-9A-Za-z-]{4,32}", "certificate number")
HEX32 = pattern("[0-9a-f]{64}", "32 random bytes as hexadecimal digits")
DIVISION = pattern("[0-9]{6}(?:[0-9]{3})?", "GB/T 2260 county or township")
PACKAGE_CODE = pattern("[0-9A-Za-z]{8,40}", "code of the smallest package (E-3)")
NOTE = text(500)
SLUGS = Field(f"array of at most {MAX_SLUGS} codes", _read_slugs)
