"""A child's immunization as JSON, the same for HTTP, files and the command line."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from domain.errors import DomainError, UnknownVaccineGroup, shown
from domain.schedules.catalogue import Catalogue
from domain.schedules.dose_allocation import Dose
from domain.schedules.immunization import (
    Against,
    Evaluated,
    EvaluatedDose,
    Evaluation,
    Forecast,
    Question,
)
from domain.schedules.immunization_history import AskedBeforeBirth, UnknownCondition
from domain.schedules.json_document import Node
from domain.schedules.schedule import SHIPPED, Schedule

_REQUIRED = ("birth_date", "asked_on", "doses")
_OPTIONAL = ("sex", "schedule", "contraindications", "conditions", "immunoglobulins")
ANNOTATIONS = ("id", "expected", "why", "source_ref")
"""Members of a case that explain it to people."""


class NoScheduleInForce(DomainError):
    """No schedule that is known here was in force on that day; name one to be judged by it."""

    code = "no-schedule-in-force"
    zh = "该日期没有已收录的现行免疫程序，可指定程序评价。"


def schedule_of(node: Node) -> Schedule:
    """Return the schedule that a case names, else the one in force on the day asked about.

    Raises:
        NoScheduleInForce: When there is none; other `DomainError`s for a broken case.
    """
    found = node.entries()
    if "schedule" in found:
        return Schedule.load(found["schedule"].choice(SHIPPED))
    if "asked_on" in found:
        schedule = Schedule.in_force(found["asked_on"].day())
        if schedule is None:
            raise NoScheduleInForce().at(found["asked_on"].pointer)
        return schedule
    return Schedule.load(SHIPPED[-1])


def parse_question(node: Node, schedule: Schedule, *, annotated: bool = False) -> Question:
    """Read a case strictly.

    Args:
        node: ``{"birth_date", "asked_on", "doses": [{"vaccine", "date"}]}``, and if wanted
            ``sex``, ``schedule``, ``contraindications`` (each ``{"vaccine_group" or "vaccine",
            "kind": "permanent" | "temporary", "until"}``), ``conditions`` (codes) and
            ``immunoglobulins`` (days). A vaccine may be named by symbol, four-digit code or alias.
        schedule: The schedule that it will be judged by.
        annotated: Whether the members of `ANNOTATIONS` are allowed, as in files.

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    found = node.members(_REQUIRED, _OPTIONAL, ANNOTATIONS if annotated else ())
    birth_date, asked_on = found["birth_date"].day(), found["asked_on"].day()
    if asked_on < birth_date:
        raise AskedBeforeBirth().at(found["asked_on"].pointer)
    return Question(
        birth_date=birth_date,
        asked_on=asked_on,
        sex=found["sex"].choice(("female", "male")) if "sex" in found else None,
        doses=tuple(read_dose(item, schedule.catalogue) for item in found["doses"].items()),
        against=tuple(_against(item, schedule) for item in _items(found, "contraindications")),
        conditions=tuple(_condition(item, schedule) for item in _items(found, "conditions")),
        immunoglobulins=tuple(item.day() for item in _items(found, "immunoglobulins")),
    )


