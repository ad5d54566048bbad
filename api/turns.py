"""Requests of one kind that are answered together: whoever asks during one turn has the next.

A change of threads, a query and a commit cost as much for one request as for many. Alone a
request waits for nobody; in a rush turns grow, and what each of them costs is shared by more.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from starlette.responses import Response

from api.gathering import Gathering
from api.parts import Serving, serving_of

Q = TypeVar("Q")
R = TypeVar("R")
Outcome = Response | Exception
_Asked = tuple[Q, "asyncio.Future[Response]"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a turn has come to.

    Attributes:
        outcomes: An answer, or an error to be raised, for each question in order.
        noted: Done when the access journal has all that the answers show; none leaves before.
    """

    outcomes: Sequence[Outcome]
    noted: "Future[None] | None" = None


def outcomes(act: Callable[..., R], *columns: Sequence[Any]) -> list[R | Exception]:
    """Call for each row of some columns; an error is an outcome, also one that a row brings."""
    found: list[R | Exception] = []
    for row in zip(*columns, strict=True):
        try:
            found.append(row[0] if isinstance(row[0], Exception) else act(*row))
        except Exception as error:  # noqa: BLE001  raised to whoever asked
            found.append(error)
    return found


async def in_turn(
    request: Request, answer: Callable[[Serving, Sequence[Q]], Answered], question: Q
) -> Response:
    """Answer a question together with all of its kind that are asked at the same time.

    Raises:
        Exception: What was answered instead, or what ended the whole turn.
    """
    serving = serving_of(request)
    turns = serving.turns.get(answer)
    if turns is None:
        turns = serving.turns[answer] = Turns(partial(answer, serving))
    found: Response = await turns.ask(question)
    return found


async def alone(
    request: Request, answer: Callable[[Serving, Sequence[Q]], Answered], question: Q
) -> Response:
    """Answer a question by itself: one that would hold the others up.

    Raises:
        Exception: What was answered instead.
    """
    serving = serving_of(request)
    answered = await to_thread.run_sync(answer, serving, [question], limiter=serving.threads)
    future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    await _settle([future], answered)
    return future.result()


class Turns(Generic[Q]):
    """Answers questions in turns, each in one thread.

    While the journal is still written for one turn, the next is read.

    Args:
        answer: Answers the questions of one turn; called in a thread.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Answered]) -> None:
        self._answer = answer
        self._gathering: Gathering[_Asked[Q]] = Gathering(self._take)
        self._limiter = CapacityLimiter(1)
        self._settling: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> Response:
        """Return the answer to a question, once the journal has noted it.

        Raises:
            Exception: What was answered instead, or what ended the whole turn.
        """
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._gathering.join((question, future))
        return await future

    async def _take(self, asked: Sequence[_Asked[Q]]) -> None:
        """Take one turn; its answers go out when the journal has them, beside the next turn."""
        try:
            questions = [question for question, _ in asked]
            answered = await to_thread.run_sync(self._answer, questions, limiter=self._limiter)
        except Exception as error:  # noqa: BLE001  each of them waits for an answer
            answered = Answered([error] * len(asked))
        self._begin(_settle([future for _, future in asked], answered))

    def _begin(self, settling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(settling)
        self._settling.add(task)  # the loop itself keeps tasks only weakly
        task.add_done_callback(self._settling.discard)


async def _settle(waiting: Sequence["asyncio.Future[Response]"], answered: Answered) -> None:
    """Hand the answers out once they may be seen; who hung up meanwhile gets none."""
    outcomes = answered.outcomes
    try:
        if answered.noted is not None:
            await asyncio.wrap_future(answered.noted)
    except Exception as error:  # noqa: BLE001  each of them waits for an answer
        outcomes = [error] * len(waiting)
    for future, outcome in zip(waiting, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
