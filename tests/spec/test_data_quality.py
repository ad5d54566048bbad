"""What is refused of a dose, and what is let in with a remark."""

from datetime import date, timedelta

import pytest

from domain.dose import DoseState
from domain.dose_policy import DoseFacts, check_dose
from domain.errors import DomainError
from domain.quality import CHECKS, REMARKS, Severity, remarks
from domain.schedules.catalogue import Catalogue
from domain.schedules.schedule import Schedule
from tests.spec.actors import dose

CATALOGUE = Catalogue.load()
BORN = date(2024, 2, 29)
GIVEN = DoseState.proposed(dose(), version=2, day=date(2026, 8, 1), given=True)


def given(**changes):
    """A dose that nothing speaks against, but for the changes."""
    return GIVEN._replace(site=None, route=None, national_code=None, expires_on=None, **changes)


def found(state, born=BORN):
    schedule = Schedule.in_force(state.occurred_on)
    return [check.id for check in remarks(state, born, CATALOGUE, schedule)]


def refused(state, born=BORN):
    facts = DoseFacts(catalogue=CATALOGUE, birth_date=born)
    with pytest.raises(DomainError) as error:
        check_dose(state, facts, None, date(2026, 8, 1))
    return error.value.code


def test_a_dose_at_its_age_is_not_remarked_on():
    assert found(given(vaccine="MMR", occurred_on=date(2024, 10, 29), lot="A1")) == []


@pytest.mark.parametrize(
    ("vaccine", "day", "expected"),
    [
        ("MMR", date(2024, 10, 28), ["younger-than-scheduled"]),
        ("MPSV-A", date(2026, 2, 28), []),
        ("MPSV-A", date(2026, 3, 1), ["older-than-scheduled"]),
        ("BCG", date(2024, 2, 29), []),
        ("VarV", date(2024, 3, 1), []),
    ],
)
def test_an_age_that_no_step_of_the_schedule_allows_is_remarked_on(vaccine, day, expected):
    assert found(given(vaccine=vaccine, occurred_on=day, lot="A1")) == expected


def test_the_eve_of_the_second_birthday_is_still_young_enough_for_a_leap_day_child():
    eve = date(2026, 3, 1) - timedelta(days=1)
    assert found(given(vaccine="MPSV-A", occurred_on=eve, lot="A1")) == []


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(1981, 1, 1), date(1986, 12, 31)])
def test_a_placeholder_date_of_other_systems_is_refused(day):
    assert refused(given(vaccine="HepB", occurred_on=day)) == "placeholder-date"


def test_who_lived_then_may_have_been_vaccinated_then():
    adult = date(1980, 5, 1)
    state = given(vaccine="BCG", occurred_on=date(1981, 1, 1), lot="A1")
    check_dose(state, DoseFacts(catalogue=CATALOGUE, birth_date=adult), None, date(2026, 8, 1))
    assert found(state, adult) == ["placeholder-year"]


@pytest.mark.parametrize("day", [date(1980, 12, 31), date(1987, 1, 1)])
def test_other_dates_before_birth_are_called_so(day):
    assert refused(given(vaccine="HepB", occurred_on=day)) == "dose-before-birth"


def test_a_vaccine_that_did_not_exist_is_refused():
    old = date(2010, 1, 1)
    eve = given(vaccine="COVID-Vero", occurred_on=date(2019, 12, 31))
    assert refused(eve, old) == "before-vaccine-existed"
    first = eve._replace(occurred_on=date(2020, 1, 1))
    check_dose(first, DoseFacts(catalogue=CATALOGUE, birth_date=old), None, date(2026, 8, 1))


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2016, 4, 30), []), (date(2016, 5, 1), ["withdrawn-code"])],
)
def test_a_code_that_was_withdrawn_by_then_is_remarked_on(day, expected):
    state = given(vaccine="OPV", occurred_on=day, lot="A1")._replace(national_code="0301")
    assert found(state, date(2015, 1, 1)) == expected


def test_a_transcribed_dose_without_a_lot_is_noted():
    assert found(given(vaccine="HepB", occurred_on=date(2024, 4, 1), lot=None)) == ["lot-not-given"]


def test_every_check_has_a_severity_and_both_languages_and_repeats_no_value():
    assert {check.severity for check in CHECKS.values()} == set(Severity)
    assert all(check.severity is not Severity.REFUSE for check in REMARKS)
    for name, check in CHECKS.items():
        told = check.describe()
        assert told["id"] == name
        assert any("一" <= letter <= "鿿" for letter in told["zh"])
        assert told["en"].isascii()
        assert "{" not in told["zh"] + told["en"]
