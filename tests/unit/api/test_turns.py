"""Requests that are answered together: who asks during one turn has the next."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from starlette.responses import Response

from api.gathering import MOST
from api.turns import Answered, Turns, outcomes


class Answering:
    """Answers each question with itself, and keeps what each turn asked."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.may_answer = threading.Event()
        self.has_answered = threading.Event()
        self.noted: Future[None] | None = None

    def __call__(self, questions: Sequence[int]) -> Answered:
        assert self.may_answer.wait(60)
        answered = Answered(outcomes(_answer, questions), self.noted)
        self.turns.append(list(questions))
        self.has_answered.set()
        return answered


def _answer(question: int) -> Response:
    if question < 0:
        raise LookupError(question)
    return Response(str(question))


def _all(answering: Answering, questions: Sequence[int]) -> list[Response | BaseException]:
    async def ask() -> list[Response | BaseException]:
        turns: Turns[int] = Turns(answering)
        return await asyncio.gather(*map(turns.ask, questions), return_exceptions=True)

    answering.may_answer.set()
    return asyncio.run(ask())


def test_who_asks_at_once_is_answered_in_one_turn_each_with_the_own_answer() -> None:
    answering = Answering()
    answers = _all(answering, [3, 1, 2])
    assert [one.body for one in answers if isinstance(one, Response)] == [b"3", b"1", b"2"]
    assert answering.turns == [[3, 1, 2]]


def test_an_error_is_raised_to_whoever_asked_and_to_nobody_else() -> None:
    answers = _all(Answering(), [1, -1, 2])
    assert isinstance(answers[1], LookupError)
    assert [one.body for one in answers if isinstance(one, Response)] == [b"1", b"2"]


def test_a_turn_is_bounded_and_the_others_have_the_next() -> None:
    answering = Answering()
    assert len(_all(answering, range(MOST + 3))) == MOST + 3
    assert [len(turn) for turn in answering.turns] == [MOST, 3]


def test_nothing_is_answered_that_the_journal_could_not_note() -> None:
    answering = Answering()
    answering.noted = Future()
    answering.noted.set_exception(OSError("the disk is full"))
    answers = _all(answering, [1, 2])
    assert [type(one) for one in answers] == [OSError, OSError]


def test_no_answer_leaves_before_the_journal_has_it_and_meanwhile_the_next_turn_is_read() -> None:
    answering = Answering()
    answering.may_answer.set()
    first: Future[None] = Future()
    answering.noted = first

    async def ask() -> list[Response]:
        turns: Turns[int] = Turns(answering)
        early = asyncio.create_task(turns.ask(1))
        assert await asyncio.to_thread(answering.has_answered.wait, 60)
        answering.noted = None
        late = await turns.ask(2)
        assert not early.done()
        first.set_result(None)
        return [await early, late]

    assert [one.body for one in asyncio.run(ask())] == [b"1", b"2"]


def test_whoever_hangs_up_is_forgotten_and_the_others_are_answered() -> None:
    answering = Answering()

    async def ask() -> Response:
        turns: Turns[int] = Turns(answering)
        gone, stays = (asyncio.create_task(turns.ask(one)) for one in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        answering.may_answer.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert asyncio.run(ask()).body == b"2"
