"""How a series goes on: the next step of the preferred pathway that is still open to the child."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from domain.schedules.dose_evaluation import Progress
from domain.schedules.finding import Fact, Finding
from domain.schedules.immunization import Against, Forecast, Question, Status
from domain.schedules.schedule import Schedule, Series, Step
from domain.schedules.schedule_series import Pathway, number_in_group
from domain.schedules.spacing import Distances


@dataclass(frozen=True, slots=True)
class _Next:
    """The next dose on a pathway, if nothing but time stands before it.

    Attributes:
        pathway: The pathway.
        index: Place of the step in it.
        vaccine: The vaccine that it would be.
        earliest: First day, or None while a passing contraindication has no known end.
    """

    pathway: Pathway
    index: int
    vaccine: str
    earliest: date | None

    @property
    def step(self) -> Step:
        return self.pathway[self.index]


class Forecaster:
    """Forecasts the series of one child.

    Args:
        schedule: The schedule.
        question: The child.
        distances: Of its live doses and immunoglobulins.
    """

    def __init__(self, schedule: Schedule, question: Question, distances: Distances) -> None:
        self._schedule = schedule
        self._question = question
        self._distances = distances
        self._against = {item.target: item for item in _by_severity(schedule, question)}

    def forecast(self, series: Series, progress: Progress) -> Forecast:
        """Return how a series goes on from the doses that count."""
        if progress.is_complete:
            return self._ended(series, progress, "complete")
        allowed = [way for way in progress.open if self._is_allowed(way, len(progress.counted))]
        if not allowed:
            return self._ended(series, progress, "contraindicated")
        asked_on, birth = self._question.asked_on, self._question.birth_date
        if asked_on >= self._schedule.until_age.after(birth):
            return self._ended(series, progress, "aged-out")
        for pathway in allowed:
            following = self._next(pathway, progress)
            if following is not None:
                return self._going_on(series, progress, following)
        return self._ended(series, progress, "aged-out")

    def _next(self, pathway: Pathway, progress: Progress) -> _Next | None:
        """Return the next dose on a pathway; None when the child will be too old for it."""
        index, birth = len(progress.counted), self._question.birth_date
        step = pathway[index]
        vaccine = next(code for code in step.vaccines if not self._is_lasting(step, code))
        first = step.first_day(birth, self._question.asked_on)
        from_day = max(first, progress.earliest_interval(step) or date.min)
        earliest = self._free(step, vaccine, from_day)
        soonest = max(earliest or from_day, self._question.asked_on)
        if step.not_from is not None and soonest >= step.not_from.after(birth):
            return None
        return _Next(pathway, index, vaccine, earliest)

    def _free(self, step: Step, vaccine: str, from_day: date) -> date | None:
        """Return the first day on which nothing else stands against a dose, None without one.

        A day before the one asked about is kept where the dose could be given today.
        """
        start = max(from_day, self._question.asked_on)
        free = start
        for target in (step.group, vaccine):
            against = self._against.get(target)
            if against is not None:
                if against.until is None:
                    return None
                free = max(free, against.until + timedelta(days=1))
        free = self._distances.first_free(vaccine, free)
        return from_day if free == start else free

    def _going_on(self, series: Series, progress: Progress, following: _Next) -> Forecast:
        step = following.step
        status, overdue_from = self._timing(progress, following)
        facts: dict[str, Fact] = {
            "group": self._schedule.groups[step.group],
            "number": number_in_group(following.pathway, following.index),
        }
        if following.earliest is not None:
            facts["earliest"] = following.earliest.isoformat()
        if overdue_from is not None:
            facts["overdue_from"] = overdue_from.isoformat()
        if step.forecast_until is not None:
            facts["age"] = step.forecast_until.wording
        rule = self._schedule.rules[status]
        number = f"{rule.number} {series.code}.{step.name}"
        has_rule = status != "no-rule"
        return Forecast(
            series=series.code,
            status=status,
            counted=len(progress.counted),
            group=step.group,
            number=number_in_group(following.pathway, following.index),
            vaccine=following.vaccine,
            earliest=following.earliest if has_rule else None,
            recommended=following.earliest if has_rule else None,
            overdue_from=overdue_from if has_rule else None,
            findings=(
                rule.finding(facts, number=number),
                *self._reservations(step, following.earliest),
            ),
        )

    def _timing(self, progress: Progress, following: _Next) -> tuple[Status, date | None]:
        asked_on, birth = self._question.asked_on, self._question.birth_date
        until = following.step.forecast_until
        if until is not None and max(asked_on, following.earliest or asked_on) >= until.after(
            birth
        ):
            return "no-rule", None
        if following.earliest is None:
            return "postponed", None
        overdue_from = self._overdue_from(progress, following, following.earliest)
        if overdue_from is not None and asked_on >= overdue_from:
            return "overdue", overdue_from
        return ("due" if asked_on >= following.earliest else "upcoming"), overdue_from

    def _overdue_from(self, progress: Progress, following: _Next, earliest: date) -> date | None:
        """Return the first day on which the dose is late: never before it can be given.

        A step without an age of its own is late with the next one that has one.
        """
        step, birth = following.step, self._question.birth_date
        if step.within is not None and progress.counted:
            return max(step.within.after(progress.counted[-1]) + timedelta(days=1), earliest)
        for later in following.pathway[following.index :]:
            if later.complete_before is not None:
                return max(later.complete_before.after(birth), earliest)
        return None

    def _reservations(self, step: Step, earliest: date | None) -> Iterator[Finding]:
        day = max(earliest or self._question.asked_on, self._question.asked_on)
        ppd_from = step.after_ppd_from
        if ppd_from is not None and day >= ppd_from.after(self._question.birth_date):
            yield self._schedule.rules["after-ppd"].finding(
                {"group": self._schedule.groups[step.group]}
            )

    def _ended(self, series: Series, progress: Progress, status: Status) -> Forecast:
        finding = self._schedule.rules[status].finding({"series": series.name})
        counted = len(progress.counted)
        return Forecast(
            series.code, status, counted, None, None, None, None, None, None, (finding,)
        )

    def _is_allowed(self, pathway: Pathway, index: int) -> bool:
        """Tell whether each step to come has a vaccine without a lasting contraindication."""
        return all(
            any(not self._is_lasting(step, code) for code in step.vaccines)
            for step in pathway[index:]
        )

    def _is_lasting(self, step: Step, vaccine: str) -> bool:
        found = (self._against.get(step.group), self._against.get(vaccine))
        return any(item is not None and item.is_lasting for item in found)


def _by_severity(schedule: Schedule, question: Question) -> list[Against]:
    """Return what speaks against each target, the severest last: a lasting one, else the longest.

    A passing one that has ended by the day asked about speaks against nothing.
    """
    said = [
        item for item in question.against if item.until is None or item.until >= question.asked_on
    ]
    for code in question.conditions:
        decisions: Mapping[str, str] = schedule.conditions[code].vaccines
        said += [Against(vaccine, decision == "no") for vaccine, decision in decisions.items()]
    return sorted(said, key=lambda item: (item.is_lasting, item.until or date.max))
