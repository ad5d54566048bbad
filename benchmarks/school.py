"""One class of the Kaifeng data set in a log: children, doses, enrolments, checks, certificates."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from benchmarks.author import Author, operator_of
from bootstrap.wiring import Parts
from client.signing import Draft
from commands.principal import Principal, Role, VerifiedIdentity
from domain.errors import DomainError
from examples.kaifeng.dataset import Dataset
from examples.kaifeng.rows import Child, DoseLine

_Class = tuple[UUID, str, int]


@dataclass(frozen=True)
class SchoolClass:
    """A class as it stands in the log.

    Attributes:
        institution: The school.
        name: Of the class.
        school_year: Its first calendar year.
        records: The children's records.
        certificates: Those that guardians have claimed.
        county: Who may read all of it.
    """

    institution: UUID
    name: str
    school_year: int
    records: tuple[UUID, ...]
    certificates: tuple[UUID, ...]
    county: Principal


class Enrolling:
    """Writes one class of the data set through the desk.

    Args:
        parts: Of the log.
        dataset: What happened.
    """

    def __init__(self, parts: Parts, dataset: Dataset) -> None:
        self._parts = parts
        self._dataset = dataset
        self._authors: dict[UUID, Author] = {}
        self._versions: dict[UUID, int] = defaultdict(int)

    def write(self) -> SchoolClass:
        """Write the largest class; return what can be read of it."""
        self._admit_all()
        counted = Counter(map(_class_of, self._dataset.children))
        (largest, _), *_ = counted.most_common()
        children = [child for child in self._dataset.children if _class_of(child) == largest]
        doses = defaultdict(list)
        for dose in self._dataset.doses:
            doses[dose.record].append(dose)
        for child in children:
            self._write_history(child, doses[child.record])
            self._check(child)
        institution, name, school_year = largest
        county = next(one for one in self._dataset.organisations if one.kind == "county-cdc")
        return SchoolClass(
            institution,
            name,
            school_year,
            tuple(child.record for child in children),
            tuple(found for child in children if (found := self._claim(child))),
            self._authors[county.id].principal,
        )

    def _admit_all(self) -> None:
        county, *others = self._dataset.organisations
        self._authors[county.id] = operator_of(self._parts).admit(county.id, county.data)
        for one in others:
            self._authors[one.id] = self._authors[county.id].admit(one.id, one.data)

    def _write_history(self, child: Child, doses: list[DoseLine]) -> None:
        registered = "vaccination-record.registered.v1"
        self._submit(child.clinic, registered, child.record, child.data, child.private)
        for dose in doses:
            self._submit(dose.clinic, dose.topic, dose.record, dose.data, dose.private)

    def _check(self, child: Child) -> None:
        enrolment, school = child.enrolment, child.enrolment.institution
        found = {
            "checked_on": child.check.checked_on.isoformat(),
            "has_certificate": child.check.has_certificate,
        }
        statement = {
            "record": str(child.record),
            "division": child.division,
            "clinic": str(child.clinic),
            "entry_type": enrolment.entry_type,
            "paper_agrees": True,
            **found,
        }
        self._submit(child.clinic, "check-statement.issued.v1", child.check.statement, statement)
        self._submit(school, "enrolment.enrolled.v1", enrolment.id, enrolment.data)
        self._submit(school, "enrolment.checked.v1", enrolment.id, found)

    def _claim(self, child: Child) -> UUID | None:
        """Let the first guardian claim the certificate; None where the rules refuse it."""
        guardian = child.private[child.data["guardians"][0]["person"]]
        if "id_number" not in guardian:
            return None
        identity = VerifiedIdentity(
            guardian["name"], guardian["id_number"], None, face_verified=True
        )
        caller = Principal("citizen", Role.GUARDIAN, None, "", identity)
        request = {"record": str(child.record), "has_consented": True}
        try:
            return self._parts.desk.certificates.claim(caller, uuid4(), request).stream
        except DomainError:
            return None

    def _submit(
        self,
        author: UUID,
        topic: str,
        stream: UUID,
        data: Mapping[str, Any],
        private: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        persons = {UUID(who): values for who, values in (private or {}).items()}
        draft = Draft(topic, stream, self._versions[stream], data, persons)
        self._versions[stream] += 1
        self._authors[author].submit(draft)


def _class_of(child: Child) -> _Class:
    enrolment = child.enrolment
    return enrolment.institution, enrolment.class_name, int(enrolment.data["school_year"])
