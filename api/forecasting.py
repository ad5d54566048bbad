"""The doses to come, beside a record or certificate: a pure call at the moment of reading."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from commands.services import Rules
from domain.roll import Roll
from domain.schedules.dose_allocation import Dose
from domain.schedules.immunization import Against, Question
from domain.schedules.immunization_case import next_due
from domain.schedules.immunization_history import forecast_history
from domain.schedules.json_document import LAST_DAY
from projections.doses import ContraindicationRow, DoseRow
from projections.records import RecordRow


def coming_doses(
    rules: Rules,
    record: RecordRow,
    person: Mapping[str, Any],
    doses: Sequence[DoseRow],
    contraindications: Sequence[ContraindicationRow],
    day: date,
) -> Mapping[str, Any] | None:
    """What is due next on a day, by the immunization schedule in force on it.

    Args:
        rules: The rules in force.
        record: Whose doses they are.
        person: The recipient on the day; nothing is forecast for who is erased.
        doses: As effective on the day.
        contraindications: Those that hold on the day.
        day: The day.

    Returns:
        The schedule and its doses to come, the earliest first; None for the deceased, and where
        no birth date or no schedule is known.
    """
    schedule, birth_date = rules.schedule_on(day), person.get("birth_date")
    if schedule is None or birth_date is None or day < birth_date or record.roll == Roll.DECEASED:
        return None
    known = schedule.groups.keys() | schedule.catalogue.vaccines.keys()
    question = Question(
        birth_date=birth_date,
        asked_on=day,
        sex=person.get("sex"),
        doses=tuple(
            Dose(row.vaccine, row.occurred_on) for row in doses if row.vaccine in schedule.catalogue
        ),
        against=tuple(
            Against(group, row.lasting, row.valid_to and min(row.valid_to, LAST_DAY))
            for row in contraindications
            for group in row.vaccine_groups
            if group in known
        ),
    )
    return next_due(schedule, forecast_history(schedule, question).values())
