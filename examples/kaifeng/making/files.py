"""Everything made in its order, and the text of each file."""

import json
from collections.abc import Iterable

from examples.kaifeng.making.archives import archive
from examples.kaifeng.making.claims import claims_and_grants
from examples.kaifeng.making.cohort import cohort
from examples.kaifeng.making.contraindications import contraindication
from examples.kaifeng.making.corrections import make_corrections
from examples.kaifeng.making.dose_lines import write_doses
from examples.kaifeng.making.expected import Made, expected
from examples.kaifeng.making.lines import Json
from examples.kaifeng.making.makeups import makeups, recheck_day
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.organisations import DIVISIONS, organisations


def make() -> Made:
    """Make everything; nothing is read but the code."""
    numbers = Numbers()
    children = cohort(numbers)
    made_up = {child.index: makeups(child) for child in children}
    archives = [
        archive(child, numbers, recheck_day(child, made_up[child.index])) for child in children
    ]
    doses = [
        written
        for child in children
        for written in write_doses(child, list(child.doses), numbers, series="dose")
    ]
    later = [
        written
        for child in children
        for written in write_doses(child, made_up[child.index], numbers, series="makeup")
    ]
    corrections = make_corrections(doses, numbers)
    return Made(
        divisions=DIVISIONS,
        organisations=organisations(),
        children=children,
        archives=archives,
        doses=sorted(doses, key=lambda written: written.order),
        makeups=sorted(later, key=lambda written: written.order),
        contraindications=[line for child in children if (line := contraindication(child))],
        corrections=corrections,
        claims=claims_and_grants(children, numbers),
    )


def files(made: Made) -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "divisions.json": _document(made.divisions),
        "organisations.json": _document(made.organisations),
        "children.ndjson": _lines(made.archives),
        "doses.ndjson": _lines(written.line for written in made.doses),
        "makeups.ndjson": _lines(written.line for written in made.makeups),
        "contraindications.ndjson": _lines(made.contraindications),
        "corrections.json": _document(made.corrections),
        "claims.json": _document(made.claims),
        "expected.json": _document(expected(made)),
    }


def _document(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _lines(values: Iterable[Json]) -> str:
    return "".join(
        json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n" for value in values
    )
