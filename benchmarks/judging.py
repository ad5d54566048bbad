"""The rules: a whole childhood evaluated, forecast and checked, one call at a time."""

from datetime import date

from benchmarks.contest import Contestant
from benchmarks.measuring import Step, alone
from domain.schedules.dose_allocation import Dose
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.immunization import Question
from domain.schedules.immunization_history import evaluate_history
from domain.schedules.schedule import SHIPPED, Schedule
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import Case

_BIRTH, _ASKED_ON = date(2018, 3, 12), date(2024, 9, 2)
_CHILDHOOD = {
    "BCG": ("2018-03-12",),
    "HepB": ("2018-03-12", "2018-04-12", "2018-09-12"),
    "IPV": ("2018-05-12",),
    "OPV": ("2018-06-12", "2018-07-12", "2022-03-12"),
    "DTaP": ("2018-06-12", "2018-07-12", "2018-08-12", "2019-09-12"),
    "DT": ("2024-03-12",),
    "MR": ("2018-11-12",),
    "MMR": ("2019-09-12",),
    "MPSV-A": ("2018-09-12", "2018-12-12"),
    "MPSV-AC": ("2021-03-12", "2024-03-12"),
    "JE-L": ("2018-11-12", "2020-03-12"),
    "HepA-L": ("2019-09-12",),
}


def contestants() -> list[Contestant]:
    """The schedule in both editions, and the school-entry check, of one child with 22 doses."""
    doses = tuple(
        Dose(vaccine, date.fromisoformat(day))
        for vaccine, days in _CHILDHOOD.items()
        for day in days
    )
    question = Question(_BIRTH, _ASKED_ON, "female", doses)
    case = Case(_BIRTH, _ASKED_ON, "primary", has_certificate=True, doses=doses)
    requirements = EntryRequirements.load()

    def check() -> int:
        evaluate(requirements, case)
        return 1

    return [
        *(_schedule(name, question) for name in SHIPPED),
        _contestant("school-entry verdict", len(doses), check),
    ]


def _schedule(name: str, question: Question) -> Contestant:
    schedule = Schedule.load(name)

    def step() -> int:
        evaluate_history(schedule, question)
        return 1

    return _contestant(f"evaluate and forecast by {name}", len(question.doses), step)


def _contestant(name: str, doses: int, step: Step) -> Contestant:
    return Contestant(
        name,
        "children/s",
        lambda seconds: alone(step, seconds),
        note=f"{doses} doses, with every sentence, 1 core",
        has_latency=True,
    )
