"""Evaluating a child's doses by a schedule, and forecasting the next ones.

Pure, and independent of the order of doses; what lies after the day asked about is not looked at.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from domain.errors import DomainError, UnknownVaccine, UnknownVaccineGroup, shown
from domain.schedules.dose_allocation import Dose
from domain.schedules.dose_evaluation import Judged, SeriesEvaluator
from domain.schedules.finding import Fact
from domain.schedules.forecast import Forecaster
from domain.schedules.immunization import Evaluated, EvaluatedDose, Evaluation, Forecast, Question
from domain.schedules.schedule import Gap, Schedule
from domain.schedules.spacing import Distances


class AskedBeforeBirth(DomainError):
    """The day asked about lies before the birth."""

    code = "asked-before-birth"
    zh = "询问日期早于出生日期。"


class UnknownCondition(DomainError):
    """The schedule knows no such state of health."""

    code = "unknown-condition"
    zh = "免疫程序中没有该健康状况。"


def evaluate_history(schedule: Schedule, question: Question) -> Evaluation:
    """Evaluate every dose and forecast every series.

    Args:
        schedule: The schedule; which one is in force is for the caller to say.
        question: The child on the day asked about.

    Raises:
        AskedBeforeBirth: When the day lies before the birth.
        UnknownVaccine: For a dose whose vaccine is no code of the catalogue.
        UnknownVaccineGroup: For a contraindication against neither group nor vaccine.
        UnknownCondition: For a state of health that the schedule does not know.
    """
    _check(schedule, question)
    doses = _in_order(question)
    results: list[list[Evaluated]] = [_outside(schedule, question, dose) for dose in doses]
    forecasts: dict[str, Forecast] = {}
    for evaluator, judged, forecast in _by_series(schedule, question, doses):
        for place, one in judged:
            results[place].append(evaluator.told(one))
        forecasts[forecast.series] = forecast
    for place, dose in enumerate(doses):
        if not results[place]:
            results[place].append(_unplaced(schedule, dose, "not-in-schedule"))
    return Evaluation(
        schedule_id=schedule.edition.id,
        schedule_version=schedule.edition.version,
        doses=tuple(
            EvaluatedDose(dose, tuple(found)) for dose, found in zip(doses, results, strict=True)
        ),
        forecasts=forecasts,
        gaps=tuple(_gaps(schedule, forecasts)),
    )


def forecast_history(schedule: Schedule, question: Question) -> Mapping[str, Forecast]:
    """Forecast every series and say nothing of the doses, which is half of the work.

    Args and errors: see `evaluate_history`, whose forecasts these are.
    """
    _check(schedule, question)
    found = _by_series(schedule, question, _in_order(question))
    return {forecast.series: forecast for _, _, forecast in found}


def _in_order(question: Question) -> list[Dose]:
    return sorted(question.doses, key=lambda dose: (dose.date, dose.vaccine))


_Judged = Sequence[tuple[int, Judged]]


def _by_series(
    schedule: Schedule, question: Question, doses: Sequence[Dose]
) -> Iterator[tuple[SeriesEvaluator, _Judged, Forecast]]:
    """Yield each series with what became of its doses, by their places, and how it goes on."""
    birth, asked_on = question.birth_date, question.asked_on
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, dose in enumerate(doses):
        if birth <= dose.date <= asked_on:
            places[dose.vaccine].append(place)
    distances = Distances(schedule, question)
    forecaster = Forecaster(schedule, question, distances)
    for series in schedule.series_for(birth, asked_on, question.sex):
        evaluator = SeriesEvaluator(schedule, series, birth, distances)
        mine = sorted(
            place for vaccine in schedule.vaccines[series.code] for place in places.get(vaccine, ())
        )
        judged = list(evaluator.take([(place, doses[place]) for place in mine]))
        yield evaluator, judged, forecaster.forecast(series, evaluator.progress)


def _check(schedule: Schedule, question: Question) -> None:
    if question.asked_on < question.birth_date:
        raise AskedBeforeBirth
    for dose in question.doses:
        if dose.vaccine not in schedule.catalogue:
            raise UnknownVaccine(vaccine=shown(dose.vaccine))
    for item in question.against:
        if item.target not in schedule.groups and item.target not in schedule.catalogue:
            raise UnknownVaccineGroup(vaccine_group=shown(item.target))
    for code in question.conditions:
        if code not in schedule.conditions:
            raise UnknownCondition(condition=shown(code), allowed=sorted(schedule.conditions))


def _outside(schedule: Schedule, question: Question, dose: Dose) -> list[Evaluated]:
    """Return what is said of a dose that no series looks at."""
    if dose.date < question.birth_date:
        return [_unplaced(schedule, dose, "before-birth")]
    if dose.date > question.asked_on:
        return [_unplaced(schedule, dose, "after-date")]
    return []


def _unplaced(schedule: Schedule, dose: Dose, conclusion: str) -> Evaluated:
    facts: dict[str, Fact] = {
        "date": dose.date.isoformat(),
        "vaccine": schedule.catalogue.vaccines[dose.vaccine].name,
    }
    finding = schedule.rules[conclusion].finding(facts)
    return Evaluated("not-evaluated", None, None, None, finding)


def _gaps(schedule: Schedule, looked_at: Collection[str]) -> list[Gap]:
    return [
        gap
        for gap in schedule.gaps.values()
        if not gap.series or not gap.series.isdisjoint(looked_at)
    ]
