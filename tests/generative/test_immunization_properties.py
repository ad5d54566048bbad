"""What no history of doses can break."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.schedules.catalogue import Catalogue
from domain.schedules.dose_allocation import Dose
from domain.schedules.immunization import Question
from domain.schedules.immunization_history import evaluate_history
from domain.schedules.schedule import SHIPPED, Schedule

CATALOGUE = Catalogue.load()
PROGRAMME = sorted(
    {code for name in SHIPPED for of in Schedule.load(name).vaccines.values() for code in of}
)
COMING = ("due", "overdue", "upcoming")

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Other processes share the machine."""

births = st.dates(date(2016, 1, 1), date(2026, 7, 1))
ages = st.integers(-3, 15 * 366)
sexes = st.sampled_from(("female", "male", None))


@st.composite
def questions(draw, most=14):
    birth = draw(births)
    days = draw(st.lists(ages, max_size=most))
    doses = tuple(
        Dose(draw(st.sampled_from([*PROGRAMME, "VarV"])), birth + timedelta(days)) for days in days
    )
    asked_on = birth + timedelta(draw(st.integers(0, 16 * 366)))
    return Question(birth, asked_on, draw(sexes), doses)


names = st.sampled_from(SHIPPED)


def outcomes(evaluation, before=date.max):
    return [
        (found.dose, [(result.series, result.outcome, result.number) for result in found.results])
        for found in evaluation.doses
        if found.dose.date < before
    ]


@unhurried
@given(names, questions(), st.randoms())
def test_the_order_of_doses_does_not_matter(name, question, random):
    shuffled = list(question.doses)
    random.shuffle(shuffled)
    again = evaluate_history(Schedule.load(name), replace(question, doses=tuple(shuffled)))
    assert again == evaluate_history(Schedule.load(name), question)


@unhurried
@given(names, questions(), st.sampled_from(PROGRAMME), ages)
def test_one_more_dose_changes_nothing_of_those_before_it(name, question, vaccine, age):
    extra = Dose(vaccine, question.birth_date + timedelta(age))
    before = evaluate_history(Schedule.load(name), question)
    after = evaluate_history(Schedule.load(name), replace(question, doses=(*question.doses, extra)))
    assert outcomes(after, extra.date) == outcomes(before, extra.date)


@unhurried
@given(names, questions())
def test_what_lies_after_the_day_asked_about_is_not_looked_at(name, question):
    known = tuple(dose for dose in question.doses if dose.date <= question.asked_on)
    tomorrow = question.asked_on + timedelta(days=1)
    found = evaluate_history(Schedule.load(name), question)
    without = evaluate_history(Schedule.load(name), replace(question, doses=known))
    assert found.forecasts == without.forecasts
    assert outcomes(found, tomorrow) == outcomes(without)


@unhurried
@given(names, questions())
def test_only_a_combined_vaccine_counts_in_two_series(name, question):
    for found in evaluate_history(Schedule.load(name), question).doses:
        valid = [result.series for result in found.results if result.outcome == "valid"]
        assert len(valid) <= 1 or len(CATALOGUE.vaccines[found.dose.vaccine].components) > 1


@unhurried
@given(names, questions())
def test_the_counted_doses_are_those_found_valid(name, question):
    evaluation = evaluate_history(Schedule.load(name), question)
    results = [result for found in evaluation.doses for result in found.results]
    for code, forecast in evaluation.forecasts.items():
        valid = [r for r in results if r.series == code and r.outcome == "valid"]
        assert forecast.counted == len(valid)


@unhurried
@given(names, questions())
def test_a_dose_on_its_earliest_day_is_valid_and_a_day_before_is_not(name, question):
    for code, forecast in evaluate_history(Schedule.load(name), question).forecasts.items():
        if forecast.status not in COMING:
            continue
        day = max(forecast.earliest, question.asked_on)
        if held(name, question, day) != held(name, question, question.asked_on):
            continue
        assert result_of(name, question, code, forecast.vaccine, day) == "valid"
        if forecast.earliest > question.asked_on:
            eve = day - timedelta(days=1)
            assert result_of(name, question, code, forecast.vaccine, eve) != "valid"


def held(name, question, day):
    return list(Schedule.load(name).series_for(question.birth_date, day, question.sex))


def result_of(name, question, series, vaccine, day):
    """What becomes of one more dose; a later edition of a series may be in force by then."""
    extra = Dose(vaccine, day)
    known = tuple(dose for dose in question.doses if dose.date <= question.asked_on)
    more = replace(question, doses=(*known, extra), asked_on=max(day, question.asked_on))
    found = evaluate_history(Schedule.load(name), more)
    results = [one.results for one in found.doses if one.dose == extra][-1]
    return next((result.outcome for result in results if result.series == series), None)


@settings(unhurried, max_examples=60)
@given(st.dates(date(2021, 3, 1), date(2026, 7, 1)), sexes, st.data())
def test_who_is_vaccinated_on_every_earliest_day_ends_complete(birth, sex, data):
    """By the edition in force on each day, and whatever is late by some days now and then."""
    asked_on, doses = birth, []
    for _ in range(60):
        schedule = Schedule.in_force(asked_on)
        found = evaluate_history(schedule, Question(birth, asked_on, sex, tuple(doses)))
        coming = [f for f in found.forecasts.values() if f.status in COMING]
        due = [f for f in coming if f.earliest <= asked_on]
        if due:
            given_today = [Dose(f.vaccine, asked_on) for f in due]
            doses += given_today
            now = evaluate_history(schedule, Question(birth, asked_on, sex, tuple(doses)))
            for dose, results in outcomes(now):
                if dose in given_today:
                    assert [outcome for _, outcome, _ in results] == ["valid"], (dose, results)
        elif coming:
            asked_on = min(f.earliest for f in coming) + timedelta(data.draw(st.integers(0, 3)))
        elif asked_on < birth.replace(day=1, year=birth.year + 14):
            asked_on = birth.replace(day=1, year=birth.year + 14)
        else:
            break
    assert {f.status for f in found.forecasts.values()} <= {"complete", "no-rule"}
    assert {c for c, f in found.forecasts.items() if f.status == "no-rule"} <= {"HPV2"}