def read_dose(node: Node, catalogue: Catalogue) -> Dose:
    """Read ``{"vaccine", "date"}``; the vaccine by any of its names.

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    found = node.members(("vaccine", "date"))
    return Dose(_vaccine(found["vaccine"], catalogue), found["date"].day())


def answer(evaluation: Evaluation) -> dict[str, Any]:
    """Return the result as worked cases state it: outcomes by dose, and each series in short."""
    return {
        "schedule": evaluation.schedule_id,
        "doses": [
            {
                "vaccine": found.dose.vaccine,
                "date": found.dose.date.isoformat(),
                "outcomes": {result.series or "-": result.outcome for result in found.results},
            }
            for found in evaluation.doses
        ],
        "series": {code: _in_short(next_) for code, next_ in evaluation.forecasts.items()},
    }


def explanation(evaluation: Evaluation) -> dict[str, Any]:
    """Return what stands behind the answer: version, why for each dose and series, the gaps."""
    gaps = Counter(
        result.gap.code for found in evaluation.doses for result in found.results if result.gap
    )
    return {
        "schedule": {"id": evaluation.schedule_id, "version": evaluation.schedule_version},
        "doses": [_explained(found) for found in evaluation.doses],
        "series": {
            code: [finding.describe() for finding in found.findings]
            for code, found in evaluation.forecasts.items()
        },
        "gaps": [
            {
                "code": gap.code,
                "zh": gap.text.zh,
                "en": gap.text.en,
                "series": sorted(gap.series),
                "doses_touched": gaps[gap.code],
            }
            for gap in evaluation.gaps
        ],
    }


def next_due(schedule: Schedule, forecasts: Collection[Forecast]) -> dict[str, Any]:
    """Return the doses to come as records and certificates show them, the earliest first."""
    coming = [found for found in forecasts if found.group is not None]
    coming.sort(key=lambda found: (found.earliest is None, found.earliest))
    return {
        "schedule": {"id": schedule.edition.id, "version": schedule.edition.version},
        "doses": [_coming(schedule, found) for found in coming],
    }


def _coming(schedule: Schedule, found: Forecast) -> dict[str, Any]:
    assert found.group is not None
    assert found.vaccine is not None
    group, vaccine = schedule.groups[found.group], schedule.catalogue.vaccines[found.vaccine].name
    return {
        "series": found.series,
        "group_name": {"zh": group.zh, "en": group.en},
        "vaccine_name": {"zh": vaccine.zh, "en": vaccine.en},
        **_in_short(found),
        "findings": [finding.describe() for finding in found.findings],
    }


def _in_short(found: Forecast) -> dict[str, Any]:
    head: dict[str, Any] = {"status": found.status, "counted": found.counted}
    if found.group is None:
        return head
    return head | {
        "vaccine_group": found.group,
        "dose_number": found.number,
        "vaccine": found.vaccine,
        "earliest": found.earliest and found.earliest.isoformat(),
        "recommended": found.recommended and found.recommended.isoformat(),
        "overdue_from": found.overdue_from and found.overdue_from.isoformat(),
    }


def _explained(found: EvaluatedDose) -> dict[str, Any]:
    return {
        "vaccine": found.dose.vaccine,
        "date": found.dose.date.isoformat(),
        "results": [_result(result) for result in found.results],
    }


def _result(result: Evaluated) -> dict[str, Any]:
    return {
        "series": result.series,
        "outcome": result.outcome,
        "vaccine_group": result.group,
        "dose_number": result.number,
        "finding": result.finding.describe(),
        "gap": result.gap and result.gap.code,
    }


def _items(found: Mapping[str, Node], name: str) -> list[Node]:
    return found[name].items() if name in found else []


def _vaccine(node: Node, catalogue: Catalogue) -> str:
    try:
        return catalogue.vaccine(node.text()).code
    except DomainError as error:
        raise error.at(node.pointer) from None


def _against(node: Node, schedule: Schedule) -> Against:
    """Read a contraindication, against a group or else against a vaccine."""
    target = "vaccine" if "vaccine" in node.entries() else "vaccine_group"
    kind = node.members((target, "kind"), ("until",))["kind"].choice(("permanent", "temporary"))
    found = node.members((target, "kind"), ("until",) if kind == "temporary" else ())
    until = found["until"].day() if "until" in found else None
    if target == "vaccine":
        return Against(_vaccine(found[target], schedule.catalogue), kind == "permanent", until)
    group = found[target].text()
    if group not in schedule.groups:
        raise UnknownVaccineGroup(vaccine_group=shown(group), allowed=list(schedule.groups)).at(
            found[target].pointer
        )
    return Against(group, kind == "permanent", until)


def _condition(node: Node, schedule: Schedule) -> str:
    code = node.text()
    if code not in schedule.conditions:
        raise UnknownCondition(condition=shown(code), allowed=sorted(schedule.conditions)).at(
            node.pointer
        )
    return code
