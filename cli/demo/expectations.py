"""What must have come out, from how the data set was made; the rules of the product play no part.

`expected.json` was written by the generator, which knows what it left out of each history. Here
it meets the log as a subscriber received it, and annex 4 as the county reads it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cli.demo.stage import Mismatch
from cli.demo.tally import Tally
from examples.kaifeng.dataset import Dataset

_MADE_BY_THE_INSTALLATION = {"operator": 1, "platform": 1}
_UNITS, _PAIRS = 9, 2


def compare(dataset: Dataset, tally: Tally, roll_ups: Mapping[str, Mapping[str, Any]]) -> int:
    """Compare everything, and return how many facts agree.

    Args:
        dataset: What happened.
        tally: What the log says.
        roll_ups: Annex 4 of the county by entry type.

    Raises:
        Mismatch: Naming each fact that differs.
    """
    compared = 0
    differing = []
    for name, expected, actual in (
        *_counts(dataset.expected, tally),
        *_verdicts(dataset.expected, tally),
        *_sums(dataset, tally, roll_ups),
    ):
        compared += 1
        if expected != actual:
            differing.append(f"{name}: expected {expected}, found {actual}")
    if differing:
        raise Mismatch("; ".join(differing))
    return compared


def _counts(expected: Mapping[str, Any], tally: Tally) -> Iterator[tuple[str, Any, Any]]:
    topics, counted = tally.topics, tally.counted
    before, after = expected["doses"], expected["makeups"]
    children, corrections = expected["children"], expected["corrections"]
    for topic, number in _added(before["by_topic"], after["by_topic"]).items():
        yield topic, number, topics[topic]
    tables = {
        "organisations": expected["organisations"] | _MADE_BY_THE_INSTALLATION,
        "vaccines": _added(before["by_vaccine"], after["by_vaccine"]),
        "source_systems": _added(before["by_source_system"], after["by_source_system"]),
        "contraindications": expected["contraindications"],
        "correction_kinds": corrections["by_kind"],
        "correction_urgencies": corrections["by_urgency"],
        "entry_types": children["by_entry_type"],
        "classes": children["by_class"],
        "ages": children["by_age"],
    }
    for name, table in tables.items():
        yield name, table, dict(counted[name])
    for outcome, number in corrections["by_outcome"].items():
        yield f"corrections {outcome}", number, topics[f"correction.{outcome}.v1"]
    certificates = expected["certificates"]
    singles = {
        "vaccination-record.registered.v1": children["all"],
        "enrolment.checked.v1": children["all"],
        "check-statement.issued.v1": children["all"],
        "enrolment.certificate-reissued.v1": children["reissued"],
        "enrolment.rechecked.v1": children["rechecked"],
        "correction.requested.v1": corrections["all"],
        "certificate.claimed.v1": certificates["claims"],
        "certificate.granted.v1": certificates["grants"]["granted"],
    }
    for topic, number in singles.items():
        yield topic, number, topics[topic]
    yield "without certificate", children["without_certificate"], counted["certificates"]["without"]


def _verdicts(expected: Mapping[str, Any], tally: Tally) -> Iterator[tuple[str, Any, Any]]:
    """Yield child for child what the school's check and the clinic's statement found."""
    for name, wanted, found in (
        ("missing", expected["missing"], tally.missing),
        ("missing by statement", expected["missing"], tally.stated),
        ("exempt", expected["exempt"], tally.exempt),
    ):
        for record in sorted(wanted.keys() | found.keys()):
            yield f"{name} {record}", wanted.get(record), found.get(record)


def _sums(
    dataset: Dataset, tally: Tally, roll_ups: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the total row of annex 4: children, certificates, and doses due by vaccine group."""
    gaps: Mapping[str, Mapping[str, int]] = dataset.expected["missing"]
    made_up: Counter[str] = Counter()
    for entry_type, roll_up in roll_ups.items():
        children = [c for c in dataset.children if c.enrolment.entry_type == entry_type]
        total, columns = roll_up["total"], roll_up["columns"]
        wanted = {
            "入托入学人数": len(children),
            "查验人数": len(children),
            "持接种证人数": sum(child.check.has_certificate for child in children),
            "补接种证人数": sum(child.check.reissued_on is not None for child in children),
        }
        for column, number in wanted.items():
            yield f"annex 4 {entry_type} {column}", number, total[columns.index(column)]
        due = sum(sum(gaps.get(str(child.record), {}).values()) for child in children)
        yield f"annex 4 {entry_type} 应补种剂次", due, sum(total[_UNITS::_PAIRS])
        made_up["doses"] += sum(total[_UNITS + 1 :: _PAIRS])
    yield "annex 4 补种剂次数", sum(tally.counted["made_up"].values()), made_up["doses"]


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))
