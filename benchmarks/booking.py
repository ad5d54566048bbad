"""The opening rush: far more people than seats, all at once, at the command level."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from benchmarks.contest import Contestant, Pace
from benchmarks.measuring import Measured
from benchmarks.site import Site
from bootstrap.identifiers import new_id
from bootstrap.wiring import Parts
from client.signing import AuthorKey, Draft
from commands.principal import Principal, Role, VerifiedIdentity
from commands.signed_body import SignedBody
from domain.booking.refusal import BookingRefused
from domain.calendar import civil_day
from domain.identity import checksum
from ledger.jcs import parse

RACE = "2,000 submitters race for 500 seats"
HOLDS = "seats held, of distinct slots"
SUBMITTERS, SEATS, CALLERS = 2_000, 500, 64

_COUNTY, _TOWN, _PRODUCT = "431103", "431103001", "inactivated_vero"
_HOME = {"residence_division": _COUNTY, "detail_address": "梅湾街道湘永路12号"}


class Rush:
    """A site that opens seats, and people who want them.

    Args:
        site: The log that all of it is written to.
    """

    def __init__(self, site: Site) -> None:
        self._parts = site.parts
        self._days = count(1)
        self._citizens = _citizens()
        self._clinic, self._principal = _admit(site.parts)

    def open(self, *capacities: int) -> UUID:
        """Open a day's slots for the next free day; return the supply."""
        slots = [
            {"starts": f"{hour:02}:00", "ends": f"{hour + 1:02}:00", "capacity": capacity}
            for hour, capacity in enumerate(capacities, 8)
        ]
        data = {
            "site": str(self._clinic.organisation),
            "division": _TOWN,
            "on": self._day().isoformat(),
            "product": _PRODUCT,
            "slots": slots,
        }
        draft = Draft("slot-supply.opened.v1", new_id(), 0, data)
        _submit(self._parts, self._clinic, self._principal, draft)
        return draft.stream

    def race(self, submitters: int, seats: int) -> Measured:
        """Let people submit for one slot; each counts from the moment at which all began.

        Raises:
            RuntimeError: A seat was sold twice, or one was left over.
        """
        supply = self.open(seats)
        answers, measured = self._all(submitters, lambda _: (supply, 1))
        won = [answer for answer in answers if isinstance(answer, UUID)]
        if len(won) != seats or len(set(won)) != seats or len(answers) != submitters:
            raise RuntimeError(f"{len(won)} won {seats} seats, {len(answers)} were answered.")
        return measured

    def hold(self, seats: int) -> Measured:
        """Let as many people hold seats as there are, in many slots."""
        supplies = [self.open(*[seats // 16 + 2] * 8) for _ in range(4)]
        return self._all(seats, lambda n: (supplies[n % 4], n // 4 % 8 + 1))[1]

    def _all(
        self, people: int, wish: Callable[[int], tuple[UUID, int]]
    ) -> tuple[list[UUID | str], Measured]:
        crowd = [(n, next(self._citizens)) for n in range(people)]
        started = time.perf_counter()

        def submit(numbered: tuple[int, Principal]) -> tuple[UUID | str, float]:
            number, citizen = numbered
            answer = self._submit(citizen, *wish(number))
            return answer, time.perf_counter() - started

        with ThreadPoolExecutor(CALLERS) as pool:
            answers = list(pool.map(submit, crowd))
        seconds = time.perf_counter() - started
        latencies = [answered for _, answered in answers]
        return [answer for answer, _ in answers], Measured(people, seconds, latencies)

    def _submit(self, citizen: Principal, supply: UUID, slot: int) -> UUID | str:
        request: dict[str, Any] = {
            "supply": str(supply),
            "slot": slot,
            "dose_number": 1,
            "channel": "individual",
            "person": _HOME,
        }
        try:
            return self._parts.desk.bookings.hold(citizen, uuid4(), request).stream
        except BookingRefused as refused:
            return str(refused.facts["reason"])

    def _day(self) -> date:
        return civil_day(self._parts.services.clock()) + timedelta(days=next(self._days))


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """The race for the seats of one slot, and holds that nobody races for."""
    rush = Rush(site)
    submitters = pace.amount(SUBMITTERS)
    seats, holds = submitters // 4, pace.amount(1_000)
    note = f"{CALLERS} callers, 1 process; each counts from the common start"
    return [
        Contestant(
            RACE,
            "answers/s",
            lambda _: rush.race(submitters, seats),
            note=f"{note}; exactly as many win as there are seats",
            has_latency=True,
        ),
        Contestant(HOLDS, "holds/s", lambda _: rush.hold(holds), note=note),
    ]


def _citizens() -> Iterator[Principal]:
    """Grown-ups whom nobody has met."""
    for order in count():
        place, within = divmod(order, 1_000)
        first = f"{431100 + place:06}19850601{within:03}"
        number = first + checksum(first)
        identity = VerifiedIdentity("周正", number, None, face_verified=True)
        yield Principal(f"citizen {number}", Role.ADULT, None, "", identity)


def _admit(parts: Parts) -> tuple[AuthorKey, Principal]:
    """A clinic of the area in which the booking rules let people book."""
    operator = AuthorKey(parts.secrets.operator, parts.secrets.root_key)
    clinic = AuthorKey.from_seed(new_id(), parts.services.random(32))
    data = {
        "name": "梅湾接种点",
        "kind": "clinic",
        "division": _TOWN,
        "public_key": clinic.public.hex(),
        "key_proof": clinic.proof_of_possession(parts.settings.origin),
    }
    draft = Draft("organisation.registered.v1", clinic.organisation, 0, data)
    registrar = Principal("operator", Role.OPERATOR, operator.organisation, "")
    _submit(parts, operator, registrar, draft)
    return clinic, Principal("clinic", Role.CLINIC, clinic.organisation, _TOWN)


def _submit(parts: Parts, key: AuthorKey, principal: Principal, draft: Draft) -> None:
    signed = key.sign(parts.settings.origin, draft)
    body = SignedBody.parse(parse(signed.body()))
    parts.desk.submit(body, principal, draft.idempotency_key)
