"""The data set as writes: who signs what, in which order.

A lane is what must be done in order, because each write names the version that the one before it
made. Lanes are independent of each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from cli.demo.actors import Author
from client.signing import Draft
from examples.kaifeng.dataset import Dataset
from examples.kaifeng.rows import Child, Correction, Organisation, RecordLine

_PATHS: Mapping[str, str] = {
    "organisation.registered.v1": "/v1/organisations",
    "vaccination-record.registered.v1": "/v1/records",
    "vaccination-record.dose-administered.v1": "/v1/records/{}/doses",
    "vaccination-record.dose-transcribed.v1": "/v1/records/{}/doses",
    "vaccination-record.contraindication-recorded.v1": "/v1/records/{}/contraindications",
    "vaccination-record.roll-changed.v1": "/v1/records/{}/roll",
    "correction.requested.v1": "/v1/corrections",
    "correction.verified.v1": "/v1/corrections/{}/verification",
    "correction.applied.v1": "/v1/corrections/{}/application",
    "correction.rejected.v1": "/v1/corrections/{}/rejection",
    "correction.withdrawn.v1": "/v1/corrections/{}/withdrawal",
    "enrolment.enrolled.v1": "/v1/enrolments",
    "enrolment.checked.v1": "/v1/enrolments/{}/checks",
    "enrolment.certificate-reissued.v1": "/v1/enrolments/{}/reissues",
    "enrolment.rechecked.v1": "/v1/enrolments/{}/rechecks",
    "check-statement.issued.v1": "/v1/check-statements",
}


@dataclass(frozen=True, slots=True)
class Write:
    """One signed write to come.

    Attributes:
        author: Who signs.
        draft: What.
    """

    author: Author
    draft: Draft

    @property
    def path(self) -> str:
        """The address that takes it."""
        return _PATHS[self.draft.topic].format(self.draft.stream)


Lane = Sequence[Write]


class Desk:
    """Draws up writes, and knows at which version each stream will stand.

    Args:
        dataset: What happened.
        authors: Who wrote it, by organisation.
    """

    def __init__(self, dataset: Dataset, authors: Mapping[UUID, Author]) -> None:
        self._dataset = dataset
        self._authors = authors
        self._versions: dict[UUID, int] = defaultdict(int)

    def admission(self, registrar: Author, organisation: Organisation) -> Write:
        """Return the registration of an organisation and its key by the one above."""
        key = self._authors[organisation.id].key
        origin = registrar.client.caller.trust.origin
        data = {
            **organisation.data,
            "public_key": key.public.hex(),
            "key_proof": key.proof_of_possession(origin),
        }
        return self._write(registrar, "organisation.registered.v1", organisation.id, data)

    def registrations(self) -> list[Lane]:
        """Return the registration of each child."""
        return [
            [
                self._write(
                    self._authors[child.clinic],
                    "vaccination-record.registered.v1",
                    child.record,
                    child.data,
                    child.private,
                )
            ]
            for child in self._dataset.children
        ]

    def histories(self, until: date) -> tuple[list[Lane], list[Lane]]:
        """Return for each child what was written into the record before a day, and since.

        Args:
            until: The day.
        """
        lines: dict[UUID, list[tuple[str, RecordLine]]] = defaultdict(list)
        for dose in self._dataset.doses:
            lines[dose.record].append((dose.data["occurred_on"], dose))
        for found in self._dataset.contraindications:
            lines[found.record].append((found.data["valid_from"], found))
        before: list[Lane] = []
        since: list[Lane] = []
        for child in self._dataset.children:
            in_order = sorted(lines[child.record], key=lambda line: line[0])
            writes = [(day, self._line(line)) for day, line in in_order]
            before.append([write for day, write in writes if day < until.isoformat()])
            since.append([write for day, write in writes if day >= until.isoformat()])
        return before, since

    def corrections(self) -> list[Lane]:
        """Return the steps of each correction, those of one record after one another."""
        lanes: dict[UUID, list[Write]] = defaultdict(list)
        for correction in self._dataset.corrections:
            lanes[correction.record] += self._correction(correction)
        return list(lanes.values())

    def checks(self) -> list[Lane]:
        """Return for each child the clinic's statement, the enrolment and the school's check."""
        return [self._check(child) for child in self._dataset.children]

    def follow_ups(self) -> list[Lane]:
        """Return for each child concerned the reissue, the doses made up and the re-check."""
        made_up = defaultdict(list)
        for dose in self._dataset.makeups:
            made_up[dose.record].append(dose)
        lanes: list[Lane] = []
        for child in self._dataset.children:
            lane = [self._line(dose) for dose in made_up[child.record]]
            if child.check.reissued_on is not None:
                data = {"reissued_on": child.check.reissued_on.isoformat()}
                lane.append(self._of_school(child, "enrolment.certificate-reissued.v1", data))
            if child.check.rechecked_on is not None:
                data = {"rechecked_on": child.check.rechecked_on.isoformat()}
                lane.append(self._of_school(child, "enrolment.rechecked.v1", data))
            if lane:
                lanes.append(lane)
        return lanes

    def _check(self, child: Child) -> Lane:
        clinic, school = self._authors[child.clinic], self._authors[child.enrolment.institution]
        found = {
            "checked_on": child.check.checked_on.isoformat(),
            "has_certificate": child.check.has_certificate,
        }
        statement = {
            "record": str(child.record),
            "division": child.division,
            "clinic": str(child.clinic),
            "entry_type": child.enrolment.entry_type,
            "paper_agrees": True,
            **found,
        }
        enrolment = child.enrolment
        return [
            self._write(clinic, "check-statement.issued.v1", child.check.statement, statement),
            self._write(school, "enrolment.enrolled.v1", enrolment.id, enrolment.data),
            self._of_school(child, "enrolment.checked.v1", found),
        ]

    def _correction(self, correction: Correction) -> list[Write]:
        author = self._authors[correction.clinic]
        by: dict[str, Any] = {"clinic": str(correction.clinic)}
        if correction.reason is not None:
            by["reason"] = correction.reason
        steps = [
            self._write(
                author,
                "correction.requested.v1",
                correction.id,
                correction.data,
                correction.private,
            )
        ]
        if correction.outcome == "applied":
            steps.append(self._write(author, "correction.verified.v1", correction.id, by))
            self._versions[correction.record] += 1  # the dose, restated by the platform
        steps.append(self._write(author, f"correction.{correction.outcome}.v1", correction.id, by))
        return steps

    def _line(self, line: RecordLine) -> Write:
        author = self._authors[line.clinic]
        return self._write(author, line.topic, line.record, line.data, line.private)

    def _of_school(self, child: Child, topic: str, data: Mapping[str, Any]) -> Write:
        author = self._authors[child.enrolment.institution]
        return self._write(author, topic, child.enrolment.id, data)

    def _write(
        self,
        author: Author,
        topic: str,
        stream: UUID,
        data: Mapping[str, Any],
        private: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Write:
        version = self._versions[stream]
        self._versions[stream] += 1
        persons = {UUID(who): values for who, values in (private or {}).items()}
        return Write(author, Draft(topic, stream, version, data, persons))


def count(lanes: Iterable[Lane]) -> int:
    """Return how many writes there are."""
    return sum(len(lane) for lane in lanes)
