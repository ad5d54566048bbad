"""Floors and ceilings: what this machine, its disk, its cryptography and its servers can at all."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from uuid import uuid4

import nats
import orjson
import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from nats.aio.client import Client as Connection

from benchmarks.contest import Contestant, Pace
from benchmarks.ground import Ground
from benchmarks.measuring import Measured, Step, alone, once, threads
from benchmarks.peers import EVENTS, payload
from client import feed

VERIFY = "Ed25519 verify, 1 core"
VERIFY_ALL = "Ed25519 verify, all cores"
LEAF = "SHA-256 of an entry"
COPY = "binary COPY into one table"
INSERT = "INSERT and commit, 1 connection"
NATS_BATCH = "NATS atomic batches of 500"

SIGNATURES = "signatures/s"
ENTRY_BYTES = 950
"""About what a dose's entry has."""

_CHUNK = 200
_BLOCK_BYTES = 8_192
_BATCH = 500
_ANSWER_SECONDS = 10.0


def contestants(ground: Ground, pace: Pace) -> list[Contestant]:
    """All floors and ceilings."""
    return [*_cryptography(), _fsync(ground), *_postgres(ground, pace), *_nats(ground, pace)]


def _cryptography() -> list[Contestant]:
    entry = os.urandom(ENTRY_BYTES)
    key = Ed25519PrivateKey.generate()
    curve = ec.generate_private_key(ec.SECP256R1())
    public, algorithm = curve.public_key(), ec.ECDSA(SHA256())
    signature = curve.sign(entry, algorithm)
    return [
        bare_hash(LEAF),
        _alone("Ed25519 sign, 1 core", SIGNATURES, _many(lambda: key.sign(entry))),
        bare_verify(VERIFY),
        bare_verify_everywhere(VERIFY_ALL, VERIFY),
        _alone(
            "ES256 verify, 1 core",
            SIGNATURES,
            _many(lambda: public.verify(signature, entry, algorithm)),
        ),
    ]


def bare_hash(name: str, size: int = ENTRY_BYTES) -> Contestant:
    """SHA-256 alone, as a ceiling."""
    content = os.urandom(size)
    return _alone(name, "hashes/s", _many(lambda: sha256(content).digest()))


def bare_verify(name: str) -> Contestant:
    """Ed25519 verification alone, as a ceiling."""
    return _alone(name, SIGNATURES, _verification())


def bare_verify_everywhere(name: str, beside: str) -> Contestant:
    """Ed25519 verification alone on all cores, as a ceiling."""
    cores, verify = os.cpu_count() or 1, _verification()
    return Contestant(
        name,
        SIGNATURES,
        lambda seconds: threads([verify] * cores, seconds),
        beside=beside,
        note=f"{cores} threads",
    )


def _verification() -> Step:
    """One key and many signatures: a processor learns the branches of one that comes again."""
    key = Ed25519PrivateKey.generate()
    entries = [os.urandom(ENTRY_BYTES) for _ in range(_CHUNK)]
    signed = [(key.sign(entry), entry) for entry in entries]
    public = key.public_key()

    def step() -> int:
        for signature, entry in signed:
            public.verify(signature, entry)
        return _CHUNK

    return step


def _many(call: Callable[[], object]) -> Step:
    """Many calls as one step, so that the clock is not what is measured."""

    def step() -> int:
        for _ in range(_CHUNK):
            call()
        return _CHUNK

    return step


def _alone(name: str, unit: str, step: Step) -> Contestant:
    return Contestant(name, unit, lambda seconds: alone(step, seconds))


def _fsync(ground: Ground) -> Contestant:
    block = os.urandom(_BLOCK_BYTES)

    def run(seconds: float) -> Measured:
        path = ground.new_folder("fsync") / "file"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, block)

        def step() -> int:
            os.pwrite(descriptor, block, 0)
            os.fdatasync(descriptor)
            return 1

        try:
            return alone(step, seconds)
        finally:
            os.close(descriptor)

    return Contestant("write 8 KiB and fdatasync", "syncs/s", run, has_latency=True)


