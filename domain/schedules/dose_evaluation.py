"""Which doses count in a series: each is held against the pathways that those before it left open.

Doses are taken in the order of their days, so that a later dose never changes what became of an
earlier one. A dose counts when it is the next step of a pathway: its vaccine, old enough, not too
old, far enough from the dose before, and from live vaccines and immunoglobulin. The pathways
whose next step it is not are closed. A dose that counts nowhere is told by the check that it got
furthest with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from domain.schedules.dose_allocation import Dose
from domain.schedules.finding import Fact
from domain.schedules.immunization import Evaluated, Outcome
from domain.schedules.schedule import Schedule, Series, Step
from domain.schedules.schedule_series import Pathway, number_in_group
from domain.schedules.spacing import Distances

_OUTCOMES: Mapping[str, Outcome] = {
    "wrong-product": "wrong-product",
    "no-longer-given": "extraneous",
    "too-early": "too-early",
    "interval-too-short": "interval-too-short",
    "immunoglobulin-interval": "interval-too-short",
    "live-interval": "interval-too-short",
}
"""What each check makes of a dose that fails it, in the order in which the checks are made."""

_RANK = {check: rank for rank, check in enumerate(_OUTCOMES)}


@dataclass(slots=True)
class Progress:
    """A series while its doses are taken.

    Attributes:
        open: The pathways that the counted doses are the beginning of, the preferred one first.
        counted: Days of the doses that count.
        last_given: Day of the latest dose that counted, came too early or too soon.
    """

    open: Sequence[Pathway]
    counted: list[date] = field(default_factory=list)
    last_given: date | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the counted doses are the whole of a pathway."""
        return any(len(pathway) == len(self.counted) for pathway in self.open)

    def earliest_interval(self, step: Step) -> date | None:
        """Return the first day that keeps the step's intervals, or None where it has none."""
        days = []
        if step.after_given is not None and self.last_given is not None:
            days.append(step.after_given.after(self.last_given))
        if step.after_counted is not None and self.counted:
            days.append(step.after_counted.after(self.counted[-1]))
        return max(days, default=None)


@dataclass(frozen=True, slots=True)
class _Failure:
    """The check that a dose failed on a pathway, and the day from which it would have passed."""

    check: str
    pathway: Pathway
    earliest: date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a dose in a series, not yet in words.

    Attributes:
        check: The check that it failed, ``valid``, or why it was not held against a step.
        dose: The dose.
        pathway: What it was held against, or None.
        index: Place of the step in the pathway.
        earliest: Day from which it would have passed, or None.
    """

    check: str
    dose: Dose
    pathway: Pathway | None = None
    index: int = 0
    earliest: date | None = None


class SeriesEvaluator:
    """Takes the doses of one series.

    Args:
        schedule: Its schedule.
        series: The series.
        birth: Day of birth.
        distances: To other vaccines.
    """

    def __init__(
        self, schedule: Schedule, series: Series, birth: date, distances: Distances
    ) -> None:
        self._schedule = schedule
        self._series = series
        self._birth = birth
        self._distances = distances
        self.progress = Progress(series.pathways)

    def take(self, doses: Iterable[tuple[int, Dose]]) -> Iterator[tuple[int, Judged]]:
        """Yield what becomes of each dose.

        Args:
            doses: Those whose vaccine the series knows, by day, each with its place among all.
        """
        for _, same_day in groupby(doses, key=_day):
            counted = False
            for place, dose in self._preferred_first(list(same_day)):
                if counted:
                    yield place, Judged("superseded", dose)
                elif self.progress.is_complete:
                    yield place, Judged("extraneous", dose)
                else:
                    found = self._judge(dose)
                    counted = found.check == "valid"
                    yield place, found

    def _preferred_first(self, doses: list[tuple[int, Dose]]) -> list[tuple[int, Dose]]:
        """Put those first that are the next step of the earlier pathway: one a day counts."""
        if len(doses) > 1 and not self.progress.is_complete:
            doses.sort(key=lambda item: (self._rank(item[1]), item[1].vaccine))
        return doses

    def _rank(self, dose: Dose) -> int:
        opened = self.progress.open
        fits = (rank for rank, way in enumerate(opened) if self._failure(way, dose) is None)
        return next(fits, len(opened))

    def _judge(self, dose: Dose) -> Judged:
        progress = self.progress
        failures = [(way, self._failure(way, dose)) for way in progress.open]
        passed = [way for way, failure in failures if failure is None]
        if passed:
            index = len(progress.counted)
            progress.open = passed
            progress.counted.append(dose.date)
            progress.last_given = dose.date
            return Judged("valid", dose, passed[0], index)
        worst = max((f for _, f in failures if f is not None), key=lambda f: _RANK[f.check])
        if _OUTCOMES[worst.check] in ("too-early", "interval-too-short"):
            progress.last_given = dose.date
        return Judged(worst.check, dose, worst.pathway, len(progress.counted), worst.earliest)

    def _failure(self, pathway: Pathway, dose: Dose) -> _Failure | None:
        """Return the first check that the dose fails as the next step of a pathway."""
        step, day = pathway[len(self.progress.counted)], dose.date
        if dose.vaccine not in step.vaccines:
            return _Failure("wrong-product", pathway)
        if step.not_from is not None and day >= step.not_from.after(self._birth):
            return _Failure("no-longer-given", pathway)
        for check, earliest in self._least(step, dose):
            if earliest is not None and day < earliest:
                return _Failure(check, pathway, earliest)
        return None

    def _least(self, step: Step, dose: Dose) -> Iterator[tuple[str, date | None]]:
        """Yield each check of the day with the first day that passes it."""
        vaccine, day = dose.vaccine, dose.date
        yield "too-early", step.min_age_on(day).after(self._birth)
        yield "interval-too-short", self.progress.earliest_interval(step)
        yield "immunoglobulin-interval", self._distances.from_immunoglobulin(vaccine, day)
        yield "live-interval", self._distances.from_live(vaccine, day)

    def told(self, judged: Judged) -> Evaluated:
        """Say what became of a dose, and why."""
        if judged.pathway is None:
            return self._settled(judged)
        pathway, step = judged.pathway, judged.pathway[judged.index]
        number = number_in_group(pathway, judged.index)
        facts = self._about(judged.dose) | {
            "group": self._schedule.groups[step.group],
            "number": number,
        }
        if judged.earliest is not None:
            facts["earliest"] = judged.earliest.isoformat()
        if step.not_from is not None:
            facts["age"] = step.not_from.wording
        rule = self._schedule.rules[judged.check]
        return Evaluated(
            outcome=_OUTCOMES.get(judged.check, "valid"),
            series=self._series.code,
            group=step.group,
            number=number,
            finding=rule.finding(facts, number=f"{rule.number} {self._series.code}.{step.name}"),
            gap=self._schedule.gaps[step.gap] if step.gap else None,
        )

    def _settled(self, judged: Judged) -> Evaluated:
        facts = self._about(judged.dose) | {"series": self._series.name}
        outcome: Outcome = "superseded" if judged.check == "superseded" else "extraneous"
        finding = self._schedule.rules[outcome].finding(facts)
        return Evaluated(outcome, self._series.code, None, None, finding)

    def _about(self, dose: Dose) -> dict[str, Fact]:
        name = self._schedule.catalogue.vaccines[dose.vaccine].name
        return {"date": dose.date.isoformat(), "vaccine": name}


def _day(item: tuple[int, Dose]) -> date:
    return item[1].date
