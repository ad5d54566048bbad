"""Proofs over HTTP from trees of growing height: what a proof costs may grow with log n only.

The trees have leaves of random bytes and no entries: proofs are made of tiles alone.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import psycopg
import uvloop

from benchmarks.contest import Contestant, Pace
from benchmarks.ground import Ground
from benchmarks.installation import free_port
from benchmarks.measuring import Measured, arrivals
from benchmarks.wire import connected, request
from bootstrap.leash import leashed
from bootstrap.log_keys import installation_secrets, log_signer
from bootstrap.migrate import migrate_all
from bootstrap.settings import Settings
from ledger.checkpoint import Checkpoint
from ledger.frontier import Frontier
from ledger.hashing import HASH_BYTES
from ledger.tiles import (
    needed_tiles_for_consistency,
    needed_tiles_for_inclusion,
    tiles_for_growth,
)

PROOF = "GET proof, any two sizes"
A_SECOND = 300.0
SIZES = (10_000, 100_000, 1_000_000)
_CONNECTIONS = 64
_LONGER = 2
_DRAWN = 2_000
_OK = 200
_PATIENCE_SECONDS = 60.0


def contestants(ground: Ground, stack: ExitStack, pace: Pace) -> list[Contestant]:
    """Inclusion and consistency in turns, from each tree, at 300 arrivals a second."""
    found = []
    for size in sorted({pace.amount(size) for size in SIZES}):
        port = stack.enter_context(_serving(ground, size))
        found.append(_open_loop(port, size))
    return found


def _open_loop(port: int, size: int) -> Contestant:
    draw = random.Random(size)

    def make() -> bytes:
        one, other = draw.randrange(size), draw.randint(1, size)
        if draw.random() < 1 / 2:
            return request("GET", f"/v1/proofs/inclusion?index={one}&size={size}")
        return request("GET", f"/v1/proofs/consistency?old={min(one, other)}&new={max(one, other)}")

    async def work(seconds: float) -> Measured:
        async with connected(port, _CONNECTIONS) as lines:

            async def step() -> int:
                answer = await lines.call(make())
                if answer.status != _OK:
                    raise RuntimeError(f"{answer.status}: {answer.body[:200]!r}")
                return 1

            return await arrivals(step, A_SECOND, _LONGER * seconds)

    return Contestant(
        f"{PROOF} of {size:,} leaves",
        "answers/s",
        lambda seconds: uvloop.run(work(seconds)),
        note=f"{A_SECOND:.0f} arrivals/s whatever happens; {_most_reads(size)} tiles read at most",
        has_latency=True,
    )


def _most_reads(size: int) -> int:
    """How many tiles the dearest of many proofs is made of."""
    draw = random.Random(size)
    pairs = [sorted((draw.randrange(size), draw.randint(1, size))) for _ in range(_DRAWN)]
    return max(
        *(len(needed_tiles_for_inclusion(one, size)) for one, _ in pairs if one < size),
        *(len(needed_tiles_for_consistency(one, other)) for one, other in pairs),
    )


@contextmanager
def _serving(ground: Ground, size: int) -> Iterator[int]:
    """The HTTP interface alone, over a tree of so many leaves."""
    log, keys = ground.pair()
    migrate_all(log, keys)
    settings = Settings(
        data_dir=ground.new_folder("tall"),
        database_url=log,
        keys_url=keys,
        port=free_port(),
        log_level="ERROR",
    )
    _plant(settings, log, size)
    process = subprocess.Popen(
        leashed([sys.executable, "-W", "ignore", "-m", "api"], death_signal=signal.SIGTERM),
        env=settings.environment(),
        stdin=subprocess.DEVNULL,
    )
    try:
        _await_answer(settings.port)
        yield settings.port
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _plant(settings: Settings, url: str, size: int) -> None:
    leaves = [os.urandom(HASH_BYTES) for _ in range(size)]
    frontier = Frontier()
    frontier.extend(leaves)
    signer = log_signer(settings, installation_secrets(settings))
    note = signer.sign(Checkpoint(settings.origin, size, frontier.root()), int(time.time()))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY ledger.tiles (level, index, hashes) FROM STDIN") as copy:
            for tile in tiles_for_growth(0, leaves, lambda *_: b""):
                copy.write_row(tile)
        cursor.execute(
            "UPDATE ledger.checkpoint"
            " SET size = %(n)s, note = %(note)s, published = %(n)s, published_note = %(note)s",
            {"n": size, "note": note},
        )


def _await_answer(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            line = HTTPConnection("127.0.0.1", port, 1.0)
            line.request("GET", "/checkpoint")
            if line.getresponse().status == _OK:
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("The interface does not answer.")
        time.sleep(0.05)
