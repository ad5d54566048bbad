"""Which dose counts where: combined vaccines, substitutes, and what does not count at all."""

from datetime import timedelta

import pytest

from domain.schedules.dose_allocation import Dose
from domain.schedules.entry_requirements import EntryRequirements
from tests.spec.children import (
    BY_AGE_TWO,
    KAIFENG,
    NO_HEPA,
    PROGRAMME,
    SEPTEMBER,
    born,
    cells,
    check,
    missing,
    on_days,
    rules_for,
    without,
)

# --- combined vaccines and substitutes: S-25 to S-32 ------------------------------------------


def test_a_pentavalent_dose_counts_for_dpt_and_polio():
    rest = without(BY_AGE_TWO, *["OPV"] * 3, *["DTaP"] * 4)
    assert check(2, *rest, *["DTaP-IPV-Hib"] * 4).complete
    three = check(2, *rest, *["DTaP-IPV-Hib"] * 3)
    assert missing(three) == {"DPT": [4]}
    assert check(2, *rest, *["DTaP-IPV-Hib"] * 3, "DTaP").complete
    assert missing(check(4, *rest, *["DTaP-IPV-Hib"] * 3, "DTaP", "MPSV-AC")) == {"PV": [4]}
    assert "S-25" in rules_for(three, "counted")


def test_polio_is_filled_by_any_mixture_of_its_vaccines():
    """X-21: by IPV alone as well, although the row names the live vaccine."""
    rest = without(PROGRAMME[4], *["OPV"] * 4, *["DTaP"] * 1)
    assert missing(check(4, *rest, *["IPV"] * 4)) == missing(check(4, *rest, *["OPV"] * 4))
    assert check(4, *rest, "IPV", "OPV", "DTaP-IPV-Hib", "IPV").complete
    assert missing(check(4, *rest, "IPV", "OPV", "DTaP-IPV-Hib")) == {"PV": [4]}


def test_tetravalent_dtap_hib_counts_for_dpt_only():
    rest = without(BY_AGE_TWO, *["DTaP"] * 4, "OPV")
    assert missing(check(2, *rest, *["DTaP-Hib"] * 4)) == {"PV": [3]}


def test_a_fifth_dtap_or_pentavalent_never_fills_dt():
    rest = without(PROGRAMME[6], "DT")
    for vaccine in ("DTaP", "DTaP-IPV-Hib", "DTaP-Hib"):
        verdict = check(6, *rest, vaccine)
        assert missing(verdict) == {"DT": [1]}
        assert "surplus" in {p.outcome for d in verdict.doses for p in d.placements}


def test_dt_never_fills_dpt():
    assert missing(check(6, *without(PROGRAMME[6], "DTaP"), "DT")) == {"DPT": [4]}


@pytest.mark.parametrize("pair", [("MV", "MV"), ("MR", "MM"), ("MMR", "MV"), ("MM", "MMR")])
def test_whatever_contains_measles_counts(pair):
    verdict = check(2, *without(BY_AGE_TWO, "MR", "MMR"), *pair)
    assert verdict.complete
    assert "S-31" in rules_for(verdict, "counted")


@pytest.mark.parametrize("vaccine", ["Mumps", "Rubella", "VarV"])
def test_what_contains_no_measles_does_not(vaccine):
    assert missing(check(2, *without(BY_AGE_TWO, "MMR"), vaccine)) == {"MCV": [2]}


NO_MENINGITIS = without(PROGRAMME[6], "MPSV-A", "MPSV-A", "MPSV-AC", "MPSV-AC")


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        (["MPCV-AC"], {"MenA": [2], "MenAC": [1, 2]}),
        (["MPCV-AC"] * 2, {"MenAC": [1, 2]}),
        (["MPCV-AC"] * 3, {"MenAC": [2]}),
        (["MPCV-AC"] * 4, {}),
        (["MPCV-AC"] * 5, {}),
        (["MPSV-A", "MPCV-AC"], {"MenAC": [1, 2]}),
        (["MPSV-A", "MPSV-A", "MPCV-AC"], {"MenAC": [2]}),
        (["MPCV-AC", "MPSV-A", "MPSV-A"], {"MenAC": [2]}),
        (["MPCV-AC", "MPSV-A", "MPCV-AC", "MPSV-AC"], {}),
        (["MPSV-AC"] * 4, {"MenA": [1, 2]}),
        (["MPSV-ACYW135"] * 3, {"MenA": [1, 2]}),
        (["MPSV-A", "MPSV-A", "MPSV-AC", "MPSV-ACYW135"], {}),
        (["MPSV-A", "MPSV-A", "MPSV-A"], {"MenAC": [1, 2]}),
        (["MPCV-AC", "MPCV-AC", "MPSV-ACYW135", "MPSV-ACYW135"], {}),
        (["MPCV-AC-Hib", "MPCV-AC", "MPCV-AC", "MPCV-ACYW135"], {}),
    ],
)
def test_an_ac_conjugate_fills_mena_first_and_a_surplus_one_menac(given, lacking):
    assert missing(check(6, *NO_MENINGITIS, *given)) == lacking


