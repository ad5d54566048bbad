"""Reads over HTTP from a whole installation, in an open loop: arrivals that wait for nobody."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import psycopg
import uvloop

from benchmarks.contest import Contestant, Pace
from benchmarks.installation import Served
from benchmarks.measuring import Measured, arrivals
from benchmarks.school import Enrolling, SchoolClass
from benchmarks.wire import connected, request
from examples.kaifeng.dataset import Dataset

CERTIFICATE = "GET certificate view"
TIMELINE = "GET timeline of a record"
CLASS_TABLE = "GET class table"
A_SECOND = 300.0
TABLES_A_SECOND = 30.0
"""A class table is a page for a teacher, not for every parent."""
_CONNECTIONS = 64
_LONGER = 4
_CHILDREN = 1_500
_COPIES = 200
_CROWD = Path(__file__).with_name("crowd.sql").read_text(encoding="utf-8")
_OK = 200

_Make = Callable[[], bytes]


def contestants(served: Served, pace: Pace) -> list[Contestant]:
    """Fill the log, then ask for what people look at most."""
    shown = Enrolling(served.site.parts, Dataset()).write()
    served.site.grow(served.site.head + 9 * pace.amount(_CHILDREN))
    served.await_views()
    copies = pace.amount(_COPIES)
    _crowd(served, shown, copies)
    among = copies * len(shown.records)
    asked = _requests(served, shown)
    return [_open_loop(served, name, make, rate, among) for name, (make, rate) in asked.items()]


def _crowd(served: Served, shown: SchoolClass, copies: int) -> None:
    """Put other children beside those who are read; they are in the read models alone."""
    unhurried = "-c statement_timeout=0 -c transaction_timeout=0"
    with psycopg.connect(served.superuser_url, options=unhurried) as connection:
        asked = {"institution": shown.institution, "copies": copies}
        psycopg.ClientCursor(connection).execute(_CROWD.encode(), asked)


def _requests(served: Served, shown: SchoolClass) -> dict[str, tuple[_Make, float]]:
    """What is asked for, and how often a second."""
    draw = random.Random(2018)
    county, regulator = served.token(shown.county), served.regulator()
    head = served.site.head
    register = (
        f"/v1/institutions/{shown.institution}/classes/{quote(shown.name)}/register"
        f"?school_year={shown.school_year}"
    )

    def proof() -> bytes:
        position = draw.randint(1, head)
        return request("GET", f"/v1/receipts/{position}", regulator, accept="text/plain")

    def of(path: str, ids: Sequence[UUID], rest: str = "") -> _Make:
        return lambda: request("GET", f"{path}/{draw.choice(ids)}{rest}", county)

    return {
        "GET proof": (proof, A_SECOND),
        CERTIFICATE: (of("/v1/certificates", shown.certificates), A_SECOND),
        TIMELINE: (of("/v1/records", shown.records, "/timeline"), A_SECOND),
        f"{CLASS_TABLE}, {len(shown.records)} children": (
            lambda: request("GET", register, county),
            TABLES_A_SECOND,
        ),
    }


def _open_loop(served: Served, name: str, make: _Make, rate: float, among: int) -> Contestant:
    async def work(seconds: float) -> Measured:
        async with connected(served.port, _CONNECTIONS) as lines:

            async def step() -> int:
                answer = await lines.call(make())
                if answer.status != _OK:
                    raise RuntimeError(f"{answer.status}: {answer.body[:200]!r}")
                return 1

            return await arrivals(step, rate, _LONGER * seconds)

    return Contestant(
        name,
        "answers/s",
        lambda seconds: uvloop.run(work(seconds)),
        note=f"{rate:.0f} arrivals/s whatever happens; among {among:,} children",
        has_latency=True,
    )
