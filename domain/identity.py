"""Numbers by which people are told apart: citizen identity numbers, birth certificates, telephones.

Each type normalises on parsing and keeps its number out of `repr`, so that no log line or
traceback shows one.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, Self

from domain.errors import (
    BirthDateMismatch,
    InvalidBirthCertificateNumber,
    InvalidIdNumber,
    InvalidPhoneNumber,
    SexMismatch,
)

Sex = Literal["male", "female"]

ID_NUMBER_LENGTH = 18
OLD_ID_NUMBER_LENGTH = 15
OLDEST_BIRTH_YEAR = 1880
"""Nobody alive was born earlier; a number that says so is mistyped."""

PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-6]|71|8[1-3]|9[0-9]")
"""First two digits in use: GB/T 2260, 66 (Xinjiang corps), 83 (residents from Taiwan), and 9 for
foreign permanent residents, whose numbers are built and checked by the same standard."""

_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_BIRTH_CERTIFICATE = re.compile(r"[A-Z][0-9]{9}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}")
_PHONE_LENGTH = 24

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"


def checksum(first17: str) -> str:
    """Return the check character of GB 11643-1999 (ISO 7064 MOD 11-2) for 17 digits.

    Raises:
        ValueError: For anything but 17 ASCII digits.
    """
    if not re.fullmatch(r"[0-9]{17}", first17):
        raise ValueError("The check character is computed from 17 digits.")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True))
    return _CHECK_CHARACTERS[total % len(_CHECK_CHARACTERS)]


@dataclass(frozen=True, slots=True, repr=False)
class IdNumber:
    """A citizen identity number of 18 characters (GB 11643-1999, E-19).

    The area is the place of first registration, not of residence: decide nothing by it.
    """

    value: str

    def __repr__(self) -> str:
        return "IdNumber(…)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the number, its check character in upper case.

        The work is bounded by the length, which is looked at first.

        Raises:
            InvalidIdNumber: With the reason ``fifteen-digits`` for the old form, which names no
                century and has no check character, or ``length``, ``characters``, ``area-code``,
                ``birth-date``, ``checksum``.
        """
        if len(text) == OLD_ID_NUMBER_LENGTH and re.fullmatch(r"[0-9]+", text):
            raise InvalidIdNumber(reason="fifteen-digits")
        if len(text) != ID_NUMBER_LENGTH:
            raise InvalidIdNumber(reason="length")
        value = text[:-1] + ("X" if text[-1] == "x" else text[-1])
        if not _ID_NUMBER.fullmatch(value):
            raise InvalidIdNumber(reason="characters")
        if not PROVINCE.match(value):
            raise InvalidIdNumber(reason="area-code")
        if _birth_date(value) is None:
            raise InvalidIdNumber(reason="birth-date")
        if checksum(value[:-1]) != value[-1]:
            raise InvalidIdNumber(reason="checksum")
        return cls(value)

    @property
    def birth_date(self) -> date:
        """The birth date that the number carries."""
        born = _birth_date(self.value)
        assert born is not None, "parse has checked it"
        return born

    @property
    def sex(self) -> Sex:
        """The sex that the number carries: an odd sequence number is male."""
        return "male" if int(self.value[16]) % 2 else "female"

    @property
    def area_code(self) -> str:
        """The six digits of the place of first registration."""
        return self.value[:6]


@dataclass(frozen=True, slots=True, repr=False)
class BirthCertificateNumber:
    """The number of a birth certificate (出生医学证明): one letter and nine digits."""

    value: str

    def __repr__(self) -> str:
        return "BirthCertificateNumber(…)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the number, its letter in upper case.

        Raises:
            InvalidBirthCertificateNumber: For any other form.
        """
        value = text[:1].upper() + text[1:]
        if not _BIRTH_CERTIFICATE.fullmatch(value):
            raise InvalidBirthCertificateNumber
        return cls(value)


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A telephone number of mainland China, mobile or with its area code, as digits."""

    value: str

    def __repr__(self) -> str:
        return "PhoneNumber(…)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the digits, without ``+86``, spaces and hyphens.

        Raises:
            InvalidPhoneNumber: For anything that cannot be such a number.
        """
        if len(text) > _PHONE_LENGTH:
            raise InvalidPhoneNumber
        value = re.sub(r"[ -]", "", text).removeprefix("+86")
        if not (_MOBILE.fullmatch(value) or _LANDLINE.fullmatch(value)):
            raise InvalidPhoneNumber
        return cls(value)


def check_birth_date_matches(number: IdNumber, birth_date: date) -> None:
    """Check a stated birth date against the identity number.

    Raises:
        BirthDateMismatch: When they differ.
    """
    if number.birth_date != birth_date:
        raise BirthDateMismatch


def check_sex_matches(number: IdNumber, sex: Sex) -> None:
    """Check a stated sex against the identity number.

    Raises:
        SexMismatch: When they differ.
    """
    if number.sex != sex:
        raise SexMismatch


def _birth_date(value: str) -> date | None:
    """Return the date in digits 7 to 14, or None where they name no possible birthday."""
    try:
        born = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return None
    return born if born.year >= OLDEST_BIRTH_YEAR else None
