"""Parked messages: sent to a subscriber as often as allowed, and never acknowledged.

The server says so once for each, and a stream keeps what it says. A message is parked for as long
as its position lies beyond the subscriber's floor; `retry` lets the server send everything again
from the first one, and whatever the subscriber has already it recognises by its position.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from client import feed
from client.durables import Durable

_FETCH = 500
_FETCH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that a subscriber does not get any more.

    Attributes:
        durable: The subscriber's consumer.
        position: Of the message.
        deliveries: How often it was sent.
        at: When the server gave up.
    """

    durable: str
    position: int
    deliveries: int
    at: datetime


async def parked(js: JetStreamContext, durable: Durable) -> list[Parked]:
    """Return the parked messages of a subscriber, by position.

    Raises:
        nats.errors.Error: If the server does not answer or refuses us.
    """
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True
    )
    subject = feed.PARKED_SUBJECTS.replace("*", durable.name)
    subscription = await js.pull_subscribe(subject, stream=feed.PARKED, config=config)
    found: dict[int, Parked] = {}
    try:
        left = (await subscription.consumer_info()).num_pending or 0
        while left > 0:
            for message in await subscription.fetch(min(left, _FETCH), timeout=_FETCH_SECONDS):
                one = _read(message.data)
                found[one.position] = one
                left -= 1
    finally:
        await subscription.unsubscribe()
    return [found[position] for position in sorted(found) if position > durable.floor]


async def retry(js: JetStreamContext, durable: Durable) -> int:
    """Let the server send a subscriber again what it has not acknowledged; return from where.

    Raises:
        nats.errors.Error: If the server does not answer or refuses us, or is older than 2.14.
    """
    return int((await js.reset_consumer(feed.ENTRIES, durable.name)).reset_seq)


def _read(advisory: bytes) -> Parked:
    said = json.loads(advisory)
    at = datetime.fromisoformat(said["timestamp"][:19] + "+00:00")
    return Parked(said["consumer"], said["stream_seq"], said["deliveries"], at)
