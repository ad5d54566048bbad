"""Reads over HTTP from a whole installation, in an open loop: arrivals that wait for nobody.

The log is filled with families of a simulated province; who is looked at is a class of the Kaifeng
data set, whose lives are worked out down to certificates and school checks.
"""

import random
import time
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

import psycopg
import uvloop

from benchmarks.contest import Contestant, Pace, say
from benchmarks.installation import Served
from benchmarks.measuring import Measured, arrivals
from benchmarks.school import Enrolling, SchoolClass
from benchmarks.wire import connected, request
from examples.kaifeng.dataset import Dataset

CERTIFICATE = "GET certificate view"
TIMELINE = "GET timeline of a record"
CLASS_TABLE = "GET class table"
AMONG = ", among "
"""Between what is read and how many children there are, where that is the subject."""
A_SECOND = 300.0
TABLES_A_SECOND = 30.0
"""A class table is a page for a teacher, not for every parent."""
_CONNECTIONS = 64
_LONGER = 4
_CHILDREN = 1_500
_COPIES = 200
_A_MILLION = 40_000
"""Copies of a class of 26."""
_PLANTED = "one class under new ids, a school each, in every read model; its own entries in the log"
_CROWD, _CROWD_PEOPLE = (
    Path(__file__).with_name(name).read_text(encoding="utf-8")
    for name in ("crowd.sql", "crowd_people.sql")
)
_OK = 200

_Make = Callable[[], bytes]


def contestants(served: Served, pace: Pace) -> list[Contestant]:
    """Fill the log, then ask for what people look at most."""
    served.site.grow(served.site.head + 9 * pace.amount(_CHILDREN), is_simulated=True)
    return _among(served, pace.amount(_COPIES))[0]


def population(served: Served, pace: Pace) -> list[Contestant]:
    """The same among the children of a province, by names that say so."""
    started = time.monotonic()
    contestants, children = _among(served, pace.amount(_A_MILLION))
    seconds = time.monotonic() - started
    for one in contestants:
        one.name += f"{AMONG}{children:,} children"
        one.note += f", planted in {seconds:.0f} s"
    say(f"  {children:,} children planted in {seconds:.0f} s: {_PLANTED}")
    return contestants


def _among(served: Served, copies: int) -> tuple[list[Contestant], int]:
    """What is asked for among so many copies of one class, and how many children those are."""
    shown = Enrolling(served.site.parts, Dataset()).write()
    served.await_views()
    _crowd(served, shown, copies)
    among = (1 + copies) * len(shown.records)
    asked = _requests(served, shown, copies)
    return [
        _open_loop(served, name, make, rate, among) for name, (make, rate) in asked.items()
    ], among


def _crowd(served: Served, shown: SchoolClass, copies: int) -> None:
    """Put other children beside those of the log; they are in the read models alone."""
    settings = served.site.parts.settings
    for url, sql in ((settings.database_url, _CROWD), (settings.keys_url, _CROWD_PEOPLE)):
        assert url is not None
        database = urlsplit(url).path
        asked = {
            "institution": shown.institution,
            "copies": copies,
            "records": list(shown.records),
        }
        superuser = urlunsplit(urlsplit(served.superuser_url)._replace(path=database))
        unhurried = "-c statement_timeout=0 -c transaction_timeout=0"
        with psycopg.connect(superuser, options=unhurried) as connection:
            psycopg.ClientCursor(connection).execute(sql.encode(), asked)
        with psycopg.connect(superuser, options=unhurried, autocommit=True) as connection:
            connection.execute("VACUUM")  # or it would be done in the background, while they read
            connection.execute("CHECKPOINT")


def _other(one: UUID, number: int) -> UUID:
    """Who stands in a copy of the class for one of its own; the zeroth copy is the class itself."""
    if number == 0:
        return one
    return UUID(md5(f"{one}{number}".encode(), usedforsecurity=False).hexdigest())


def _requests(served: Served, shown: SchoolClass, copies: int) -> dict[str, tuple[_Make, float]]:
    """What is asked for, of whom of all, and how often a second.

    Timelines are those of the class itself, since only its entries are in the log.
    """
    draw = random.Random(2018)
    county, regulator = served.token(shown.county), served.regulator()
    head = served.site.head

    def proof() -> bytes:
        position = draw.randint(1, head)
        return request("GET", f"/v1/receipts/{position}", regulator, accept="text/plain")

    def certificate() -> bytes:
        which = _other(draw.choice(shown.certificates), draw.randint(0, copies))
        return request("GET", f"/v1/certificates/{which}", county)

    def timeline() -> bytes:
        return request("GET", f"/v1/records/{draw.choice(shown.records)}/timeline", county)

    def table() -> bytes:
        school = _other(shown.institution, draw.randint(0, copies))
        path = f"/v1/institutions/{school}/classes/{quote(shown.name)}/register"
        return request("GET", f"{path}?school_year={shown.school_year}", county)

    return {
        "GET proof": (proof, A_SECOND),
        "GET certificate view": (certificate, A_SECOND),
        "GET timeline of a record": (timeline, A_SECOND),
        f"GET class table, {len(shown.records)} children": (table, TABLES_A_SECOND),
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
