"""Counting what the log says, entry by entry, to compare it with how the data set was made."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ledger.entry import Entry

Groups = dict[str, int]
"""Doses by vaccine group."""

_ADMINISTERED = "vaccination-record.dose-administered.v1"
_TRANSCRIBED = "vaccination-record.dose-transcribed.v1"


class Tally:
    """Counts over entries.

    Attributes:
        topics: Entries by topic.
        counted: By what is counted ("organisations", "vaccines", ...) and value.
        missing: By record, what the school's check found missing.
        exempt: By record, what it found contraindicated.
        stated: By record, what the clinic's statement found missing.
    """

    def __init__(self) -> None:
        self.topics: Counter[str] = Counter()
        self.counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.missing: dict[str, Groups] = {}
        self.exempt: dict[str, Groups] = {}
        self.stated: dict[str, Groups] = {}
        self._schools: dict[str, str] = {}
        self._records: dict[str, str] = {}
        self._counts: Mapping[str, Callable[[str, Mapping[str, Any]], None]] = {
            "organisation.registered.v1": self._organisation,
            _ADMINISTERED: self._dose,
            _TRANSCRIBED: self._dose,
            "vaccination-record.contraindication-recorded.v1": self._contraindication,
            "correction.requested.v1": self._correction,
            "enrolment.enrolled.v1": self._enrolment,
            "enrolment.checked.v1": self._check,
            "check-statement.issued.v1": self._statement,
            "enrolment.rechecked.v1": self._recheck,
        }

    def take(self, entry: Entry) -> None:
        """Count one entry."""
        self.topics[entry.topic] += 1
        count = self._counts.get(entry.topic)
        if count is not None:
            count(str(entry.stream), entry.data)

    def _organisation(self, stream: str, data: Mapping[str, Any]) -> None:
        self.counted["organisations"][data["kind"]] += 1
        self._schools[stream] = data["name"]

    def _dose(self, _stream: str, data: Mapping[str, Any]) -> None:
        self.counted["vaccines"][data["vaccine"]] += 1
        self.counted["source_systems"][data["source_system"]] += 1

    def _contraindication(self, _stream: str, data: Mapping[str, Any]) -> None:
        self.counted["contraindications"]["lasting" if data["lasting"] else "passing"] += 1

    def _correction(self, _stream: str, data: Mapping[str, Any]) -> None:
        self.counted["correction_kinds"][data["kind"]] += 1
        self.counted["correction_urgencies"][data["urgency"]] += 1

    def _enrolment(self, stream: str, data: Mapping[str, Any]) -> None:
        self._records[stream] = data["record"]
        self.counted["entry_types"][data["entry_type"]] += 1
        school = self._schools.get(data["institution"], "")
        self.counted["classes"][f"{school} {data['class_name']}"] += 1

    def _check(self, stream: str, data: Mapping[str, Any]) -> None:
        found, record = data["derived"], self._records[stream]
        self.counted["ages"][str(found["age_years"])] += 1
        self.counted["certificates"]["with" if data["has_certificate"] else "without"] += 1
        _keep(self.missing, record, found["missing"])
        _keep(self.exempt, record, found["exempt"])

    def _statement(self, _stream: str, data: Mapping[str, Any]) -> None:
        _keep(self.stated, data["record"], data["derived"]["missing"])

    def _recheck(self, _stream: str, data: Mapping[str, Any]) -> None:
        for dose in data["derived"]["made_up"]:
            self.counted["made_up"][dose["vaccine_group"]] += 1


def _keep(kept: dict[str, Groups], record: str, groups: Sequence[Mapping[str, Any]]) -> None:
    """Keep how many doses of each group; a child that lacks none is not kept."""
    found = {group["vaccine_group"]: len(group["dose_numbers"]) for group in groups}
    if found:
        kept[record] = found
