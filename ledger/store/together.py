"""Questions of many threads, answered by one query.

Group reading without a timer: whatever is asked while one query runs is asked by the next. Alone,
a question costs what it cost before; in a rush the queries become fewer, not the answers older: a
query begins after each of its questions was asked.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 256
"""Questions in one query."""


@dataclass(slots=True, eq=False)
class _Asked(Generic[Q, A]):
    """A question and the thread that waits with it.

    Attributes:
        question: What is asked.
        turn: Released when the thread may go on: to lead, or with its answer.
        leads: Whether the thread asks for everybody who waits.
        answer: What was answered.
        error: What went wrong instead.
    """

    question: Q
    turn: threading.Lock = field(default_factory=threading.Lock)
    leads: bool = False
    answer: A | None = None
    error: BaseException | None = None


class Together(Generic[Q, A]):
    """Lets one thread at a time ask for all that wait.

    Args:
        answer: Answers many questions in their order; an answer that is an exception is raised
            to whoever asked. What it raises itself is raised to all of them.
        complete: What an answer still waits for, if anything. Who asked is woken then and not
            before: waking a thread twice costs as much as many a decision.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Sequence[A | Exception]],
        complete: Callable[[A], "Future[Any] | None"] = lambda _: None,
    ) -> None:
        self._answer = answer
        self._complete = complete
        self._lock = threading.Lock()
        self._waiting: deque[_Asked[Q, A]] = deque()
        self._is_led = False

    @property
    def waiting(self) -> int:
        """How many questions the next query will ask."""
        return len(self._waiting)

    def ask(self, question: Q) -> A:
        """Return the answer.

        Raises:
            Exception: See ``answer``.
        """
        mine: _Asked[Q, A] = _Asked(question)
        mine.turn.acquire()
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._is_led = not self._is_led, True
        if not mine.leads:
            mine.turn.acquire()
        if mine.leads:
            self._lead()
            mine.turn.acquire()
        if mine.error is not None:
            raise mine.error.with_traceback(None)
        return mine.answer  # type: ignore[return-value]  # None only where that is an answer

    def _lead(self) -> None:
        """Ask for those who wait, oneself the first, and hand the lead to who came meanwhile."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        try:
            answers = self._answer([one.question for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                if isinstance(answer, Exception):
                    one.error = answer
                else:
                    one.answer = answer
        except BaseException as error:  # noqa: BLE001  each of them waits for an answer
            for one in batch:
                one.error = error
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        if following is not None:
            following.leads = True
            following.turn.release()
        for one in batch:
            self._release(one)

    def _release(self, one: _Asked[Q, A]) -> None:
        """Let a thread go on with its answer, once that is complete."""
        future = None if one.answer is None else self._complete(one.answer)
        if future is None:
            one.turn.release()
        else:
            # Of the turn alone: the future keeps its callbacks, and the answer may hold the future.
            turn = one.turn
            future.add_done_callback(lambda _: turn.release())
