"""A process that books is killed at any step: capacity = confirmed + held + free, always."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import seed as seed_of
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from bootstrap.leash import leashed
from tests.crash.booking_nursery import POINTS, Order
from tests.founded import founded
from tests.integration.commands.booking_city import HOME, City, city_of
from tests.integration.commands.booking_machine import PEOPLE, PLACES, BookingMachine

REPOSITORY = Path(__file__).resolve().parents[2]
NURSERY = [sys.executable, "-m", "tests.crash.booking_nursery"]
KILLED = {"killed": signal.SIGKILL}
COMMITTED = POINTS[-1]


class Nursery:
    """Where booking processes come from."""

    def __init__(self, process: subprocess.Popen[str], city: City) -> None:
        self.process = process
        self.city = city
        self.kills = 0

    def carry_out(self, who, key, step, arguments, killed_at=""):
        told = self.city.parts.settings
        order = Order(
            told.database_url,
            told.keys_url,
            str(told.data_dir),
            self.city.clock().isoformat(),
            who.identity.id_number,
            str(key),
            step,
            arguments,
            killed_at,
        )
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        self.kills += answer == KILLED
        return answer


@pytest.fixture(scope="module")
def nursery(migrated_database, tmp_path_factory) -> Iterator[Nursery]:
    with (
        founded(migrated_database(), tmp_path_factory.mktemp("installation")) as parts,
        subprocess.Popen(
            leashed(NURSERY, death_signal=signal.SIGKILL),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        city_of(parts) as city,
    ):
        yield Nursery(process, city)
        process.stdin.close()


class KillMachine(BookingMachine):
    """Besides all that may happen: the process that does it is killed, and asked again."""

    nursery: Nursery

    def ask(self, who, step, arguments, at):
        """Let it be killed at a point, see that all seats are accounted for, and ask once more."""
        key, person = uuid4(), self.people[who]
        told = self.nursery.carry_out(person, key, step, arguments, at)
        if told != KILLED:
            assert "refused" in told, told  # nothing was to be stored, so no point was reached
            return told
        self.every_seat_is_accounted_for()
        again = self.nursery.carry_out(person, key, step, arguments)
        if "refused" not in again:
            assert again["replayed"] == (at == COMMITTED)
        return again

    @rule(who=PEOPLE, place=PLACES, at=st.sampled_from(POINTS))
    def hold_and_die(self, who, place, at):
        wish = {
            "supply": str(self.supplies[place[0]]),
            "slot": place[1],
            "dose_number": 1,
            "channel": "individual",
            "person": HOME,
        }
        told = self.ask(who, "hold", [wish], at)
        if "refused" in told:
            assert who in self.booked or place in self.closed or self.free(place) == 0
        else:
            assert who not in self.booked
            assert place not in self.closed
            assert self.free(place) > 0
            self.booked[who] = (UUID(told["stream"]), place)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), at=st.sampled_from(POINTS))
    def confirm_and_die(self, data, at):
        self.confirm_killed(self.somebody(data)[0], at)

    def confirm_killed(self, who, at):
        self.ask(who, "confirm", [str(self.booked[who][0])], at)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), place=PLACES, at=st.sampled_from(POINTS))
    def move_and_die(self, data, place, at):
        self.move_killed(self.somebody(data)[0], place, at)

    def move_killed(self, who, place, at):
        stream, _ = self.booked[who]
        wish = {"supply": str(self.supplies[place[0]]), "slot": place[1]}
        if "refused" not in self.ask(who, "move", [str(stream), wish], at):
            self.booked[who] = (stream, place)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), at=st.sampled_from(POINTS))
    def cancel_and_die(self, data, at):
        self.cancel_killed(self.somebody(data)[0], at)

    def cancel_killed(self, who, at):
        stream, _ = self.booked[who]
        told = self.ask(who, "cancel", [str(stream), {"reason": "cannot-come"}], at)
        assert "refused" not in told
        del self.booked[who]


def machine_of(nursery):
    class Here(KillMachine):
        pass

    Here.city, Here.nursery = nursery.city, nursery
    return Here


def test_a_process_that_books_may_be_killed_at_any_step(nursery):
    machine = machine_of(nursery)()
    machine.begin()
    for first, second, third, last in (POINTS, POINTS[::-1]):
        machine.hold_and_die(0, (0, 1), first)
        machine.confirm_killed(0, second)
        machine.move_killed(0, (1, 2), third)
        machine.capacity_is_what_is_taken_and_what_is_free()
        machine.cancel_killed(0, last)
        machine.capacity_is_what_is_taken_and_what_is_free()
    assert nursery.kills == 2 * len(POINTS)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_kills_in_any_order_lose_no_seat_and_sell_none_twice(nursery, seed):
    before = nursery.kills
    run_state_machine_as_test(
        seed_of(seed)(machine_of(nursery)),
        settings=settings(
            max_examples=100,
            stateful_step_count=50,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{nursery.kills - before} kills")
    assert nursery.kills - before >= 20
