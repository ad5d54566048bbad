"""Facts that follow from how the data set was made, for the demo to check at its end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from examples.kaifeng.making.child import Cohort
from examples.kaifeng.making.dose_lines import Written
from examples.kaifeng.making.lines import Json
from examples.kaifeng.making.makeups import exempt, gaps


@dataclass(frozen=True)
class Made:
    """All that was made, before it is written to files."""

    divisions: list[Json]
    organisations: list[Json]
    children: Cohort
    archives: list[Json]
    doses: list[Written]
    makeups: list[Written]
    contraindications: list[Json]
    corrections: list[Json]
    claims: Json


def expected(made: Made) -> Json:
    """Return counts, and by record the doses that lack before corrections and make-ups."""
    return {
        "organisations": _counts(_member(line, "data", "kind") for line in made.organisations),
        "children": {
            "all": len(made.children),
            "by_age": _counts(child.age for child in made.children),
            "by_entry_type": _counts(child.institution.institution_type for child in made.children),
            "by_class": _counts(f"{c.institution.name} {c.class_name}" for c in made.children),
            "by_traits": _counts(trait for child in made.children for trait in child.traits),
            "without_certificate": sum(
                not _member(a, "check", "has_certificate") for a in made.archives
            ),
            "reissued": sum(_member(a, "check", "reissued_on") is not None for a in made.archives),
            "rechecked": sum(
                _member(a, "check", "rechecked_on") is not None for a in made.archives
            ),
            "persons": len({person for a in made.archives for person in _private(a)}),
        },
        "doses": _dose_counts(made.doses),
        "makeups": _dose_counts(made.makeups),
        "contraindications": _counts(
            "lasting" if _member(line, "data", "lasting") else "passing"
            for line in made.contraindications
        ),
        "corrections": {
            "all": len(made.corrections),
            "by_outcome": _counts(_member(line, "outcome", "state") for line in made.corrections),
            "by_kind": _counts(_member(line, "data", "kind") for line in made.corrections),
            "by_urgency": _counts(_member(line, "data", "urgency") for line in made.corrections),
            "completes": [str(c.record) for c in made.children if c.shape == "wrong-product"],
        },
        "certificates": {
            "claims": len(_list(made.claims, "claims")),
            "grants": _counts(line["expected"] for line in _list(made.claims, "grants")),
        },
        "missing": {str(child.record): gaps(child) for child in made.children if gaps(child)},
        "exempt": {str(child.record): exempt(child) for child in made.children if exempt(child)},
    }


def _dose_counts(doses: list[Written]) -> Json:
    return {
        "all": len(doses),
        "by_topic": _counts(dose.topic for dose in doses),
        "by_vaccine": _counts(dose.data["vaccine"] for dose in doses),
        "by_source_system": _counts(dose.data["source_system"] for dose in doses),
    }


def _counts(values: Iterable[object]) -> Json:
    return {str(value): count for value, count in sorted(Counter(map(str, values)).items())}


def _member(line: Json, part: str, name: str) -> object:
    inner = line[part]
    assert isinstance(inner, dict)
    return inner.get(name)


def _private(archive: Json) -> list[str]:
    private = _member(archive, "registration", "private")
    assert isinstance(private, dict)
    return list(private)


def _list(line: Json, name: str) -> list[Json]:
    inner = line[name]
    assert isinstance(inner, list)
    return inner
