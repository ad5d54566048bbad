"""The opening rush: far more people than seats, all at once, at the command level.

The commands run in two processes, as behind two APIs: one interpreter has one core.
"""

import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from benchmarks import submitting
from benchmarks.contest import Contestant, Pace
from benchmarks.measuring import Measured
from benchmarks.site import Site
from benchmarks.submitting import Task
from bootstrap.leash import leashed
from bootstrap.settings import Settings
from bootstrap.wiring import Parts
from client.identifiers import new_id
from client.signing import AuthorKey, Draft
from commands.principal import Principal, Role
from commands.signed_body import SignedBody
from domain.calendar import civil_day
from ledger.jcs import parse

RACE = "2,000 submitters race for 500 seats"
HOLDS = "seats held, of distinct slots"
SUBMITTERS, CALLERS, PROCESSES = 2_000, 256, 2
_WARM = 2_000
"""People before the first turn: pools are open and statements prepared, as hours after a start.

With 200 the first race took twice as long as the next.
"""

_REPOSITORY = Path(__file__).resolve().parents[1]
_TOWN, _PRODUCT = "431103001", "inactivated_vero"
_SLOTS, _SUPPLIES = 8, 4


class Node:
    """A process that decides bookings.

    Args:
        settings: Of the log.
        stack: Ends the process in the end.
    """

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        words = [sys.executable, "-m", submitting.__name__, str(CALLERS // PROCESSES)]
        self._process = subprocess.Popen(
            leashed(words, death_signal=signal.SIGTERM),
            cwd=_REPOSITORY,
            env=settings.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(self._process)
        stack.callback(self._process.terminate)

    def await_ready(self) -> None:
        """Wait until it has said so.

        Raises:
            RuntimeError: It died instead.
        """
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != submitting.READY:
            raise RuntimeError("A process that books did not start.")

    def say(self, line: str) -> None:
        """Give it a line."""
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def answers(self) -> list[tuple[str, float]]:
        """What became of its task: a stream or a reason, and when."""
        assert self._process.stdout is not None
        return [(answer, at) for answer, at in json.loads(self._process.stdout.readline())]


class Rush:
    """A site that opens seats, and people who want them.

    Args:
        parts: The write side of the log.
        stack: Ends the processes.
    """

    def __init__(self, parts: Parts, stack: ExitStack) -> None:
        self._parts = parts
        self._stack = stack
        self._days = count(1)
        self._people = 0
        self._nodes: list[Node] = []
        self._clinic, self._principal = _admit(parts)

    def prepare(self) -> None:
        """Start the processes, and let each book for a while; once."""
        if self._nodes:
            return
        settings = self._parts.settings.model_copy(update={"log_level": "ERROR"})
        self._nodes = [Node(settings, self._stack) for _ in range(PROCESSES)]
        for node in self._nodes:
            node.await_ready()
        self.hold(_WARM)

    def open(self, *capacities: int) -> str:
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
        return str(draft.stream)

    def race(self, submitters: int, seats: int) -> Measured:
        """Let people submit for one slot; each counts from the moment at which all began.

        Raises:
            RuntimeError: A seat was sold twice, or one was left over.
        """
        answers, measured = self._all(submitters, [self.open(seats)], 1)
        won = {answer for answer in answers if answer != "no_slot"}
        if len(won) != seats or answers.count("no_slot") != submitters - seats:
            raise RuntimeError(f"{len(won)} won {seats} seats, {len(answers)} were answered.")
        return measured

    def hold(self, seats: int) -> Measured:
        """Let as many people hold seats as there are, in many slots."""
        capacity = seats // (_SUPPLIES * _SLOTS) + PROCESSES
        supplies = [self.open(*[capacity] * _SLOTS) for _ in range(_SUPPLIES)]
        return self._all(seats, supplies, _SLOTS)[1]

    def _all(self, people: int, supplies: list[str], slots: int) -> tuple[list[str], Measured]:
        for node in self._nodes:
            task = Task(self._people, people // PROCESSES, supplies, slots)
            self._people += task.people
            node.say(json.dumps(task))
        for node in self._nodes:
            node.await_ready()
        started = time.perf_counter()
        for node in self._nodes:
            node.say("begin")
        told = [one for node in self._nodes for one in node.answers()]
        latencies = [at - started for _, at in told]
        return [answer for answer, _ in told], Measured(len(told), max(latencies), latencies)

    def _day(self) -> date:
        return civil_day(self._parts.services.clock()) + timedelta(days=next(self._days))


def contestants(site: Site, stack: ExitStack, pace: Pace) -> list[Contestant]:
    """The race for the seats of one slot, and holds that nobody races for."""
    rush = Rush(site.parts, stack)
    submitters = pace.amount(SUBMITTERS) // PROCESSES * PROCESSES
    seats, holds = submitters // 4, pace.amount(1_000)
    note = f"{CALLERS} callers, {PROCESSES} processes; each counts from the common start"
    return [
        Contestant(
            RACE,
            "answers/s",
            lambda _: rush.race(submitters, seats),
            rush.prepare,
            note=f"{note}; exactly as many win as there are seats",
            has_latency=True,
        ),
        Contestant(HOLDS, "holds/s", lambda _: rush.hold(holds), rush.prepare, note=note),
    ]


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
