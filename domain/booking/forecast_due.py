"""The dose due of a childhood programme, as a booking sees it: by the schedule's forecast."""

from datetime import timedelta

from domain.booking.course import Due, Window
from domain.errors import DomainError
from domain.schedules.immunization import Question
from domain.schedules.immunization_history import forecast_history
from domain.schedules.schedule import Schedule

MOST_DOSES = 20
"""A forecast tells of the next dose only, not how many follow."""


class NothingDue(DomainError):
    """By the immunization schedule no dose of this vaccine is to come."""

    code = "nothing-due"
    zh = "按免疫程序，该疫苗目前没有待接种的剂次。"


def forecast_due(schedule: Schedule, question: Question, vaccine: str) -> Due:
    """Return the dose of a vaccine that comes next by a schedule.

    Wished for until the last day before it is overdue; late is a warning, as in other courses.

    Args:
        schedule: The schedule in force.
        question: The child, its doses and contraindications.
        vaccine: Code in the catalogue of the schedule.

    Raises:
        NothingDue: The series is complete, contraindicated or no longer given at this age.
    """
    forecasts = forecast_history(schedule, question).values()
    for found in forecasts:
        if found.vaccine == vaccine and found.number is not None and found.earliest is not None:
            overdue = found.overdue_from
            recommended_by = None if overdue is None else overdue - timedelta(days=1)
            return Due(
                product=schedule.catalogue.vaccine(vaccine).name,
                number=found.number,
                of=MOST_DOSES,
                window=Window(found.earliest, recommended_by),
                rule=found.series,
            )
    raise NothingDue(vaccine=vaccine)
