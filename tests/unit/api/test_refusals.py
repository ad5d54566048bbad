"""What a flood of refused requests leaves in the log."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from api.refusals import MOST_A_SECOND, Kind, Refusals

FLOOD = Kind("POST", "/v1/evaluations/roll-up", 400)
FORBIDDEN = Kind("GET", "/v1/records/{stream}", 403)


class Clock:
    """Seconds as a test tells them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EventDict]]:
    with capture_logs() as captured:
        # A logger that has spoken keeps where it speaks to: a new one is listened to.
        monkeypatch.setattr("api.refusals.log", structlog.get_logger("http"))
        yield captured


def test_a_flood_is_a_few_lines_and_a_count_and_hides_no_other_refusal(lines: list[EventDict]):
    clock = Clock()
    refusals = Refusals(clock)
    for _ in range(1_000):
        refusals.say(logging.WARNING, FLOOD, request_id="a")
    refusals.say(logging.WARNING, FORBIDDEN, request_id="b")
    said = [(line["event"], line["route"], line["status"]) for line in lines]
    assert said == [("request", FLOOD.route, 400)] * MOST_A_SECOND + [
        ("request", FORBIDDEN.route, 403)
    ]
    clock.now = 1.0
    refusals.say(logging.WARNING, FORBIDDEN, request_id="c")
    left_out, last = lines[-2:]
    assert (left_out["event"], left_out["route"]) == ("requests-alike", FLOOD.route)
    assert left_out["count"] == 1_000 - MOST_A_SECOND
    assert last["request_id"] == "c"


def test_few_are_said_each_and_nothing_was_left_out(lines: list[EventDict]):
    clock = Clock()
    refusals = Refusals(clock)
    for second in range(3):
        clock.now = float(second)
        for _ in range(MOST_A_SECOND):
            refusals.say(logging.WARNING, FLOOD, request_id="a")
    assert [line["event"] for line in lines] == ["request"] * 3 * MOST_A_SECOND
    assert {line["log_level"] for line in lines} == {"warning"}
