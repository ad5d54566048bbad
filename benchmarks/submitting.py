"""People who want seats, through a process of their own: the commands of one more API.

    python -m benchmarks.submitting CALLERS

Reads its settings from the environment and says `ready`. Of each task, a line of JSON with the
people's numbers, the supplies and how many slots each has, it says `ready` once the people are
there, starts at the next line, and answers with a line of pairs: the appointment held or the reason
of the refusal, and `time.perf_counter`, which on Linux is one clock for all processes.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import uuid4

from bootstrap.garbage import settle
from bootstrap.settings import Settings
from bootstrap.wiring import wire
from commands.bookings import Bookings
from commands.principal import Principal, Role, VerifiedIdentity
from domain.booking.refusal import BookingRefused
from domain.identity import checksum

READY = "ready"
HOME = {"residence_division": "431103", "detail_address": "梅湾街道湘永路12号"}
_A_PLACE = 1_000


class Task(NamedTuple):
    """What one process does of a rush.

    Attributes:
        first: Number of the first of its people.
        people: How many they are.
        supplies: Where they want seats, in turns.
        slots: Of each supply.
    """

    first: int
    people: int
    supplies: list[str]
    slots: int

    def wish(self, number: int) -> dict[str, Any]:
        """What the person of a number asks for."""
        turn, supply = divmod(number, len(self.supplies))
        return {
            "supply": self.supplies[supply],
            "slot": turn % self.slots + 1,
            "dose_number": 1,
            "channel": "individual",
            "person": HOME,
        }


def citizen(number: int) -> Principal:
    """A grown-up whom nobody has met."""
    place, within = divmod(number, _A_PLACE)
    first = f"{431100 + place:06}19850601{within:03}"
    id_number = first + checksum(first)
    identity = VerifiedIdentity("周正", id_number, None, face_verified=True)
    return Principal(f"citizen {id_number}", Role.ADULT, None, "", identity)


def _submit(
    bookings: Bookings, callers: ThreadPoolExecutor, task: Task, begin: Callable[[], str]
) -> list[tuple[str, float]]:
    crowd = [(number, citizen(task.first + number)) for number in range(task.people)]
    print(READY, flush=True)
    begin()

    def hold(one: tuple[int, Principal]) -> tuple[str, float]:
        number, who = one
        try:
            answer = str(bookings.hold(who, uuid4(), task.wish(number)).stream)
        except BookingRefused as refused:
            answer = str(refused.facts["reason"])
        return answer, time.perf_counter()

    return list(callers.map(hold, crowd))


def _serve(callers: int) -> None:
    with wire(Settings()) as parts, ThreadPoolExecutor(callers) as pool:
        settle()
        print(READY, flush=True)
        for line in sys.stdin:
            task = Task(*json.loads(line))
            print(json.dumps(_submit(parts.desk.bookings, pool, task, sys.stdin.readline)))


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
