"""No seat is sold twice and none is lost, whatever happens in any order."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from bootstrap.wiring import Parts
from tests.integration.commands.booking_city import City, city_of
from tests.integration.commands.booking_machine import BookingMachine


@pytest.fixture(scope="module")
def city(parts: Parts) -> Iterator[City]:
    with city_of(parts) as city:
        yield city


def test_no_seat_is_sold_twice_and_none_is_lost(city):
    class Here(BookingMachine):
        pass

    Here.city = city
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=6,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
