"""Writing what was reviewed: chunk by chunk, each remembered before it is sent and after.

A chunk is the atom. What it will send is durable first; killed at any moment, the next run sends
the same bytes again and is told what stands. Nothing is written twice, and no row is forgotten.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import UUID

from client.bulk import MAX_LINES
from client.bulk import Verdict as Answered
from client.errors import ProblemError, UnavailableError
from client.http import Client
from client.importing.drafting import Drafting
from client.importing.matching import Records
from client.importing.memory import ImportMemory, KnownPerson
from client.importing.outcomes import (
    Become,
    DoseStandsAlready,
    DoseStandsOtherwise,
    NothingClearDiffers,
    Outcome,
    OutcomeFile,
    RecordMoves,
    ReviewedOtherwise,
    RowWrittenBefore,
    reason_of,
    slug_of,
)
from client.importing.planning import CorrectionProposed, Planned, Planner
from client.importing.source import SourceRow
from client.importing.verdicts import Verdict
from client.signing import Draft
from domain.errors import DomainError

CHUNK = MAX_LINES
"""Rows of a chunk: what one request takes."""
ROUNDS = 4
"""How often what met another version of its record is sent again."""

_OUTCOMES = {
    Verdict.SAME: Outcome.SAME,
    Verdict.CONFLICT: Outcome.CONFLICT,
    Verdict.REFUSED: Outcome.REFUSED,
}


@dataclass(slots=True)
class _Chunk:
    """A chunk under way.

    Attributes:
        people: By their key, as far as their records are known to be.
        newcomers: Rows that describe people without a record, the first of each, by their key.
        only_people: Rows that tell of no dose.
        doses: Rows whose dose is to be written.
        changed: Rows whose dose stands otherwise in the log.
        found: What became of rows.
    """

    people: dict[bytes, KnownPerson] = field(default_factory=dict)
    newcomers: dict[bytes, Planned] = field(default_factory=dict)
    only_people: list[Planned] = field(default_factory=list)
    doses: list[Planned] = field(default_factory=list)
    changed: list[Planned] = field(default_factory=list)
    found: list[Become] = field(default_factory=list)

    def note(self, planned: Planned, outcome: Outcome, reason: DomainError | None = None) -> None:
        """Note what became of a row."""
        self.found.append(Become.of(planned.judged.number, outcome, reason))

    def person(self, planned: Planned) -> KnownPerson:
        """Return whom a row is about."""
        assert planned.person is not None, "a row without a person is refused"
        return self.people[planned.person.key]

    def drop(self, key: bytes, reason: dict[str, Any]) -> list[Planned]:
        """Note a conflict for every row of a person; return those that told of doses."""
        dropped = [one for one in self.doses if self.person(one).key == key]
        self.doses = [one for one in self.doses if self.person(one).key != key]
        alone = [one for one in self.only_people if self.person(one).key == key]
        self.only_people = [one for one in self.only_people if self.person(one).key != key]
        for one in (*dropped, *alone):
            self.found.append(Become(one.judged.number, Outcome.CONFLICT, 0, reason))
        return dropped


class Applying:
    """Writes the rows of a reviewed file.

    Args:
        client: Calls as the clinic; its author is the clinic.
        memory: Of the source system.
        planner: Judges rows as the review did.
        drafting: Draws up writes.
        new_id: A fresh UUIDv7, for corrections.
    """

    def __init__(
        self,
        client: Client,
        memory: ImportMemory,
        planner: Planner,
        drafting: Drafting,
        new_id: Callable[[], UUID],
    ) -> None:
        self._client = client
        self._memory = memory
        self._planner = planner
        self._drafting = drafting
        self._records = Records(client)
        self._new_id = new_id

    def run(
        self,
        rows: Iterable[tuple[SourceRow, Verdict]],
        reviewed: bytes,
        outcomes: OutcomeFile,
        show: Callable[[int], None],
    ) -> None:
        """Write rows, from where an interrupted run stood.

        Args:
            rows: All rows of the file, each with its verdict of the review.
            reviewed: Digest of the review.
            outcomes: Takes what became of each; its length is the remembered one.
            show: Is told how many rows are done.

        Raises:
            ClientError: The server refused everything, or did not answer; run it again.
        """
        done, _ = self._memory.progress(reviewed)
        show(done)
        left = islice(iter(rows), done, None)
        while some := list(islice(left, CHUNK)):
            chunk = self._plan(some)
            self._register(chunk)
            self._write_doses(chunk)
            for planned in chunk.changed:
                self._propose(chunk, planned)
            outcomes.write(chunk.found)
            done += len(some)
            with self._memory.step():
                self._memory.keep_progress(reviewed, done, outcomes.length)
            # Durable: the chunk is done. Killed before, the next run cuts its outcomes off, plans
            # it anew from the ids and versions that were kept, and signs the same statements.
            show(done)

    def _plan(self, some: Sequence[tuple[SourceRow, Verdict]]) -> _Chunk:
        chunk = _Chunk()
        with self._memory.step():
            for row, verdict in some:
                planned = self._planner.plan(row)
                if planned.judged.verdict is not verdict:
                    chunk.found.append(_done_before(planned, verdict))
                    self._forget(planned)
                elif verdict in _OUTCOMES:
                    chunk.note(planned, _OUTCOMES[verdict], planned.judged.reason)
                else:
                    _sort(chunk, planned)
        return chunk

    def _forget(self, planned: Planned) -> None:
        """Forget a row that was not written: corrected in the source, it may come again."""
        if planned.judged.verdict is Verdict.NEW and planned.row is not None:
            self._memory.forget_row(planned.row.key, planned.given)

    def _register(self, chunk: _Chunk) -> None:
        """Open the records of newcomers, or find those that others opened."""
        drafts = []
        for key, planned in chunk.newcomers.items():
            assert planned.who is not None, "only such rows register"
            drafts.append(self._drafting.registration(chunk.people[key], planned.who))
        answers = self._send(drafts)
        with self._memory.step():
            for (key, planned), answer in zip(chunk.newcomers.items(), answers, strict=True):
                self._registered(chunk, key, planned, answer)
        positions = dict(zip(chunk.newcomers, (one.position for one in answers), strict=True))
        for planned in chunk.only_people:
            position = positions.get(chunk.person(planned).key, 0)
            outcome = Outcome.WRITTEN if position else Outcome.SAME
            chunk.found.append(Become(planned.judged.number, outcome, position))

    def _registered(self, chunk: _Chunk, key: bytes, planned: Planned, answer: Answered) -> None:
        person = chunk.people[key]
        assert planned.who is not None, "only such rows register"
        if answer.problem is None:
            chunk.people[key] = replace(person, version=1)
        elif found := self._records.find(person, planned.who, answer.problem):
            chunk.people[key] = found
        else:
            for dropped in chunk.drop(key, reason_of(answer.problem)):
                self._forget(dropped)
            return
        self._memory.keep_person(chunk.people[key])

    def _write_doses(self, chunk: _Chunk) -> None:
        self._compare(chunk)
        for _ in range(ROUNDS):
            if not chunk.doses:
                return
            self._place(chunk)
            answers = self._send([self._drafting.dose(chunk.person(d), d) for d in chunk.doses])
            doses, chunk.doses = chunk.doses, []
            with self._memory.step():
                for planned, answer in zip(doses, answers, strict=True):
                    self._answered(chunk, planned, answer)
                for person in chunk.people.values():
                    if person.version:
                        self._memory.keep_person(person)
        for planned in chunk.doses:
            chunk.note(planned, Outcome.REFUSED, RecordMoves())

    def _compare(self, chunk: _Chunk) -> None:
        """Look into records that others opened: what stands there is not written again."""
        doses, chunk.doses = chunk.doses, []
        with self._memory.step():
            for planned in doses:
                person = chunk.person(planned)
                standing = self._records.dose(person, planned) if person.is_found else None
                if standing is None:
                    chunk.doses.append(planned)
                    continue
                differing = [one["field"] for one in standing.differences]
                self._forget(planned)
                if differing:
                    reason = DoseStandsOtherwise(fields=differing)
                    chunk.note(planned, Outcome.CONFLICT, reason)
                else:
                    chunk.note(planned, Outcome.SAME, DoseStandsAlready())

    def _place(self, chunk: _Chunk) -> None:
        """Give each dose the version that its record will have; durable before it is signed.

        One that was signed before keeps its version: its statement must be the same.
        """
        reached = {key: person.version for key, person in chunk.people.items()}
        placed = []
        with self._memory.step():
            for planned in chunk.doses:
                key, row = chunk.person(planned).key, planned.row
                assert row is not None, "the row tells of a dose"
                if not row.version:
                    row = replace(row, version=reached[key])
                    self._memory.keep_row(row)
                reached[key] = row.version + 1
                placed.append(replace(planned, row=row))
        chunk.doses = placed

    def _answered(self, chunk: _Chunk, planned: Planned, answer: Answered) -> None:
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
            chunk.doses.append(replace(planned, row=replace(row, version=0)))
        else:
            self._forget(planned)
            self._refused(chunk, planned, answer.problem)

    def _refused(self, chunk: _Chunk, planned: Planned, problem: ProblemError) -> None:
        if slug_of(problem) == "idempotency-key-reused":
            chunk.note(planned, Outcome.CONFLICT, RowWrittenBefore())
            return
        number = planned.judged.number
        chunk.found.append(Become(number, Outcome.REFUSED, 0, reason_of(problem)))

    def _propose(self, chunk: _Chunk, planned: Planned) -> None:
        """Ask for a correction to what the row says now; the clinic verifies and applies it."""
        row = planned.row
        assert row is not None, "the row tells of a dose"
        record = self._records.show(chunk.person(planned).record)
        draft = self._drafting.correction(self._new_id(), record, planned)
        if draft is None:
            chunk.note(planned, Outcome.CONFLICT, NothingClearDiffers())
            return
        (answer,) = self._send([draft])
        # The same request under its key, once more: it was sent before an interruption.
        is_known = answer.problem and slug_of(answer.problem) == "idempotency-key-reused"
        if answer.problem is not None and not is_known:
            self._refused(chunk, planned, answer.problem)
            return
        with self._memory.step():
            self._memory.keep_row(replace(row, proposed=planned.content))
        chunk.found.append(Become(planned.judged.number, Outcome.PROPOSED, answer.position))

    def _send(self, drafts: Sequence[Draft]) -> list[Answered]:
        if not drafts:
            return []
        signed = self._drafting.sign(self._client.caller.trust.origin, drafts)
        answers = self._client.submit_batch(signed)
        if any(answer.is_passing for answer in answers):
            raise UnavailableError("The server takes no writes now; run it again later.")
        return answers


def _done_before(planned: Planned, reviewed: Verdict) -> Become:
    """Tell what became of a row that was to be written: an interrupted run may have done it."""
    judged, row = planned.judged, planned.row
    if judged.verdict is Verdict.SAME and reviewed is Verdict.NEW:
        return Become(judged.number, Outcome.WRITTEN, max(row.position, 0) if row else 0)
    if isinstance(judged.reason, CorrectionProposed) and reviewed is Verdict.CHANGED:
        return Become(judged.number, Outcome.PROPOSED)
    return Become.of(judged.number, Outcome.CONFLICT, ReviewedOtherwise())


def _sort(chunk: _Chunk, planned: Planned) -> None:
    """Put a row where it will be written from."""
    assert planned.person is not None, "a row without a person is refused"
    person = chunk.people.setdefault(planned.person.key, planned.person)
    if not person.version and planned.who is not None:
        chunk.newcomers.setdefault(person.key, planned)
    if planned.judged.verdict is Verdict.CHANGED:
        chunk.changed.append(planned)
    elif planned.dose is None:
        chunk.only_people.append(planned)
    else:
        chunk.doses.append(planned)