def _postgres(ground: Ground, pace: Pace) -> list[Contestant]:
    url = ground.database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE floor (id uuid PRIMARY KEY, body jsonb NOT NULL)")
        connection.execute("CREATE TABLE copied (id uuid NOT NULL, body bytea NOT NULL)")
    amount = pace.amount(50_000)
    return [
        Contestant(
            INSERT, EVENTS, lambda seconds: _insert(url, seconds), has_latency=True, callers=1
        ),
        Contestant(
            "INSERT and commit, pipelined by 100",
            EVENTS,
            lambda s: _pipelined(url, s),
            beside=INSERT,
        ),
        Contestant(COPY, EVENTS, lambda _: _copy(url, amount), beside=INSERT),
    ]


_INSERT = b"INSERT INTO floor (id, body) VALUES (%b, %b::text::jsonb)"


def _insert(url: str, seconds: float) -> Measured:
    with psycopg.connect(url, autocommit=True) as connection:

        def step() -> int:
            connection.execute(_INSERT, [uuid4(), orjson.dumps(payload()).decode()], prepare=True)
            return 1

        return alone(step, seconds)


def _pipelined(url: str, seconds: float) -> Measured:
    with psycopg.connect(url, autocommit=True) as connection:

        def step() -> int:
            with connection.pipeline():
                for _ in range(100):
                    body = orjson.dumps(payload()).decode()
                    connection.execute(_INSERT, [uuid4(), body], prepare=True)
            return 100

        return alone(step, seconds)


def _copy(url: str, amount: int) -> Measured:
    rows = [(uuid4(), orjson.dumps(payload())) for _ in range(amount)]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:

        def work() -> int:
            with cursor.copy("COPY copied (id, body) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["uuid", "bytea"])
                for row in rows:
                    copy.write_row(row)
            connection.commit()
            return amount

        return once(work)


def _nats(ground: Ground, pace: Pace) -> list[Contestant]:
    amount = pace.amount(40) * _BATCH

    def run(_seconds: float) -> Measured:
        bodies = [orjson.dumps(payload()) for _ in range(amount)]
        return asyncio.run(bare_batches(ground, bodies, _BATCH))

    return [Contestant(NATS_BATCH, EVENTS, run)]


async def bare_batches(ground: Ground, bodies: Sequence[bytes], size: int) -> Measured:
    """Publish bodies in atomic batches to a stream that is synced, as a ceiling."""
    server = ground.nats
    connection = await nats.connect(
        server.url, user=server.admin_user, password=server.admin_password
    )
    stream = f"BENCH-{uuid4().hex}"
    try:
        config = feed.entries_config(1)
        config.name, config.subjects = stream, [f"bench.{stream}"]
        config.deny_delete = config.deny_purge = False
        await connection.jetstream().add_stream(config)
        loop = asyncio.get_running_loop()
        started = loop.time()
        for batch in _batches(bodies, size):
            await _send(connection, f"bench.{stream}", batch)
        measured = Measured(len(bodies), loop.time() - started)
        await connection.jetstream().delete_stream(stream)
    finally:
        await connection.close()
    return measured


def _batches(bodies: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(bodies), size):
        yield bodies[start : start + size]


async def _send(connection: Connection, subject: str, bodies: Sequence[bytes]) -> None:
    """Store a batch whole or not at all; its last message is answered when it is on disk."""
    batch = uuid4().hex
    for number, body in enumerate(bodies, 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if number < len(bodies):
            await connection.publish(subject, body, headers=headers)
            continue
        headers["Nats-Batch-Commit"] = "1"
        reply = await connection.request(subject, body, _ANSWER_SECONDS, headers=headers)
        answer = orjson.loads(reply.data)
        if "error" in answer or answer.get("count") != len(bodies):
            raise RuntimeError(f"The server did not take the batch: {answer}")