def test_the_conjugate_says_by_which_rule_it_counts():
    verdict = check(6, *NO_MENINGITIS, "MPCV-AC", "MPSV-ACYW135")
    assert {"S-26", "S-27"} <= rules_for(verdict, "counted")


NO_JE = without(BY_AGE_TWO, "JE-L", "JE-L")


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ([], {"JE": [1, 2]}),
        (["JE-I"], {"JE": [2]}),
        (["JE-L"], {"JE": [2]}),
        (["JE-I", "JE-I"], {}),
        (["JE-I", "JE-L"], {}),
        (["JE-L", "JE-I"], {}),
        (["JE-I"] * 4, {}),
    ],
)
def test_each_inactivated_je_dose_is_one_of_the_two(given, lacking):
    """S-28, X-4."""
    verdict = check(2, *NO_JE, *given)
    assert missing(verdict) == lacking
    assert verdict.switches["je_i_doses"] == "literal"
    assert "X-4" in rules_for(verdict, "switch")


@pytest.mark.parametrize(
    ("age", "given", "lacking"),
    [
        (3, ["JE-I"], {"JE": [1, 2]}),
        (3, ["JE-I"] * 2, {"JE": [2]}),
        (3, ["JE-I"] * 3, {}),
        (3, ["JE-I", "JE-L"], {"JE": [2]}),
        (3, ["JE-I", "JE-I", "JE-L"], {}),
        (3, ["JE-L", "JE-L"], {}),
        (6, ["JE-I"] * 3, {"JE": [2]}),
        (6, ["JE-I"] * 4, {}),
        (7, ["JE-I"] * 3, {"JE": [2]}),
    ],
)
def test_by_the_national_switch_inactivated_je_takes_three_or_four(age, given, lacking):
    rules = EntryRequirements.load(je_i_doses="national")
    rest = without(PROGRAMME[min(age, 6)], "JE-L", "JE-L")
    verdict = check(age, *rest, *given, rules=rules)
    assert missing(verdict) == lacking
    assert verdict.switches["je_i_doses"] == "national"


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ([], {"HepA": [1]}),
        (["HepA-L"], {}),
        (["HepA-I"], {"HepA": [2]}),
        (["HepAB"], {"HepA": [2]}),
        (["HepA-I", "HepA-I"], {}),
        (["HepA-I", "HepAB"], {}),
        (["HepAB", "HepAB"], {}),
        (["HepA-I", "HepA-L"], {}),
        (["HepA-L", "HepA-I"], {}),
        (["HepA-I", "HepA-I", "HepAB"], {}),
    ],
)
def test_one_live_or_two_inactivated_hepatitis_a_doses(given, lacking):
    verdict = check(2, *NO_HEPA, *given)
    assert missing(verdict) == lacking
    assert cells(verdict, "HepA") == ["missing" if lacking else "given"]


def test_a_half_course_shows_in_its_cell_and_names_its_next_dose():
    verdict = check(2, *NO_HEPA, "HepA-I")
    cell = verdict.cells[-1]
    assert (cell.column, cell.state, cell.dose_numbers) == (1, "missing", (2,))
    assert [dose.vaccine for dose in cell.doses] == ["HepA-I"]
    assert rules_for(verdict, "toward-course") == {"S-29"}
    assert rules_for(check(2, *NO_HEPA, "HepAB"), "toward-course") == {"S-30"}


def test_both_doses_of_a_full_course_stand_in_the_cell():
    verdict = check(2, *NO_HEPA, "HepA-I", "HepAB")
    assert [dose.vaccine for dose in verdict.cells[-1].doses] == ["HepA-I", "HepAB"]
    assert rules_for(verdict, "course-part") == {"S-29"}


def test_combined_hepatitis_vaccine_counts_for_hepatitis_b_only_by_its_switch():
    """X-25."""
    rest = without(BY_AGE_TWO, "HepA-L", "HepB")
    assert missing(check(2, *rest, "HepAB", "HepAB")) == {"HepB": [3]}
    assert check(2, *rest, "HepAB", "HepAB", rules=KAIFENG.load(hepab_credits="HepA+HepB")).complete


