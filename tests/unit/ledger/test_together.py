"""Questions of many threads that one query answers."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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
