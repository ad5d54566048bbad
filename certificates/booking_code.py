"""The code of a booking (二维码), which a site verifies without asking us (A-2, A-6, A-20).

    claims  = {1: issuer, 4: expires, 6: issued, -260: {-80: booking}}
    booking = [1, appointment, number, site, product, dose number, day, starts, ends]

It is a typed COSE_Sign1 in the container of credentials, so that neither passes for the other, and
holds nothing of the person: staff compare the identity card with the list of the day. A code that
was moved, cancelled or redeemed meanwhile still verifies offline; the log then refuses the scan.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from certificates import cbor
from certificates.claims import HCERT, ISSUER_FORM
from certificates.container import decode_container, encode_container
from certificates.errors import CertificateError, ClaimsError, SignatureRefused, UnknownIssuer
from certificates.shape import (
    CHINA,
    check_bytes,
    check_code,
    check_moment,
    check_number,
    day_of,
    moment_of,
    number_of,
    seconds_of,
)
from certificates.signing import Sign1, Signer, sign
from certificates.trust import TrustList

BOOKING = -80
BOOKING_TYPE = "application/vnd.vaxledger.booking+cwt"

_ISSUER, _EXPIRES, _ISSUED = 1, 4, 6
_FORMAT = 1
_UUID_BYTES = 16
_MOST_DOSES = 20
_NUMBER = re.compile("[0-9]{12}")
_PRODUCT = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_HOUR = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class BookingCode:
    """What a code states.

    Attributes:
        issuer: Such as ``CN-320600``.
        issued_at: Whole second, UTC.
        expires_at: First second in which it holds no more.
        appointment: Stream of the appointment.
        number: 预约编码, twelve digits.
        site: The clinic that it is made for.
        product: What is to be given.
        dose_number: Which dose of the course.
        day: Civil day.
        starts: First minute of the time slot, ``HH:MM``.
        ends: Last minute.
    """

    issuer: str
    issued_at: datetime
    expires_at: datetime
    appointment: UUID
    number: str
    site: UUID
    product: str
    dose_number: int
    day: date
    starts: str
    ends: str

    def __post_init__(self) -> None:
        check_code(self.issuer, ISSUER_FORM, "issuer")
        check_moment(self.issued_at, "issued")
        check_moment(self.expires_at, "expires")
        check_code(self.number, _NUMBER, "booking number")
        check_code(self.product, _PRODUCT, "product")
        check_number(self.dose_number, 1, _MOST_DOSES, "dose number")
        check_code(self.starts, _HOUR, "starts")
        check_code(self.ends, _HOUR, "ends")

    def encode(self) -> bytes:
        """Return the payload to be signed."""
        booking = (
            *(_FORMAT, self.appointment.bytes, self.number, self.site.bytes, self.product),
            *(self.dose_number, number_of(self.day), self.starts, self.ends),
        )
        return cbor.encode(
            {
                _ISSUER: self.issuer,
                _EXPIRES: seconds_of(self.expires_at),
                _ISSUED: seconds_of(self.issued_at),
                HCERT: {BOOKING: booking},
            }
        )

    @classmethod
    def decode(cls, payload: bytes) -> "BookingCode":
        """Return what a payload states.

        Raises:
            CborError: If it is not deterministic CBOR.
            ClaimsError: If it is anything that `encode` would not write.
        """
        match cbor.decode(payload):
            case {1: str() as issuer, 4: int() as expires, 6: int() as issued, -260: dict() as own}:
                found = _decode(issuer, expires, issued, own.get(BOOKING))
            case _:
                raise ClaimsError("A booking code has an issuer, two moments and a booking.")
        if found.encode() != payload:
            raise ClaimsError("The claims hold more than is read, or are not in their one form.")
        return found

    def has(self, moment: datetime) -> bool:
        """Tell whether an aware moment lies in the time slot, to the minute; both ends belong."""
        there = moment.astimezone(CHINA).replace(second=0, microsecond=0, tzinfo=None)
        starts, ends = time.fromisoformat(self.starts), time.fromisoformat(self.ends)
        return there.date() == self.day and starts <= there.time() <= ends


class Scan(StrEnum):
    """What a site finds when it scans a code offline; each is an answer of its own."""

    VALID = "valid"
    ALTERED = "altered"
    UNKNOWN_ISSUER = "unknown-issuer"
    EXPIRED = "expired"
    WRONG_SITE = "wrong-site"
    OUTSIDE_SLOT = "outside-slot"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found.

    Attributes:
        scan: The result.
        reason: What decided it, in English.
        code: What the issuer states; None unless the issuer is known and stated just this.
    """

    scan: Scan
    reason: str
    code: BookingCode | None = None


def issue_booking_code(code: BookingCode, signer: Signer) -> str:
    """Return the text of a code, beginning with ``HC1:``; nothing in it is random."""
    return encode_container(sign(code.encode(), signer, BOOKING_TYPE))


def read_booking_code(text: str, trust: TrustList) -> BookingCode:
    """Return what a listed issuer states.

    Args:
        text: As scanned.
        trust: From `trust.verify_trust_list`.

    Raises:
        UnknownIssuer: No listed key of this issuer and time signed it.
        CertificateError: It is no booking code, or it was altered.
    """
    signed = Sign1.parse(decode_container(text))
    if signed.type != BOOKING_TYPE:
        raise SignatureRefused("This was signed for another purpose.")
    key = trust.verified_key(signed)
    code = BookingCode.decode(signed.payload)
    if code.issuer != key.issuer.name:
        raise UnknownIssuer("The key is another issuer's.")
    if code.issued_at < key.valid_from or code.expires_at > key.valid_until:
        raise UnknownIssuer("This key was not valid for that time.")
    return code


def scan_booking_code(text: str, trust: TrustList, site: UUID, now: datetime) -> Scanned:
    """Verify a code at a site. Never raises: whatever is wrong is an answer.

    Args:
        text: As scanned.
        trust: From `trust.verify_trust_list`.
        site: The clinic that scans.
        now: Its clock.
    """
    try:
        code = read_booking_code(text, trust)
    except UnknownIssuer as error:
        return Scanned(Scan.UNKNOWN_ISSUER, str(error))
    except CertificateError as error:
        return Scanned(Scan.ALTERED, str(error))
    if code.site != site:
        return Scanned(Scan.WRONG_SITE, "The booking is for another site.", code)
    if now >= code.expires_at:
        return Scanned(Scan.EXPIRED, "The day of the booking is over.", code)
    if not code.has(now):
        return Scanned(Scan.OUTSIDE_SLOT, "This is not the time slot.", code)
    return Scanned(Scan.VALID, "Everything holds.", code)


def _decode(issuer: str, expires: int, issued: int, booking: cbor.Cbor) -> BookingCode:
    match booking:
        case [
            int(),
            bytes() as appointment,
            str() as number,
            bytes() as site,
            str() as product,
            int() as dose_number,
            int() as day,
            str() as starts,
            str() as ends,
        ]:
            check_bytes(appointment, _UUID_BYTES, "appointment")
            check_bytes(site, _UUID_BYTES, "site")
            return BookingCode(
                issuer=issuer,
                issued_at=moment_of(issued, "issued"),
                expires_at=moment_of(expires, "expires"),
                appointment=UUID(bytes=appointment),
                number=number,
                site=UUID(bytes=site),
                product=product,
                dose_number=dose_number,
                day=day_of(day, "day"),
                starts=starts,
                ends=ends,
            )
    raise ClaimsError("A booking has nine members.")
