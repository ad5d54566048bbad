"""Ours at command level: what the writer appends, what the desk decides.

The writer's rows start from submissions that are ready: checked, sealed and encoded beforehand.
The desk's rows start from parsed bodies and do everything: key and signature, loading the record,
permission, the domain's decision, sealing, encoding, the append; their doses are those of simulated
families, where the writer's are uniform: equal entries, beside a peer's equal documents.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from uuid import UUID

import uvloop

from benchmarks import peers
from benchmarks.clinic import DOSES_A_CHILD, Clinic, Dose
from benchmarks.contest import Contestant, Pace
from benchmarks.measuring import Measured, Step, tasks, threads
from benchmarks.site import Site
from commands.desk import Desk
from commands.principal import Principal
from commands.signed_body import SignedBody
from ledger.dsse import verify_envelope
from ledger.store.append import Append, Guard
from ledger.store.writer import Writer

READY = "append, ready submissions"
FOLLOWED = "append, ready submissions, integrator running"
SEALED = "seal, encode, append"
SIGNED = "check signature, seal, encode, append"
DESK = "desk, everything"
CHECKED_BEFORE = "desk, signature checked beforehand"
_READY_AMOUNT = {1: 800, 32: 4_000, 256: 5_000}
_MADE_AMOUNT = 3_000
_DESK_AMOUNT = {1: 400, 32: 2_000, 256: 4_096}
_DESK_LONGER = 2
_LIMIT_SECONDS = 20.0


class TrustingDesk(Desk):
    """A desk whose signatures somebody else has checked."""

    def _verify(self, body: SignedBody, principal: Principal) -> Guard:
        del body
        assert principal.organisation is not None
        return self._services.directory.guard(principal.organisation)


class Pile:
    """Doses that are prepared before a turn and appended in it.

    Args:
        site: The log.
        amount: How many.
        is_simulated: Of families of a simulated province, and some more then, so that no child's
            last doses are left out; else of uniform children, for what never looks inside.
    """

    def __init__(self, site: Site, amount: int, *, is_simulated: bool = False) -> None:
        self.site = site
        self.amount = amount
        self._is_simulated = is_simulated
        self.lanes: list[list[Dose]] = []

    @property
    def clinic(self) -> Clinic:
        """Who writes."""
        return self.site.clinic

    def prepare(self) -> None:
        """Cover what is there by a checkpoint first, where no integrator runs."""
        self.site.integrate()
        self.sign()

    def sign(self, *, as_batches: int = 1) -> None:
        """Register new children and sign their doses, so many under one signature."""
        if self._is_simulated:
            children = self.clinic.settle(self.amount)
        else:
            children = self.clinic.register(-(-self.amount // DOSES_A_CHILD))
        self.lanes = self.clinic.doses(children, as_batches=as_batches)

    def appends(self, now: datetime | None = None) -> list[Append]:
        """Return the doses as the store takes them: first doses first, all at one time."""
        now = now or self.site.parts.services.clock()
        rounds = zip(*self.lanes, strict=True)
        return [self.clinic.dose_append(dose, now) for some in rounds for dose in some]


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """Ours with as many callers as the peers."""
    desk = Desk(site.parts.services)
    trusting = TrustingDesk(site.parts.services)
    entered = [_ready(site, pace, callers) for callers in peers.FEWER_CALLERS]
    entered += [
        _followed(site, pace, peers.CALLERS[-1]),
        _made(site, pace, SEALED, checks=False),
        _made(site, pace, SIGNED, checks=True),
    ]
    entered += [_desk(site, pace, (DESK, desk), callers) for callers in peers.FEWER_CALLERS]
    return [*entered, _desk(site, pace, (CHECKED_BEFORE, trusting), peers.CALLERS[-1])]


def _ready(site: Site, pace: Pace, callers: int) -> Contestant:
    pile = Pile(site, pace.amount(_READY_AMOUNT[callers]))
    waiting: list[Append] = []

    def prepare() -> None:
        pile.prepare()
        waiting[:] = pile.appends()

    return _of_waiting(peers.name_of(READY, callers), pile, callers, waiting, prepare)


def _of_waiting(
    name: str, pile: Pile, callers: int, waiting: list[Append], prepare: Callable[[], None]
) -> Contestant:
    def run(_seconds: float) -> Measured:
        return uvloop.run(append(pile.site.writer, waiting, callers))

    return Contestant(
        name,
        peers.EVENTS,
        run,
        prepare,
        beside=peers.name_of(peers.LIBRARY, callers),
        callers=callers,
        has_latency=True,
    )


async def append(writer: Writer, waiting: Sequence[Append], callers: int) -> Measured:
    """Append from so many tasks, each waiting for its answer before its next."""
    following = iter(waiting)

    async def step() -> int:
        append = next(following, None)
        if append is None:
            return 0
        return (await asyncio.wrap_future(writer.submit(append))).count

    return await tasks(step, callers, _LIMIT_SECONDS)


def _followed(site: Site, pace: Pace, callers: int) -> Contestant:
    pile = Pile(site, pace.amount(_READY_AMOUNT[callers]))
    waiting: list[Append] = []
    stack = ExitStack()

    def prepare() -> None:
        pile.prepare()
        site.integrate()
        stack.enter_context(site.following())
        waiting[:] = pile.appends()

    entered = _of_waiting(peers.name_of(FOLLOWED, callers), pile, callers, waiting, prepare)
    run = entered.run

    def run_followed(seconds: float) -> Measured:
        with stack:
            return run(seconds)

    entered.run = run_followed
    return entered


def _made(site: Site, pace: Pace, name: str, *, checks: bool) -> Contestant:
    callers = peers.CALLERS[-1]
    pile = Pile(site, pace.amount(_MADE_AMOUNT))

    def run(_seconds: float) -> Measured:
        return uvloop.run(_make(pile, callers, checks=checks))

    return Contestant(
        peers.name_of(name, callers),
        peers.EVENTS,
        run,
        pile.prepare,
        beside=peers.name_of(peers.LIBRARY, callers),
        callers=callers,
        has_latency=True,
    )


async def _make(pile: Pile, callers: int, *, checks: bool) -> Measured:
    following = iter([dose for some in zip(*pile.lanes, strict=True) for dose in some])
    clinic, writer = pile.clinic, pile.site.writer

    async def step() -> int:
        dose = next(following, None)
        if dose is None:
            return 0
        if checks:
            verify_envelope(dose.write.envelope, clinic.key.public)
        append = clinic.dose_append(dose, pile.site.parts.services.clock())
        return (await asyncio.wrap_future(writer.submit(append))).count

    return await tasks(step, callers, _LIMIT_SECONDS)


def _desk(site: Site, pace: Pace, which: tuple[str, Desk], callers: int) -> Contestant:
    name, desk = which
    pile = Pile(site, pace.amount(_DESK_AMOUNT[callers]), is_simulated=True)
    bodies: list[list[tuple[SignedBody, UUID]]] = []

    def prepare() -> None:
        pile.prepare()
        bodies[:] = [
            [(dose.body(), dose.write.statement.idempotency_key) for dose in lane]
            for lane in pile.lanes
        ]

    def run(seconds: float) -> Measured:
        lanes = iter(bodies)
        lock = threading.Lock()
        submit = partial(_hand_in, desk, pile.clinic.principal)
        return threads(
            [_desk_step(lanes, lock, submit) for _ in range(callers)], _DESK_LONGER * seconds
        )

    return Contestant(
        peers.name_of(name, callers),
        peers.EVENTS,
        run,
        prepare,
        beside=peers.name_of(peers.LIBRARY, callers),
        callers=callers,
        has_latency=True,
    )


def _hand_in(desk: Desk, principal: Principal, work: tuple[SignedBody, UUID]) -> None:
    body, key = work
    desk.submit(body, principal, key)


def _desk_step(
    lanes: Iterator[list[tuple[SignedBody, UUID]]],
    lock: threading.Lock,
    submit: Callable[[tuple[SignedBody, UUID]], None],
) -> Step:
    """A caller who takes one child after the other, and its doses in their order."""
    lane: list[tuple[SignedBody, UUID]] = []

    def step() -> int:
        if not lane:
            with lock:
                lane.extend(reversed(next(lanes, [])))
        if not lane:
            return 0
        submit(lane.pop())
        return 1

    return step
