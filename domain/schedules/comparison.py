"""What two editions say of the same child: where their verdicts differ.

A verdict is what someone acts on: for a schedule each dose's outcome and each series' state, with
the dose that is due; for entry requirements what is missing of each group. Days that merely move
are no change of verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.immunization import Forecast
from domain.schedules.immunization_case import parse_question
from domain.schedules.immunization_history import evaluate_history
from domain.schedules.json_document import Node
from domain.schedules.schedule import Schedule
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import parse_case
from domain.schedules.verdict import Gap

NOT_YET = "not-yet-due"
"""Stands for a series that asks for nothing now: its next dose is to come, or it has no such."""
NOTHING = "nothing-missing"
"""Stands for a group of which nothing is missing."""

Edition = Schedule | EntryRequirements


@dataclass(frozen=True, slots=True)
class Difference:
    """What two editions say differently.

    Attributes:
        about: A series, a vaccine group, or a dose in a series such as ``DTaP of 2024-05-10``.
        before: What the first edition says.
        after: What the second one says.
    """

    about: str
    before: str
    after: str

    @property
    def reason(self) -> str:
        """The difference without the day of a dose, for counting."""
        return f"{self.about.partition(' of ')[0]}: {self.before} -> {self.after}"


def differences(before: Edition, after: Edition, child: Node) -> list[Difference]:
    """Return where two editions differ about a child, by name.

    Args:
        before: The first edition.
        after: The second, of the same kind.
        child: A case of that kind as in files, with its ``id``; a schedule that it names is not
            looked at.

    Raises:
        DomainError: The first fault of the case, with its JSON pointer.
    """
    one, other = _verdict(before, child), _verdict(after, child)
    usual = NOT_YET if isinstance(before, Schedule) else NOTHING
    return [
        Difference(about, one.get(about, usual), other.get(about, usual))
        for about in sorted(one.keys() | other.keys())
        if one.get(about, usual) != other.get(about, usual)
    ]


def _verdict(edition: Edition, child: Node) -> Mapping[str, str]:
    if isinstance(edition, Schedule):
        return _of_schedule(edition, child)
    case = parse_case(child.value, edition, pointer=child.pointer, annotated=True)
    verdict = evaluate(edition, case)
    return {
        gap.vaccine_group: f"{state} {_numbers(gap)}"
        for state, gaps in (("missing", verdict.missing), ("exempt", verdict.exempt))
        for gap in gaps
    }


def _of_schedule(schedule: Schedule, child: Node) -> Mapping[str, str]:
    question = parse_question(child, schedule, annotated=True)
    evaluation = evaluate_history(schedule, question)
    said = {code: _state(forecast) for code, forecast in evaluation.forecasts.items()}
    for found in evaluation.doses:
        for result in found.results:
            if result.series is not None:
                said[f"{found.dose.vaccine} in {result.series} of {found.dose.date}"] = (
                    result.outcome
                )
    return said


def _state(forecast: Forecast) -> str:
    if forecast.status == "upcoming":
        return NOT_YET
    if forecast.group is None:
        return forecast.status
    return f"{forecast.status} {forecast.group} {forecast.number}"


def _numbers(gap: Gap) -> str:
    return ",".join(map(str, gap.dose_numbers))
