"""A visit: one id from the queue number to the end of the observation (C-19)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.calendar import civil_day
from domain.visit import (
    OBSERVATION,
    ObservationTooShort,
    OutOfTurn,
    Presenter,
    Queued,
    Step,
    Visit,
)

NINE = datetime(2024, 9, 2, 1, 0, tzinfo=UTC)
DOSE = UUID(int=4)


def opened() -> Visit:
    return Visit.open(
        UUID(int=9),
        derived=Queued(17, UUID(int=6)),
        recorded_at=NINE,
        record=UUID(int=1),
        certificate=UUID(int=2),
        clinic=UUID(int=3),
        division="320602001",
        on=civil_day(NINE),
        presenter=Presenter.HOLDER,
    )


def vaccinated() -> Visit:
    visit = opened()
    visit.register(recorded_at=NINE + timedelta(minutes=5))
    visit.vaccinate(recorded_at=NINE + timedelta(minutes=10), doses=(DOSE,))
    return visit


def test_four_steps_carry_one_id_in_their_order():
    visit = vaccinated()
    visit.end_observation(
        recorded_at=NINE + timedelta(minutes=40), has_reaction=False, left_early=False
    )
    events = visit.collect_events()
    assert [type(event).TOPIC for event in events] == [
        "visit.opened.v1",
        "visit.registered.v1",
        "visit.vaccinated.v1",
        "visit.observed.v1",
    ]
    assert {event.originator_id for event in events} == {UUID(int=9)}
    assert visit.step is Step.OBSERVED
    assert visit.queue_number == 17


def test_the_observation_lasts_thirty_minutes_from_the_dose():
    visit = vaccinated()
    assert visit.observed_until == NINE + timedelta(minutes=40)
    with pytest.raises(ObservationTooShort):
        visit.end_observation(
            recorded_at=visit.observed_until - timedelta(seconds=1),
            has_reaction=False,
            left_early=False,
        )
    assert timedelta(minutes=30) == OBSERVATION


def test_who_leaves_early_is_recorded_so():
    visit = vaccinated()
    visit.end_observation(
        recorded_at=NINE + timedelta(minutes=11), has_reaction=True, left_early=True
    )
    assert visit.step is Step.OBSERVED


@pytest.mark.parametrize(
    ("visit", "step"),
    [
        (opened, lambda v: v.vaccinate(recorded_at=NINE, doses=(DOSE,))),
        (
            opened,
            lambda v: v.end_observation(recorded_at=NINE, has_reaction=False, left_early=True),
        ),
        (vaccinated, lambda v: v.register(recorded_at=NINE)),
        (vaccinated, lambda v: v.vaccinate(recorded_at=NINE, doses=(DOSE,))),
        (vaccinated, lambda v: v.leave(recorded_at=NINE, reason="fever")),
    ],
)
def test_no_step_is_skipped_or_taken_twice(visit, step):
    with pytest.raises(OutOfTurn):
        step(visit())


def test_who_has_no_dose_may_leave_and_nothing_follows():
    visit = opened()
    visit.leave(recorded_at=NINE, reason="fever")
    with pytest.raises(OutOfTurn):
        visit.register(recorded_at=NINE)
