"""What the server's answers mean for the rows of a chunk, and for what is remembered of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from client.bulk import Verdict as Answered
from client.errors import ProblemError
from client.importing.chunk import Chunk
from client.importing.matching import Records
from client.importing.memory import ImportMemory
from client.importing.outcomes import (
    Become,
    DoseStandsAlready,
    DoseStandsOtherwise,
    Outcome,
    RowWrittenBefore,
    reason_of,
    slug_of,
)
from client.importing.planning import Planned
from client.importing.verdicts import Verdict


class Settling:
    """Takes answers in; a step of the memory is open.

    Args:
        memory: Of the source system.
        records: Those that others opened.
    """

    def __init__(self, memory: ImportMemory, records: Records) -> None:
        self._memory = memory
        self._records = records

    def first(self, chunk: Chunk, answers: Sequence[Answered]) -> None:
        """Take in the answers for newcomers and doses, sent in this order.

        Doses of whom others had registered were meant for a record that is not; they stay in the
        chunk, to be sent to the one that is.
        """
        newcomers, sent = chunk.newcomers, chunk.doses
        chunk.newcomers, chunk.doses = {}, []
        registered = dict(zip(newcomers, answers, strict=False))
        lost = {
            key: reason
            for key, answer in registered.items()
            if (reason := self._registered(chunk, newcomers[key], answer))
        }
        for planned in chunk.only_people:
            key, number = chunk.person(planned).key, planned.judged.number
            position = registered[key].position if key in registered else 0
            outcome = Outcome.WRITTEN if position else Outcome.SAME
            outcome = Outcome.CONFLICT if key in lost else outcome
            chunk.found.append(Become(number, outcome, position, lost.get(key)))
        for planned, answer in zip(sent, answers[len(newcomers) :], strict=True):
            key = chunk.person(planned).key
            if key in lost:
                self.forget(planned)
                number = planned.judged.number
                chunk.found.append(Become(number, Outcome.CONFLICT, 0, lost[key]))
            elif key in newcomers and chunk.people[key].is_found:
                chunk.send_again(planned)
            else:
                self._dose(chunk, planned, answer)
        self._keep_people(chunk)

    def doses(self, chunk: Chunk, answers: Sequence[Answered]) -> None:
        """Take in the answers for doses; those to be sent again stay in the chunk."""
        sent, chunk.doses = chunk.doses, []
        for planned, answer in zip(sent, answers, strict=True):
            self._dose(chunk, planned, answer)
        self._keep_people(chunk)

    def refused(self, chunk: Chunk, planned: Planned, problem: ProblemError) -> None:
        """Note why the server did not take a row."""
        if slug_of(problem) == "idempotency-key-reused":
            chunk.note(planned, Outcome.CONFLICT, RowWrittenBefore())
            return
        number = planned.judged.number
        chunk.found.append(Become(number, Outcome.REFUSED, 0, reason_of(problem)))

    def compare(self, chunk: Chunk) -> None:
        """Look into records that others opened: what stands there is not written again."""
        doses, chunk.doses = chunk.doses, []
        for planned in doses:
            person = chunk.person(planned)
            standing = self._records.dose(person, planned) if person.is_found else None
            if standing is None:
                chunk.doses.append(planned)
                continue
            differing = [one["field"] for one in standing.differences]
            self.forget(planned)
            if differing:
                chunk.note(planned, Outcome.CONFLICT, DoseStandsOtherwise(fields=differing))
            else:
                chunk.note(planned, Outcome.SAME, DoseStandsAlready())

    def forget(self, planned: Planned) -> None:
        """Forget a row that was not written: corrected in the source, it may come again."""
        if planned.judged.verdict is Verdict.NEW and planned.row is not None:
            self._memory.forget_row(planned.row.key, planned.given)

    def _registered(
        self, chunk: Chunk, planned: Planned, answer: Answered
    ) -> dict[str, Any] | None:
        """Take in one answer; return why the person has no record that could be written to."""
        person = chunk.person(planned)
        assert planned.who is not None, "only such rows register"
        if answer.problem is None:
            chunk.people[person.key] = replace(person, version=1)
        elif found := self._records.find(person, planned.who, answer.problem):
            chunk.people[person.key] = found
        else:
            return reason_of(answer.problem)
        return None

    def _keep_people(self, chunk: Chunk) -> None:
        for person in chunk.people.values():
            if person.version:
                self._memory.keep_person(person)

    def _dose(self, chunk: Chunk, planned: Planned, answer: Answered) -> None:
        person, row = chunk.person(planned), planned.row
        assert row is not None, "the row tells of a dose"
        if answer.problem is None:
            version = max(person.version, row.version + 1)
            chunk.people[person.key] = replace(person, version=version)
            self._memory.keep_row(replace(row, position=answer.position))
            number = planned.judged.number
            chunk.found.append(Become(number, Outcome.WRITTEN, answer.position))
        elif slug_of(answer.problem) == "version-conflict":
            actual = int(answer.problem.problem["facts"]["actual"])  # type: ignore[index]
            chunk.people[person.key] = replace(person, version=actual)
            chunk.send_again(planned)
        else:
            self.forget(planned)
            self.refused(chunk, planned, answer.problem)
