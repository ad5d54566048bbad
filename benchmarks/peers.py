"""The peers: what a user would pick instead, in the same PostgreSQL with the same payload.

None of them signs, seals, checks a signature or gives a proof. The event-sourcing library is
named by its persistence module, as its own manual asks; nothing else of it is configured but the
size of its connection pool.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import orjson
import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from benchmarks.contest import Contestant
from benchmarks.ground import Ground
from benchmarks.measuring import Measured, Step, threads

CALLERS = (1, 8, 32, 256)
FEWER_CALLERS = (1, 32, 256)
MOST_CONNECTIONS = 32
LIBRARY = "eventsourcing library"
EVENTS = "events/s"

Make = Callable[[Jsonb], tuple[LiteralString, list[Any]]]
"""The statement of one event and its parameters."""

_INSERT: LiteralString = "INSERT INTO plain (id, body) VALUES (%b, %b)"
_AUDITED: LiteralString = "INSERT INTO dose (id, record, body) VALUES (%b, %b, %b)"
_CHAINED: LiteralString = "SELECT chain(%b, %b)"
_MESSAGE: LiteralString = "SELECT append_message(%b, %b, 'DoseAdministered', %b, NULL, -1)"


def payload() -> dict[str, str]:
    """The clear fields of a dose, 388 bytes as JSON: what every peer stores."""
    return {
        "dose": str(uuid4()),
        "vaccine": "HepB",
        "product": "重组乙型肝炎疫苗",
        "maker": "北京生物",
        "lot": "A20140601",
        "expires_on": "2017-01-31",
        "occurred_on": "2014-08-15",
        "site": "LA",
        "route": "IM",
        "quantity": "0.5 mL",
        "clinic": str(uuid4()),
        "source_system": "programme",
        "recorded_at": "2018-09-03T01:02:03.000004Z",
        "effective_on": "2014-08-16",
    }


def name_of(peer: str, callers: int) -> str:
    """The name of a peer's row."""
    return f"{peer}, {callers_text(callers)}"


def callers_text(callers: int) -> str:
    """So many callers, in words."""
    return f"{callers} caller{'s' if callers > 1 else ''}"


class DoseRecord(Aggregate):
    """One dose as the library's manual writes an aggregate."""

    @event("Administered")
    def __init__(self, data: dict[str, str]) -> None:
        self.data = data


class LibraryApplication(Application[UUID]):
    """The library with all defaults."""

    name = "doses"

    def administer(self) -> None:
        """Save a new aggregate with one event."""
        self.save(DoseRecord(payload()))


@contextmanager
def library(url: str, connections: int) -> Iterator[LibraryApplication]:
    """Open the library over a database."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    application = LibraryApplication(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": parts.path.removeprefix("/"),
            "POSTGRES_HOST": query["host"][0],
            "POSTGRES_PORT": query["port"][0],
            "POSTGRES_USER": parts.username or "",
            "POSTGRES_PASSWORD": "unused",
            "POSTGRES_POOL_SIZE": str(connections),
            "POSTGRES_MAX_OVERFLOW": "0",
        }
    )
    try:
        yield application
    finally:
        application.close()


def of_library(url: str, callers: int, name: str = "") -> Contestant:
    """The library with so many callers."""

    def run(seconds: float) -> Measured:
        with library(url, min(callers, MOST_CONNECTIONS)) as application:

            def step() -> int:
                application.administer()
                return 1

            step()  # tables and connections are there
            return threads([step] * callers, seconds)

    return Contestant(
        name or name_of(LIBRARY, callers), EVENTS, run, callers=callers, has_latency=True
    )


def of_statement(url: str, peer: str, make: Make, callers: int) -> Contestant:
    """A peer that takes one autocommitted statement for each event."""

    def run(seconds: float) -> Measured:
        size = min(callers, MOST_CONNECTIONS)
        with ConnectionPool(
            url, kwargs={"autocommit": True}, min_size=size, max_size=size, timeout=60
        ) as pool:
            pool.wait()
            return threads([_statement_step(pool, make)] * callers, seconds)

    return Contestant(name_of(peer, callers), EVENTS, run, callers=callers, has_latency=True)


def _statement_step(pool: ConnectionPool[psycopg.Connection[Any]], make: Make) -> Step:
    def step() -> int:
        statement, parameters = make(Jsonb(payload(), dumps=orjson.dumps))
        with pool.connection() as connection:
            connection.execute(statement, parameters, prepare=True)
        return 1

    return step


PLAIN = "plain INSERT"
_PEERS: dict[str, Make] = {
    PLAIN: lambda body: (_INSERT, [uuid4(), body]),
    "audit table with trigger": lambda body: (_AUDITED, [uuid4(), uuid4(), body]),
    "hash-chained table": lambda body: (_CHAINED, [uuid4(), body]),
    "message store, advisory lock": lambda body: (
        _MESSAGE,
        [uuid4(), f"vaccinationRecord-{uuid4()}", body],
    ),
}


def contestants(ground: Ground) -> list[Contestant]:
    """Every peer: the library with every number of callers, the others with fewer."""
    url = ground.database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(Path(__file__).with_name("peers.sql").read_bytes())
    entered = [of_library(url, callers) for callers in CALLERS]
    for peer, make in _PEERS.items():
        entered += [of_statement(url, peer, make, callers) for callers in FEWER_CALLERS]
    return entered