# --- what does not count: S-9, S-12 ------------------------------------------------------------


def test_a_dose_of_the_check_day_and_of_the_birthday_count():
    birth = born(2)
    rest = without(BY_AGE_TWO, "BCG", "HepB")
    verdict = check(2, *rest, Dose("BCG", birth), Dose("HepB", SEPTEMBER), birth=birth)
    assert verdict.complete


def test_a_dose_after_the_check_waits_for_the_re_check():
    late = Dose("HepB", SEPTEMBER + timedelta(days=1))
    verdict = check(2, *without(BY_AGE_TWO, "HepB"), late)
    assert missing(verdict) == {"HepB": [3]}
    assert rules_for(verdict, "after-check") == {"S-12"}
    assert check(2, *without(BY_AGE_TWO, "HepB"), late, birth=born(2), on=late.date).complete


def test_a_dose_before_birth_counts_for_nothing():
    early = Dose("HepB", born(2) - timedelta(days=1))
    verdict = check(2, *without(BY_AGE_TWO, "HepB"), early)
    assert missing(verdict) == {"HepB": [3]}
    assert rules_for(verdict, "before-birth") == {"S-9"}


@pytest.mark.parametrize(
    ("group", "first", "second"),
    [
        ("HepB", "HepB", "HepB"),
        ("PV", "OPV", "IPV"),
        ("MCV", "MR", "MMR"),
        ("JE", "JE-L", "JE-I"),
        ("MenAC", "MPSV-AC", "MPSV-ACYW135"),
        ("DPT", "DTaP", "DTaP-Hib"),
    ],
)
def test_the_same_group_on_the_same_day_counts_once_and_is_flagged(group, first, second):
    birth = born(6)
    own = {code: {way.fills for way in ways} for code, ways in KAIFENG.counting.items()}
    rest = [name for name in PROGRAMME[6] if own[name] != {(group,)}]
    twice = [*on_days(first, 40, birth=birth), *on_days(second, 40, birth=birth)]
    verdict = check(6, *rest, *twice, birth=birth)
    assert missing(verdict)[group] == list(range(2, KAIFENG.required(6, group) + 1))
    assert rules_for(verdict, "same-day") == {"S-9"}


def test_a_pentavalent_dose_and_opv_of_one_day_are_one_polio_dose():
    birth = born(2)
    rest = without(BY_AGE_TWO, *["OPV"] * 3, *["DTaP"] * 4)
    five = on_days("DTaP-IPV-Hib", 60, 90, 120, 540, birth=birth)
    verdict = check(2, *rest, *five[:2], *on_days("OPV", 60, 90, birth=birth), birth=birth)
    assert missing(verdict) == {"PV": [3], "DPT": [3, 4]}
    assert check(2, *rest, *five, *on_days("OPV", 60, birth=birth), birth=birth).complete


def test_two_inactivated_hepatitis_a_doses_of_one_day_are_half_a_course():
    birth = born(2)
    both = [*on_days("HepA-I", 600, birth=birth), *on_days("HepAB", 600, birth=birth)]
    assert missing(check(2, *NO_HEPA, *both, birth=birth)) == {"HepA": [2]}


def test_a_live_hepatitis_a_dose_wins_over_an_inactivated_one_of_its_day():
    birth = born(2)
    both = [*on_days("HepA-I", 600, birth=birth), *on_days("HepA-L", 600, birth=birth)]
    assert check(2, *NO_HEPA, *both, birth=birth).complete


def test_a_conjugate_written_twice_is_not_one_for_each_column():
    birth = born(3)
    rest = without(PROGRAMME[3], "MPSV-A", "MPSV-AC")
    twice = on_days("MPCV-AC", 1100, 1100, birth=birth)
    assert missing(check(3, *rest, *twice, birth=birth)) == {"MenAC": [1]}


def test_different_groups_of_one_day_all_count():
    birth = born(6)
    day = [dose for name in dict.fromkeys(PROGRAMME[6]) for dose in on_days(name, 9, birth=birth)]
    counted = {p.group for d in check(6, *day, birth=birth).doses for p in d.placements}
    assert counted == set(KAIFENG.groups)


@pytest.mark.parametrize("vaccine", ["Rabies", "Influenza", "Hib", "PCV13", "EV71", "COVID-Vero"])
def test_vaccines_outside_the_list_change_nothing(vaccine):
    verdict = check(2, *BY_AGE_TWO, vaccine)
    assert verdict.complete
    assert rules_for(verdict, "not-listed") == {"S-23"}
