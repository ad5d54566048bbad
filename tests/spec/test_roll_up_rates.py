"""The rates of a roll-up and their targets (S-43 to S-52, X-13, X-14)."""

import pytest

from tests.spec.roll_up_cases import KAIFENG, ask, rates, row

# --- rates: S-43 to S-52, X-13, X-14 --------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "num", "den", "percent", "meets"),
    [
        ("institution_check", 10, 10, "100.00", True),
        ("institution_check", 9_999, 10_000, "99.99", False),
        ("institution_check", 999_999, 1_000_000, "100.00", False),
        ("child_check", 95, 100, "95.00", True),
        ("child_check", 94, 100, "94.00", False),
        ("child_check", 18_999, 20_000, "95.00", False),
        ("child_check", 19_000, 20_000, "95.00", True),
        ("reissue", 98, 100, "98.00", True),
        ("reissue", 97, 99, "97.98", False),
        ("makeup_doses_excl_bcg", 9, 10, "90.00", True),
        ("makeup_doses_excl_bcg", 8, 9, "88.89", False),
        ("makeup_children", 1, 3, "33.33", None),
        ("makeup_children", 2, 3, "66.67", None),
        ("full_course", 95, 100, "95.00", True),
        ("report_completeness", 49, 50, "98.00", True),
        ("report_completeness", 48, 49, "97.96", False),
        ("child_check", 1, 800, "0.13", False),
        ("child_check", 0, 5, "0.00", False),
        ("child_check", 0, 0, None, None),
        ("reissue", 0, 0, None, None),
    ],
)
def test_the_verdict_rests_on_the_fraction_and_the_percentage_is_for_reading(
    rate, num, den, percent, meets
):
    """S-50, S-51: 95 % reached exactly is reached, missed by one child is missed."""
    found = ask("threshold", {"rate": rate, "num": num, "den": den})
    assert found == {
        "rates": {rate: {"num": num, "den": den, "percent": percent, "meets_target": meets}}
    }


def fractions(given, *names, kind="county"):
    return {name: (r["num"], r["den"]) for name, r in rates(kind, given, *names).items()}


def test_every_rate_of_a_row():
    """S-43, S-44, S-45, S-46, S-49, X-14."""
    one = row(
        institutions_due=3,
        institutions_checked=2,
        enrolled=40,
        checked=36,
        with_certificate=30,
        certificates_reissued=5,
        fully_vaccinated=26,
        makeup_completed=7,
        doses={"BCG": (3, 1), "PV": (8, 6), "JE": (4, 4)},
    )
    assert fractions({"row": one}, *KAIFENG.rates, kind="edge") == {
        "institution_check": (2, 3),
        "child_check": (36, 40),
        "reissue": (5, 6),
        "makeup_doses_excl_bcg": (10, 12),
        "makeup_children": (7, 10),
        "full_course": (33, 36),
    }


def test_where_only_bcg_is_missing_the_make_up_rate_does_not_apply():
    """X-13, S-51: BCG stands in the table and is left out of the rate."""
    one = row(doses={"BCG": (2, 0)}, fully_vaccinated=8)
    found = ask("township", {"rows": [one]})
    assert found["total"]["doses"]["BCG"] == {"due": 2, "done": 0}
    assert found["rates"]["makeup_doses_excl_bcg"] == {
        "num": 0,
        "den": 0,
        "percent": None,
        "meets_target": None,
    }


def test_a_rate_of_a_region_is_pooled():
    """S-52: the mean of 10 % and 99 % would fail."""
    small = row("X", doses={"PV": (10, 1)}, fully_vaccinated=5)
    large = row("Y", doses={"PV": (100, 99)}, fully_vaccinated=5)
    assert fractions({"rows": [small, large]}, "makeup_doses_excl_bcg", kind="pooling") == {
        "makeup_doses_excl_bcg": (100, 110)
    }


def test_each_county_is_judged_and_the_city_is_no_test_of_it():
    """S-45, S-46, S-51."""
    weak = row("A", with_certificate=0, certificates_reissued=9)
    strong = row("B", enrolled=1000, checked=1000, with_certificate=0, certificates_reissued=1000)
    none = row("C")
    found = ask("city", {"rows": [weak, strong, none]})
    assert found["rates"]["reissue"]["meets_target"] is True
    assert {unit: verdict["reissue"] for unit, verdict in found["per_county_verdicts"].items()} == {
        "A": False,
        "B": True,
        "C": None,
    }
    assert found["total"]["unit"] == "开封市"
