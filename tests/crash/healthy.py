"""Whoever means well, while others do not: clinics, readers and small requests, in an open loop.

Each kind arrives at a fixed rate, however long the answers take, between the arrivals of the
others; a latency counts from the moment at which the request was due.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import count
from urllib.parse import quote
from uuid import UUID

import httpx

from benchmarks.author import Author, operator_of
from benchmarks.measuring import arrivals
from benchmarks.school import Enrolling, SchoolClass
from benchmarks.wire import Lines, connected, request
from bootstrap.wiring import Parts, wire
from client.identifiers import new_id
from client.signing import Draft
from commands.principal import Principal, Role
from examples.kaifeng.dataset import Dataset
from tests.crash.load import COUNTY, DOSES_A_CHILD, TOWNSHIP, dose, registration
from tests.crash.serving import Installation, until

A_SECOND = 40.0
"""Of each kind; all together take some fifth of two processors."""
CONNECTIONS = 16
"""Of each kind; each turn opens its own."""
DOSES, READS, SMALL = KINDS = ("doses", "reads", "small")
_SMALL = ("/version", "/livez", "/checkpoint")
_TOKEN_SECONDS = 3_600
_OK, _CREATED, _LATE = 200, 201, 202

Latencies = dict[str, list[float]]
"""Seconds by kind."""


@dataclass
class _Family:
    """A child whose doses are recorded one after the other."""

    clinic: UUID
    number: int
    record: UUID = field(default_factory=new_id)
    child: UUID | None = None
    version: int = 0

    def next(self) -> tuple[str, Draft]:
        """The next write, and its address: the registration first."""
        if self.child is None:
            self.child, draft = registration(self.clinic, self.number)
            self.record, path = draft.stream, "/v1/records"
        else:
            draft = dose(self.clinic, self.record, self.child, self.version)
            path = f"/v1/records/{self.record}/doses"
        self.version += 1
        return path, draft


class Healthy:
    """A county with a class, and a clinic that records doses.

    Args:
        installation: Which runs.

    Attributes:
        tokens: Of accounts of the clinic and the school that mean no good, by role.
    """

    def __init__(self, installation: Installation) -> None:
        self._port = installation.settings.port
        settings = installation.addresses().settings(installation.settings)
        with wire(settings) as parts:
            clinic, school, self._class = _founded(parts)
            self._clinic, self._county = (
                _token(parts, one) for one in (clinic.principal, self._class.county)
            )
            hostile = (replace(one, subject="hostile") for one in (clinic.principal, school))
            self.tokens = {str(one.role): _token(parts, one) for one in hostile}
        self._key, self._origin = clinic.key, settings.origin
        self._draw = random.Random(2026)
        until(self._is_shown, "the views do not show the class")
        self._numbers = count(1)
        self._families: deque[_Family] = deque()

    def _is_shown(self) -> bool:
        url = f"http://127.0.0.1:{self._port}"
        headers = {"Authorization": f"Bearer {self._county}"}
        with httpx.Client(base_url=url, headers=headers) as http:
            return all(http.get(path, timeout=60).status_code == _OK for path in self._pages())

    def turn(self, seconds: float) -> Latencies:
        """Ask for so long; each request is answered as it should be."""
        return asyncio.run(self._turn(seconds))

    async def _turn(self, seconds: float) -> Latencies:
        steps = (self._record, self._read, self._ask)
        taken = [
            self._arrive(step, number / len(steps) / A_SECOND, seconds)
            for number, step in enumerate(steps)
        ]
        return dict(zip(KINDS, await asyncio.gather(*taken), strict=True))

    async def _arrive(
        self, step: Callable[[Lines], Awaitable[int]], later: float, seconds: float
    ) -> list[float]:
        async with connected(self._port, CONNECTIONS) as lines:
            await asyncio.sleep(later)
            return (await arrivals(lambda: step(lines), A_SECOND, seconds)).latencies

    async def _record(self, lines: Lines) -> int:
        """A dose, or the registration of the child whose eight doses are next, with its receipt.

        One whose checkpoint is two seconds late is answered without it, which takes two seconds.
        """
        if self._families:
            family = self._families.popleft()
        else:
            family = _Family(self._key.organisation, next(self._numbers))
        path, draft = family.next()
        written = self._key.sign(self._origin, draft)
        raw = request(
            "POST",
            path,
            self._clinic,
            written.body(),
            idempotency_key=str(draft.idempotency_key),
            if_match=f'"{draft.expected_version}"',
        )
        answer = await lines.call(raw)
        assert answer.status in {_CREATED, _LATE}, f"{answer.status}: {answer.body[:200]!r}"
        if family.version <= DOSES_A_CHILD:
            self._families.append(family)
        return 1

    async def _read(self, lines: Lines) -> int:
        """A certificate view, a record, its timeline; each tenth time a class table."""
        return await self._get(lines, self._draw.choices(self._pages(), (4, 3, 2, 1))[0])

    async def _ask(self, lines: Lines) -> int:
        return await self._get(lines, self._draw.choice(_SMALL))

    async def _get(self, lines: Lines, path: str) -> int:
        answer = await lines.call(request("GET", path, self._county))
        assert answer.status == _OK, f"{path}: {answer.status}: {answer.body[:200]!r}"
        return 1

    def _pages(self) -> tuple[str, ...]:
        shown = self._class
        record = f"/v1/records/{self._draw.choice(shown.records)}"
        table = f"/v1/institutions/{shown.institution}/classes/{quote(shown.name)}/register"
        return (
            f"/v1/certificates/{self._draw.choice(shown.certificates)}",
            record,
            f"{record}/timeline",
            f"{table}?school_year={shown.school_year}",
        )


def _founded(parts: Parts) -> tuple[Author, Principal, SchoolClass]:
    """A clinic, a school, and its class that is there to be read."""
    cdc = {"name": "测试县疾控中心", "kind": str(Role.COUNTY_CDC), "division": COUNTY}
    door = {"name": "第一门诊", "kind": str(Role.CLINIC), "division": TOWNSHIP}
    clinic = operator_of(parts).admit(new_id(), cdc).admit(new_id(), door)
    dataset = Dataset()
    shown = Enrolling(parts, dataset).write()
    (own,) = (one.data for one in dataset.organisations if one.id == shown.institution)
    school = Principal("school", Role.SCHOOL, shown.institution, own["division"])
    return clinic, school, shown


def _token(parts: Parts, principal: Principal) -> str:
    now = int(time.time())
    return parts.issuer.mint(principal, issued_at=now, lifetime_seconds=_TOKEN_SECONDS)
