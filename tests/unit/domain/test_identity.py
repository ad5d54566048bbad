"""Identity, birth certificate and telephone numbers: what is refused, and with which reason."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import (
    BirthDateMismatch,
    InvalidBirthCertificateNumber,
    InvalidIdNumber,
    InvalidPhoneNumber,
    SexMismatch,
)
from domain.identity import (
    BirthCertificateNumber,
    IdNumber,
    PhoneNumber,
    check_birth_date_matches,
    check_sex_matches,
    checksum,
)


def numbered(first17: str) -> str:
    return first17 + checksum(first17)


@pytest.mark.parametrize(
    ("number", "birth_date", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), "female"),
        ("410200201602290016", date(2016, 2, 29), "male"),
    ],
)
def test_a_number_carries_birth_date_sex_and_area(number, birth_date, sex):
    parsed = IdNumber.parse(number)
    assert (parsed.birth_date, parsed.sex, parsed.area_code) == (birth_date, sex, number[:6])


def test_a_small_x_becomes_a_capital_one():
    assert IdNumber.parse("11010519491231002x").value == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("110105491231002", "fifteen-digits"),
        ("11010549123100X", "length"),
        ("", "length"),
        ("1101051949123100", "length"),
        ("11010519491231002X ", "length"),
        ("9" * 1_000_000, "length"),
        ("11010519491231002Y", "characters"),
        ("1101051949123100XX", "characters"),
        ("１１０１０５19491231002X", "characters"),
        ("١10105194912310021", "characters"),
        (" 1010519491231002X", "characters"),
        ("110105-9491231002X", "characters"),
        (numbered("00010519491231002"), "area-code"),
        (numbered("16010519491231002"), "area-code"),
        (numbered("11010520170229002"), "birth-date"),
        (numbered("11010519001301002"), "birth-date"),
        (numbered("11010500000101002"), "birth-date"),
        (numbered("11010517991231002"), "birth-date"),
        ("110105194912310021", "checksum"),
        ("410200201602290015", "checksum"),
        ("110105194912310020", "checksum"),
    ],
)
def test_a_number_is_refused_with_its_reason(text, reason):
    with pytest.raises(InvalidIdNumber) as refused:
        IdNumber.parse(text)
    assert refused.value.facts == {"reason": reason}


def test_foreign_permanent_residents_have_numbers_too():
    assert IdNumber.parse(numbered("91112419900101012")).birth_date == date(1990, 1, 1)


@given(st.integers(0, 10**17 - 1), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes_the_checksum(number, place, shift):
    first17 = f"{number:017d}"
    changed = str((int(first17[place]) + shift) % 10)
    assert checksum(first17) != checksum(first17[:place] + changed + first17[place + 1 :])


@given(st.integers(0, 10**17 - 1), st.integers(0, 15))
def test_two_digits_exchanged_never_pass_the_checksum(number, place):
    first17 = f"{number:017d}"
    one, other = first17[place], first17[place + 1]
    swapped = first17[:place] + other + one + first17[place + 2 :]
    assert one == other or checksum(first17) != checksum(swapped)


@given(st.text(max_size=20))
def test_parsing_any_text_either_normalises_or_refuses(text):
    try:
        number = IdNumber.parse(text)
    except InvalidIdNumber:
        return
    assert IdNumber.parse(number.value) == number


def test_only_seventeen_digits_have_a_check_character():
    for text in ("1" * 16, "1" * 18, "1" * 16 + "X", "１" * 17):
        with pytest.raises(ValueError, match="17 digits"):
            checksum(text)


def test_a_stated_birth_date_and_sex_are_held_against_the_number():
    number = IdNumber.parse("410200201602290016")
    check_birth_date_matches(number, date(2016, 2, 29))
    check_sex_matches(number, "male")
    with pytest.raises(BirthDateMismatch):
        check_birth_date_matches(number, date(2016, 3, 1))
    with pytest.raises(SexMismatch):
        check_sex_matches(number, "female")


def test_birth_certificates_have_a_letter_and_nine_digits():
    assert BirthCertificateNumber.parse("t410123456").value == "T410123456"
    for text in (
        "",
        "4101234567",
        "T41012345",
        "T4101234567",
        "TT10123456",
        "T41012345６",
        "ß12345678",
    ):
        with pytest.raises(InvalidBirthCertificateNumber):
            BirthCertificateNumber.parse(text)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("13800138000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("0371-22334455", "037122334455"),
        ("010-62345678", "01062345678"),
    ],
)
def test_telephone_numbers_are_kept_as_digits(text, digits):
    assert PhoneNumber.parse(text).value == digits


@pytest.mark.parametrize(
    "text",
    ["", "12800138000", "1380013800", "138001380000", "0000-12345678", "2" * 1000, "１38001380"],
)
def test_what_no_telephone_rings_on_is_refused(text):
    with pytest.raises(InvalidPhoneNumber):
        PhoneNumber.parse(text)


def test_no_number_shows_in_a_traceback():
    assert "1949" not in repr(IdNumber.parse("11010519491231002X"))
    assert "41012" not in repr(BirthCertificateNumber.parse("T410123456"))
    assert "1380" not in f"{PhoneNumber.parse('13800138000')}"
