"""The feed as a subscriber has it: a real consumer, counted message by message."""

import json
from dataclasses import dataclass

import nats
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bootstrap.addresses import Addresses
from tests.crash.counting import Findings, Logged

STREAM = "VAX"
CHECKPOINTS = "VAX-CHECKPOINTS"
_FETCH = 250


@dataclass(frozen=True)
class Told:
    """A message of a stream."""

    sequence: int
    subject: str
    body: bytes


async def last_sequence(addresses: Addresses) -> int:
    """The last sequence of the entries' stream; 0 while there is none."""
    connection = await _connect(addresses)
    try:
        return (await connection.jetstream().stream_info(STREAM)).state.last_seq
    except nats.js.errors.NotFoundError:
        return 0
    finally:
        await connection.close()


async def read_streams(addresses: Addresses) -> tuple[list[Told], list[Told]]:
    """All messages of the entries' and of the checkpoints' stream, by real consumers."""
    connection = await _connect(addresses)
    try:
        js = connection.jetstream()
        return await _read(js, STREAM), await _read(js, CHECKPOINTS)
    finally:
        await connection.close()


async def _connect(addresses: Addresses) -> nats.NATS:
    return await nats.connect(
        addresses.nats_url,
        user=addresses.nats_user,
        password=addresses.nats_password,
        allow_reconnect=False,
    )


async def _read(js: JetStreamContext, stream: str) -> list[Told]:
    state = (await js.stream_info(stream)).state
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True
    )
    subscription = await js.pull_subscribe(">", stream=stream, config=config)
    told: list[Told] = []
    while len(told) < state.messages:
        for message in await subscription.fetch(_FETCH, timeout=60):
            sequence = message.metadata.sequence.stream
            told.append(Told(sequence, message.subject, message.data))
    await subscription.unsubscribe()
    return told


def count_feed(findings: Findings, told: list[Told], log: list[Logged]) -> None:
    """Check that the stream is the log: sequence = position, same bytes, no gap, none twice."""
    findings.counts["messages"] = len(told)
    sequences = [one.sequence for one in told]
    findings.expect_same_order("sequences not dense", sequences, [row.position for row in log])
    wrong = (row.position for one, row in zip(told, log, strict=False) if not _is_of(one.body, row))
    findings.expect("messages that differ from their entry", wrong)


def _is_of(body: bytes, row: Logged) -> bool:
    said = json.loads(body)
    return (
        (said["ledgerposition"], said["leafhash"]) == (str(row.position), row.leaf.hex())
        and said["data"] == row.entry
        and body.endswith(b'"data":' + row.raw + b"}")
    )
