"""Making and reading the signed code of a booking, with the keys that sign credentials."""

from datetime import timedelta

from api.parts import Serving
from certificates.booking_code import BookingCode, issue_booking_code, read_booking_code
from certificates.errors import CertificateError
from certificates.trust import verify_trust_list
from commands.booked import Booked
from domain.booking.lifecycle import State
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused, CodeRefused
from domain.calendar import start_of_day

_SHOWN_IN = (State.BOOKED, State.ARRIVED_SCANNED)
"""It is shown twice: on arrival, and after the dose (X-6)."""


def make_code(serving: Serving, booked: Booked) -> tuple[BookingCode, str]:
    """The code of a booking as it stands, and its text.

    Raises:
        BookingRefused: It is a hold, or it is over.
    """
    one, parts = booked.appointment, serving.parts
    if one.state not in _SHOWN_IN:
        raise BookingRefused.by(parts.services.rules.booking, Objection("not_possible_now"))
    key = parts.credential_keys.newest
    code = BookingCode(
        issuer=parts.credential_keys.issuer.name,
        issued_at=parts.services.clock().replace(microsecond=0),
        expires_at=min(start_of_day(one.on + timedelta(days=1)), key.valid_until),
        appointment=one.id,
        number=one.booking_number,
        site=one.site,
        product=one.product,
        dose_number=one.dose_number,
        day=one.on,
        starts=booked.slot.starts,
        ends=booked.slot.ends,
    )
    return code, issue_booking_code(code, key.signer)


def read_code(serving: Serving, text: str) -> BookingCode:
    """What a scanned code states.

    Raises:
        CodeRefused: It is none of ours.
    """
    keys = serving.parts.credential_keys
    try:
        trust = verify_trust_list(keys.trust_list(), [keys.root.public_key])
        return read_booking_code(text, trust)
    except CertificateError as error:
        raise CodeRefused from error
