"""A simulated province as the files that clinics and schools would bring.

Clinics bring what `vaxledger import` takes, a dose a row, and afterwards the rows that they found
to be wrong; schools bring the class lists that `vaxledger class-list` takes.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from domain.schedules.schedule import Schedule
from simulation.child import Child
from simulation.life import Event, Given, Happening, given, is_mistaken, life, mistaken
from simulation.province import Province
from simulation.years import years

CLASS_LIST_HEADINGS = "序号,班级,姓名,性别,出生日期,身份证号,入学日期"
_SEXES = {"male": "男", "female": "女"}
_CLASSES = 3
_encoded = json.JSONEncoder(ensure_ascii=False).encode


def about(province: Province, schedule: Schedule) -> str:
    """Return what `province.json` says: whence the files come, and who is in them."""
    return (
        json.dumps(
            {
                "seed": province.seed,
                "children": province.children,
                "years": province.years,
                "first_day": province.first_day.isoformat(),
                "schedule": schedule.edition.id,
                "counties": [province.county(number) for number in range(province.counties)],
                "clinics": {
                    province.township(number): province.clinic_name(number)
                    for number in range(province.clinics)
                },
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


def lines(province: Province, schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Yield lines county by county, in order of days there, each with the file it belongs to.

    Files are `histories/<township>.ndjson`, `mistakes/<township>.ndjson` with the rows that differ
    from what was brought at first, and `classes/<township>-<school>-<year>.csv` without headings.
    No file is of two counties, so memory holds one county's children, however large the province.
    """
    for county in range(province.counties):
        yield from _county_lines(province, years(province, schedule, county))


def _county_lines(
    province: Province, happenings: Iterator[tuple[Child, Event]]
) -> Iterator[tuple[str, str]]:
    pupils: dict[str, int] = {}
    doses: dict[int, Event] = {}
    for child, event in happenings:
        place = province.township(event.clinic)
        match event.kind:
            case Happening.DOSE:
                is_wrong = is_mistaken(province, child, event.dose)
                if is_wrong:
                    doses[_key(child, event)] = event
                yield (
                    f"histories/{place}.ndjson",
                    _brought(province, child, event, is_wrong=is_wrong),
                )
            case Happening.CORRECTED:
                dose = doses.pop(_key(child, event))
                path = f"mistakes/{province.township(dose.clinic)}.ndjson"
                yield path, _brought(province, child, dose, is_wrong=False)
            case Happening.ENROLLED:
                path = f"classes/{place}-{event.what}-{event.day.year}.csv"
                pupils[path] = pupils.get(path, 0) + 1
                yield path, _pupil(child, event.day, pupils[path])


def history(province: Province, schedule: Schedule, child: Child) -> Iterator[str]:
    """Yield the lines of one child's history, as they were brought at first."""
    for event in life(province, schedule, child):
        if event.kind is Happening.DOSE:
            is_wrong = is_mistaken(province, child, event.dose)
            yield _brought(province, child, event, is_wrong=is_wrong)


def _brought(province: Province, child: Child, dose: Event, *, is_wrong: bool) -> str:
    what = given(child, dose)
    return _line(_row(province, child, dose, what, mistaken(what.lot) if is_wrong else what.lot))


def _key(child: Child, event: Event) -> int:
    """A dose among all doses of a province; a child has fewer than a hundred."""
    return child.number * 100 + event.dose


def _line(row: dict[str, Any]) -> str:
    return _encoded(row) + "\n"


def _row(province: Province, child: Child, dose: Event, what: Given, lot: str) -> dict[str, Any]:
    return {
        "row": f"{child.number}-{dose.dose}",
        "person": str(child.number),
        "name": child.name,
        "sex": _SEXES[child.sex],
        "birth_date": child.birth_date.isoformat(),
        "id_number": child.id_number,
        "residence_division": province.township(child.clinic)[:6],
        "guardian_name": child.mother_name,
        "guardian_relation": "母亲",
        "guardian_id_number": child.mother_id_number,
        "guardian_phone": child.phone,
        "vaccine": what.product.national_code or what.product.vaccine,
        "occurred_on": dose.day.isoformat(),
        "product": what.product.name,
        "maker": what.product.maker,
        "lot": lot,
        "expires_on": what.expires_on.isoformat(),
        "site": what.site,
        "route": what.product.route,
        "quantity": what.product.quantity,
        "unit": province.clinic_name(dose.clinic),
    }


def _pupil(child: Child, joined_on: date, number: int) -> str:
    """A line of a class list; names and numbers hold nothing that CSV would have to quote."""
    cells = (
        str(number),
        f"{number % _CLASSES + 1}班",
        child.name,
        _SEXES[child.sex],
        child.birth_date.isoformat(),
        child.id_number,
        joined_on.isoformat(),
    )
    return ",".join(cells) + "\n"
