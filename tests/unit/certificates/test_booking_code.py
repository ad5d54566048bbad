"""The code of a booking: what a site finds offline, and what nobody can forge (A-6, A-20)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.base45 import decode, encode
from certificates.booking_code import (
    BOOKING_TYPE,
    BookingCode,
    Scan,
    issue_booking_code,
    read_booking_code,
    scan_booking_code,
)
from certificates.container import decode_container, encode_container
from certificates.errors import CertificateError, UnknownIssuer
from certificates.qr import Code
from certificates.signing import Sign1, sign
from certificates.verify import Verdict, verify
from tests.unit.certificates import credentials as cards

SITE, OTHER_SITE, APPOINTMENT = (UUID(int=n) for n in (3, 4, 9))
NOW = datetime(2026, 9, 2, 0, 30, tzinfo=UTC)  # half past eight in China
ISSUED = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)

TRUST = cards.trust_list()
STRANGER = cards.OTHER_SIGNER
CODE = BookingCode(
    issuer=cards.ISSUER.name,
    issued_at=ISSUED,
    expires_at=datetime(2026, 9, 2, 16, 0, tzinfo=UTC),
    appointment=APPOINTMENT,
    number="482910573664",
    site=SITE,
    product="inactivated_vero",
    dose_number=1,
    day=date(2026, 9, 2),
    starts="08:00",
    ends="09:00",
)


def text_of(code=CODE):
    return issue_booking_code(code, cards.SIGNER)


def scan(text=None, *, site=SITE, now=NOW):
    return scan_booking_code(text or text_of(), TRUST, site, now).scan


def test_the_right_site_in_the_right_hour_finds_it_valid():
    found = scan_booking_code(text_of(), TRUST, SITE, NOW)
    assert (found.scan, found.code) == (Scan.VALID, CODE)


def test_the_edges_of_the_slot_belong_to_it():
    start = datetime(2026, 9, 2, 0, 0, tzinfo=UTC)
    assert scan(now=start) is scan(now=start + timedelta(minutes=60, seconds=59)) is Scan.VALID
    assert scan(now=start - timedelta(seconds=1)) is Scan.OUTSIDE_SLOT
    assert scan(now=start + timedelta(minutes=61)) is Scan.OUTSIDE_SLOT


def test_each_fault_has_its_own_answer():
    assert scan(site=OTHER_SITE) is Scan.WRONG_SITE
    assert scan(now=NOW - timedelta(days=1)) is Scan.OUTSIDE_SLOT
    assert scan(now=NOW + timedelta(days=1)) is Scan.EXPIRED
    assert scan("HC1:NOTHING") is Scan.ALTERED
    stranger = issue_booking_code(CODE, STRANGER)
    assert scan(stranger) is Scan.UNKNOWN_ISSUER
    assert scan(text_of(replace(CODE, issuer="CN-320200"))) is Scan.UNKNOWN_ISSUER
    outlives = replace(CODE, expires_at=datetime(2190, 1, 1, tzinfo=UTC))
    assert scan(text_of(outlives)) is Scan.UNKNOWN_ISSUER


def test_neither_passes_for_the_other():
    assert verify(text_of(), TRUST, [], NOW).verdict is Verdict.ALTERED
    untyped = encode_container(sign(CODE.encode(), cards.SIGNER))
    assert scan(untyped) is Scan.ALTERED
    assert verify(untyped, TRUST, [], NOW).verdict is Verdict.ALTERED


def test_a_claim_more_is_refused():
    raw = CODE.encode()
    padded = raw[:0] + b"\xa5" + raw[1:] + b"\x18\x63\x01"
    assert scan(encode_container(sign(padded, cards.SIGNER, BOOKING_TYPE))) is Scan.ALTERED


def test_it_holds_nothing_of_the_person_and_fits_a_small_code():
    payload = Sign1.parse(decode_container(text_of())).payload
    assert BookingCode.decode(payload) == CODE
    assert Code.of(text_of()).version <= 13


@given(st.data())
def test_a_byte_altered_anywhere_is_never_valid(data):
    raw = bytearray(decode(text_of().removeprefix("HC1:")))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    assert scan("HC1:" + encode(bytes(raw))) in (Scan.ALTERED, Scan.UNKNOWN_ISSUER)


@given(st.binary(max_size=300))
def test_whatever_is_scanned_has_an_answer(raw):
    assert scan("HC1:" + encode(raw)) is Scan.ALTERED
    assert scan(encode_container(sign(raw, cards.SIGNER, BOOKING_TYPE))) is Scan.ALTERED


@pytest.mark.parametrize(
    "change",
    [{"number": "48291057366"}, {"product": "a b"}, {"dose_number": 0}, {"starts": "24:00"}],
)
def test_what_is_no_booking_is_not_issued(change):
    with pytest.raises(CertificateError):
        replace(CODE, **change)


def test_an_unknown_key_is_told_from_an_altered_code():
    with pytest.raises(UnknownIssuer):
        read_booking_code(issue_booking_code(CODE, STRANGER), TRUST)
