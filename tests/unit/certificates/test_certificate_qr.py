"""The code: measured sizes, and read back by a decoder that is not ours, also with a blot."""

from dataclasses import replace

import pytest

from certificates.container import MAX_CHARS
from certificates.errors import CodeTooLarge
from certificates.history import Dose
from certificates.issue import issue
from certificates.qr import MAX_VERSION, QUIET_ZONE, Code
from certificates.verify import Verdict, verify
from tests.qr_codes import pixels, read_back
from tests.unit.certificates.credentials import (
    DAY,
    HOLDER,
    NOW,
    SIGNER,
    credential,
    history,
    school_verdict,
    status_list,
    text,
    trust_list,
)

SCALE = 3


def blot(rows: list[bytearray], code: Code, share: float, corner: tuple[float, float]) -> None:
    """Blacken a square of a share of the code's area, its corner at a share of the way."""
    side = round(code.modules * SCALE * share**0.5)
    top, left = (round((QUIET_ZONE + code.modules * way) * SCALE) for way in corner)
    for row in rows[top : top + side]:
        row[left : left + side] = bytes(side)


@pytest.mark.parametrize(
    ("doses", "most_chars", "version"), [(1, 360, 14), (6, 480, 17), (12, 610, 19), (22, 823, 22)]
)
def test_a_history_of_so_many_doses_with_lots_and_clinics_fits(doses, most_chars, version):
    code = Code.of(text(doses))
    assert len(text(doses)) <= most_chars
    assert code.level == "Q"
    assert code.version <= version <= MAX_VERSION
    assert read_back(pixels(code.png(SCALE))) == text(doses)


def test_a_school_verdict_is_small():
    shown = issue(credential(school_verdict()), SIGNER)
    code = Code.of(shown)
    assert code.version <= 15
    assert read_back(pixels(code.png(SCALE))) == shown


@pytest.mark.parametrize("corner", [(0.35, 0.35), (0.5, 0.6), (0.25, 0.7), (0.7, 0.3)])
def test_twenty_two_doses_are_read_back_under_a_blot_of_three_percent(corner):
    code = Code.of(text(22))
    rows = pixels(code.png(SCALE))
    blot(rows, code, 0.03, corner)
    shown = read_back(rows)
    assert shown == text(22)
    assert verify(shown, trust_list(), [status_list()], NOW).verdict is Verdict.VALID


def test_a_blot_over_everything_is_not_read():
    code = Code.of(text(22))
    rows = pixels(code.png(SCALE))
    blot(rows, code, 0.6, (0.1, 0.1))
    assert read_back(rows) is None


def test_longer_histories_take_a_lower_level_in_the_same_size():
    levels = []
    for count in (22, 30, 40):
        more = tuple(
            Dose("Influenza", HOLDER.birth_date + (2201 + at) * DAY, f"F{at:04}", "3206110012")
            for at in range(count - 22)
        )
        shown = issue(credential(replace(history(22), doses=(*history(22).doses, *more))), SIGNER)
        code = Code.of(shown)
        levels.append(code.level)
        assert code.version <= MAX_VERSION
        assert read_back(pixels(code.png(SCALE))) == shown
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] != "Q"


@pytest.mark.parametrize("chars", [1600, MAX_CHARS, 10_240])
def test_what_does_not_fit_is_refused(chars):
    with pytest.raises(CodeTooLarge) as caught:
        Code.of("A" * chars)
    assert caught.value.fields == {"chars": chars}


@pytest.mark.parametrize("text", ["0" * 796, "A1" * 398, "HC1:" + " " * 300])
def test_a_text_without_any_variety_is_read_back_as_well(text):
    assert read_back(pixels(Code.of(text).png(SCALE))) == text


def test_characters_of_another_mode_are_refused():
    with pytest.raises(CodeTooLarge):
        Code.of("hc1:abc")


def test_the_svg_is_black_on_white_with_a_quiet_zone():
    code = Code.of(text(22))
    svg = code.svg().decode()
    side = code.modules + 2 * QUIET_ZONE
    assert f'width="{side}" height="{side}"' in svg
    assert "#fff" in svg
    assert "#000" in svg
    assert "<script" not in svg
