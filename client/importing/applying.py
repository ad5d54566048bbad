"""Writing what was reviewed: chunk by chunk, each remembered before it is sent and after.

A chunk is the atom. What it will send is durable first; killed at any moment, the next run sends
the same bytes again and is told what stands. Nothing is written twice, and no row is forgotten.

While the server has three chunks in hand, the next is judged and signed. Chunks that tell of the
same person wait for one another, and all end in their order.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID

from client.bulk import Verdict as Answered
from client.errors import UnavailableError
from client.http import Client
from client.importing.chunk import Chunk, Reviewed, chunks_of, people_of
from client.importing.drafting import Drafting
from client.importing.matching import Records
from client.importing.memory import ImportMemory
from client.importing.outcomes import (
    Become,
    NothingClearDiffers,
    Outcome,
    OutcomeFile,
    RecordMoves,
    ReviewedOtherwise,
    slug_of,
)
from client.importing.planning import CorrectionProposed, Planned, Planner
from client.importing.settling import Settling
from client.importing.verdicts import Verdict
from client.signing import Draft, SignedWrite

ROUNDS = 4
"""How often what met another version of its record is sent again."""
AT_ONCE = 3
"""Chunks that the server has in hand: one waits, one is decided, one for its checkpoint."""

_OUTCOMES = {
    Verdict.SAME: Outcome.SAME,
    Verdict.CONFLICT: Outcome.CONFLICT,
    Verdict.REFUSED: Outcome.REFUSED,
}


@dataclass(frozen=True, slots=True)
class _Flight:
    """A chunk that the server has in hand.

    Attributes:
        chunk: Its rows; newcomers and doses were sent, in this order.
        rows: How many.
        people: The source's ids of the people it tells of.
        answers: For what was sent.
    """

    chunk: Chunk
    rows: int
    people: frozenset[str]
    answers: "Future[list[Answered]]"


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
        self._settling = Settling(memory, self._records)
        self._new_id = new_id

    def run(
        self,
        rows: Iterable[Reviewed],
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
        flights: deque[_Flight] = deque()

        def end_first() -> None:
            nonlocal done
            flight = flights.popleft()
            self._settle(flight)
            outcomes.write(flight.chunk.found)
            done += flight.rows
            with self._memory.step():
                self._memory.keep_progress(reviewed, done, outcomes.length)
            # Durable: the chunk is done. Killed before, the next run cuts its outcomes off, plans
            # it anew from the ids and versions that were kept, and signs the same statements.
            show(done)

        with ThreadPoolExecutor(AT_ONCE) as senders, self._hanging_up():
            for some in chunks_of(islice(iter(rows), done, None)):
                people = people_of(some)
                while flights and (
                    len(flights) == AT_ONCE or any(people & one.people for one in flights)
                ):
                    end_first()
                flights.append(self._begin(some, people, senders))
            while flights:
                end_first()

    @contextmanager
    def _hanging_up(self) -> Iterator[None]:
        """Hang up when something ends the run: what is under way would go on trying."""
        try:
            yield
        except BaseException:
            self._client.close()
            raise

    def _begin(
        self, some: Sequence[Reviewed], people: frozenset[str], senders: Executor
    ) -> _Flight:
        """Judge, place and sign a chunk, and let it be sent."""
        chunk = Chunk()
        with self._memory.step():
            self._plan(chunk, some)
            self._settling.compare(chunk)
            chunk.place(self._memory.keep_row)
        # Durable: ids and versions, so that whatever is signed from here on is always the same.
        signed = self._sign(chunk)
        return _Flight(chunk, len(some), people, senders.submit(self._send, signed))

    def _plan(self, chunk: Chunk, some: Sequence[Reviewed]) -> None:
        for row, verdict in some:
            planned = self._planner.plan(row)
            if planned.judged.verdict is not verdict:
                chunk.found.append(_done_before(planned, verdict))
                self._settling.forget(planned)
            elif verdict in _OUTCOMES:
                chunk.note(planned, _OUTCOMES[verdict], planned.judged.reason)
            else:
                chunk.take(planned)

    def _settle(self, flight: _Flight) -> None:
        """Take the answers in; what met another record or version than expected is sent again."""
        chunk, answers = flight.chunk, flight.answers.result()
        with self._memory.step():
            self._settling.first(chunk, answers)
        for _ in range(ROUNDS):
            if not chunk.doses:
                break
            with self._memory.step():
                self._settling.compare(chunk)
                chunk.place(self._memory.keep_row)
            answers = self._send(self._sign(chunk))
            with self._memory.step():
                self._settling.doses(chunk, answers)
        for planned in chunk.doses:
            chunk.note(planned, Outcome.REFUSED, RecordMoves())
        for planned in chunk.changed:
            self._propose(chunk, planned)

    def _propose(self, chunk: Chunk, planned: Planned) -> None:
        """Ask for a correction to what the row says now; the clinic verifies and applies it."""
        row = planned.row
        assert row is not None, "the row tells of a dose"
        record = self._records.show(chunk.person(planned).record)
        draft = self._drafting.correction(self._new_id(), record, planned)
        if draft is None:
            chunk.note(planned, Outcome.CONFLICT, NothingClearDiffers())
            return
        (answer,) = self._send(self._signed([draft]))
        # The same request under its key, once more: it was sent before an interruption.
        is_known = answer.problem and slug_of(answer.problem) == "idempotency-key-reused"
        if answer.problem is not None and not is_known:
            self._settling.refused(chunk, planned, answer.problem)
            return
        with self._memory.step():
            self._memory.keep_row(replace(row, proposed=planned.content))
        chunk.found.append(Become(planned.judged.number, Outcome.PROPOSED, answer.position))

    def _sign(self, chunk: Chunk) -> list[SignedWrite]:
        """Sign the registrations and doses of a chunk."""
        drafts = []
        for key, planned in chunk.newcomers.items():
            assert planned.who is not None, "only such rows register"
            drafts.append(self._drafting.registration(chunk.people[key], planned.who))
        drafts += [self._drafting.dose(chunk.person(one), one) for one in chunk.doses]
        return self._signed(drafts)

    def _signed(self, drafts: Sequence[Draft]) -> list[SignedWrite]:
        return self._drafting.sign(self._client.caller.trust.origin, drafts) if drafts else []

    def _send(self, signed: Sequence[SignedWrite]) -> list[Answered]:
        if not signed:
            return []
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
