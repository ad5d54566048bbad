"""What is hidden costs as much as what is missing: the clock tells no more than the body does.

Counted is what an answer asks of the databases, statement by statement; a clock is only read in the
long run.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import count
from statistics import NormalDist, median
from time import perf_counter, process_time
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api.app import create_app
from api.parts import PER_GUESSER
from commands.principal import Principal, Role
from ledger.jcs import canonical
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, admit, citizen
from tests.integration.api.permission_world import FAR_COUNTY, HIDDEN, NORMAL, answer_of
from tests.integration.api.test_permissions_of_things import (
    hand_in_registers,
    hand_in_roll_up,
    kept_of,
)

ASKED: ContextVar[list[str] | None] = ContextVar("asked", default=None)
NEIGHBOURS = {
    "/v1/records/{record}": "clinic",
    "/v1/records/{record}/timeline": "clinic",
    "/v1/records/{record}/access": "clinic",
    "/v1/certificates/{certificate}": "clinic",
    "/v1/certificates/{certificate}/certificate.pdf": "clinic",
    "/v1/visits/{visit}": "clinic",
    "/v1/check-statements/{statement}": "clinic",
    "/v1/check-statements/{statement}.pdf": "school",
    "/v1/register-reports/{registers}.xlsx": "school",
    "/v1/roll-up-reports/{roll_up}": "clinic",
    "/v1/roll-up-reports/{roll_up}.xlsx": "school",
    "/v1/personal": "integrator",
}
STRANGERS = ("/v1/certificates/{certificate}", "/v1/records/{record}/own")
"""Whose they are is known once a person's values are opened, which is seen: told, not bounded."""


@dataclass
class Hidden:
    """What is there, and who may not know it."""

    county: County
    ids: dict[str, UUID]
    callers: dict[str, Principal]


@pytest.fixture(scope="module")
def hidden(county: County) -> Hidden:
    kept = kept_of(county, NORMAL)
    township = admit(county.operator, Role.TOWNSHIP, "township", "township", "410299101")
    ids = {
        "record": kept.record,
        "certificate": kept.certificate,
        "visit": kept.visit,
        "statement": kept.statement,
        "registers": hand_in_registers(county),
        "roll_up": hand_in_roll_up(township),
    }
    integrator = replace(
        county.operator.principal, role=Role.INTEGRATOR, division=FAR_COUNTY, subject="elsewhere"
    )
    stranger: Author = citizen(county.served, id_number(), name="钱生人")
    callers = {
        "clinic": county.far_clinic.principal,
        "school": county.kindergarten.principal,
        "integrator": integrator,
        "citizen": stranger.principal,
    }
    return Hidden(county, ids, callers)


@dataclass
class Desk:
    """An app within this process, and what is asked of it."""

    hidden: Hidden
    http: httpx.AsyncClient
    numbers: Iterator[int]

    async def ask(self, path: str, by: str, *, is_there: bool) -> httpx.Response:
        """Ask for what is hidden or for what is missing, as an account that never asked before."""
        ids = self.hidden.ids if is_there else {name: uuid4() for name in self.hidden.ids}
        who = replace(self.hidden.callers[by], subject=f"asker {next(self.numbers)}")
        bearer = {"Authorization": f"Bearer {self.hidden.county.served.token(who)}"}
        if path != "/v1/personal":
            return await self.http.get(path.format(**ids), headers=bearer)
        sent = {"Content-Type": "application/json", "Access-Purpose": "oversight", **bearer}
        body = canonical({"records": [str(ids["record"])]})
        return await self.http.post(path, content=body, headers=sent)


@asynccontextmanager
async def desk_of(hidden: Hidden) -> AsyncIterator[Desk]:
    served = hidden.county.served
    app = create_app(served.parts, served.views)
    within = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=within, base_url=served.url, timeout=60) as http,
    ):
        yield Desk(hidden, http, count())


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note the statements of whoever has begun a list, in whatever thread.

    An empty one is the pool's, which looks whether a connection that lay idle is still alive.
    """
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
        asked = ASKED.get()
        if asked is not None and query:
            asked.append(str(query))
        return execute(cursor, query, *args, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)


def seen(answer: httpx.Response) -> Any:
    """An answer as it must be for both: the body without the ids that were asked for."""
    if answer.status_code != 200:
        return answer_of(answer)
    body = answer.json()
    return body["parts"], [one["reason"] for one in body["refused"]]


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(("path", "by"), NEIGHBOURS.items())
def test_what_is_hidden_asks_of_the_databases_what_is_missing_does(
    hidden: Hidden, path: str, by: str
):
    async def found_of(desk: Desk, *, is_there: bool) -> tuple[Any, list[str]]:
        work: list[str] = []
        token = ASKED.set(work)
        answer = await desk.ask(path, by, is_there=is_there)
        ASKED.reset(token)
        return seen(answer), work

    async def both() -> list[tuple[Any, list[str]]]:
        async with desk_of(hidden) as desk:
            await desk.ask(path, by, is_there=True)  # what is read once is read
            return [await found_of(desk, is_there=one) for one in (True, False)]

    hit, miss = asyncio.run(both())
    assert miss[0] in (HIDDEN, ([], ["not-found"]))
    assert miss[1], "statements are noted"
    assert hit == miss


PAIRS = 400
SURE = NormalDist().inv_cdf(0.95)


def requests_needed(share: float) -> float:
    """How many requests of each kind tell hidden from missing, wrong one time in twenty.

    Args:
        share: Of all pairs of a hidden and a missing one, those in which the hidden is slower.
    """
    apart = 2**0.5 * NormalDist().inv_cdf(min(max(share, 1e-9), 1 - 1e-9))
    return float("inf") if apart == 0 else 2 * (2 * SURE / apart) ** 2


def share_of(slower: list[float], faster: list[float]) -> float:
    """Mann and Whitney's U over all pairs."""
    won = sum((one > other) + (one == other) / 2 for one in slower for other in faster)
    return won / (len(slower) * len(faster))


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "by"), [*NEIGHBOURS.items(), *((path, "citizen") for path in STRANGERS)]
)
def test_whoever_looks_at_the_clock_must_ask_more_often_than_they_may(
    hidden: Hidden, path: str, by: str
):
    """Read within the process: a network adds noise, and takes nothing away."""

    async def taken(desk: Desk, *, is_there: bool) -> tuple[float, float]:
        began = perf_counter(), process_time()
        await desk.ask(path, by, is_there=is_there)
        return perf_counter() - began[0], process_time() - began[1]

    async def all_taken() -> dict[bool, list[tuple[float, float]]]:
        times: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        async with desk_of(hidden) as desk:
            for number in range(PAIRS):
                for is_there in (True, False) if number % 2 else (False, True):
                    times[is_there].append(await taken(desk, is_there=is_there))
        return times

    times = asyncio.run(all_taken())
    for clock, name in enumerate(("wall", "CPU")):
        hit, miss = ([one[clock] for one in times[is_there]] for is_there in (True, False))
        share, apart = share_of(hit, miss), median(hit) - median(miss)
        needed = requests_needed(share)
        print(
            f"{path} {by} {name}: {1e3 * median(hit):.2f} ms hidden, {1e3 * apart:+.2f} ms,"
            f" hidden slower {share:.3f}, {needed:.0f} requests"
        )
        if by != "citizen":
            assert needed > PER_GUESSER.burst
