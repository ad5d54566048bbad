"""Questions of many threads that one query answers."""

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ledger.store.together import MOST, Together

PATIENCE_SECONDS = 60


def doubled(asked: Sequence[int]) -> list[int | Exception]:
    return [ValueError(one) if one < 0 else 2 * one for one in asked]


def test_alone_a_question_is_answered_at_once():
    together = Together(doubled)
    assert [together.ask(n) for n in (1, 2, 3)] == [2, 4, 6]


def test_an_error_is_that_of_its_own_question():
    together = Together(doubled)
    with pytest.raises(ValueError, match="-1"):
        together.ask(-1)
    assert together.ask(1) == 2


def test_what_is_asked_while_a_query_runs_is_asked_by_the_next():
    others, batches, may_answer = MOST + 1, [], threading.Event()

    def answer(asked: Sequence[int]) -> list[int | Exception]:
        batches.append(list(asked))
        assert may_answer.wait(PATIENCE_SECONDS)
        return doubled(asked)

    together = Together(answer)
    with ThreadPoolExecutor(others + 1) as pool:
        asked = [pool.submit(together.ask, n) for n in range(others + 1)]
        while together.waiting < others:
            assert not asked[-1].done()
        may_answer.set()
        assert [one.result(PATIENCE_SECONDS) for one in asked] == [2 * n for n in range(others + 1)]
    assert [len(batch) for batch in batches] == [1, MOST, 1]


def test_a_query_that_fails_fails_for_all_who_asked_and_for_nobody_else():
    failing = [True]

    def answer(asked: Sequence[int]) -> list[int | Exception]:
        if failing and failing.pop():
            raise ConnectionError
        return doubled(asked)

    together = Together(answer)
    with pytest.raises(ConnectionError):
        together.ask(1)
    assert together.ask(1) == 2


class CompleteOnceWatched(Future[None]):
    """Is complete as soon as somebody waits for it."""

    def add_done_callback(self, fn: Callable[[Future[None]], object]) -> None:
        super().add_done_callback(fn)
        self.set_result(None)


def test_what_was_answered_is_held_by_nobody_once_it_is_complete():
    class Answer:
        def __init__(self) -> None:
            self.complete = CompleteOnceWatched()

    together = Together(lambda asked: [Answer() for _ in asked], lambda answer: answer.complete)
    gc.disable()  # or it would be let go in the end, much later
    try:
        held = weakref.ref(together.ask(1))
        assert held() is None
    finally:
        gc.enable()
