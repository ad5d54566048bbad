"""Some of the feed's subscribers, in a process of their own, and when each message reached them.

    python -m benchmarks.receiving BEFORE UNTIL CREDENTIALS...

Says `ready` when each of them has the position BEFORE, and in the end, in one line of JSON, what
came behind it up to UNTIL: pairs of position and `time.perf_counter`, which on Linux is one clock
for all processes.
"""

import asyncio
import json
import sys
import time
from contextlib import aclosing
from pathlib import Path

from client.continuity import Continuity
from client.credentials import Credentials
from client.subscribe import Subscription

READY = "ready"


async def _receive(
    credentials: Credentials, before: int, until: int, ready: asyncio.Event
) -> list[tuple[int, float]]:
    told: list[tuple[int, float]] = []
    subscription = Subscription(credentials.server(), Continuity(), durable=credentials.durable)
    async with aclosing(subscription.events()) as events:
        async for event in events:
            if event.position > before:
                told.append((event.position, time.perf_counter()))
            await event.ack()
            if event.position == before:
                ready.set()
            if event.position == until:  # asked for no end, it does not take a pause for one
                break
    return told


async def _run(before: int, until: int, kept: list[Credentials]) -> None:
    ready = [asyncio.Event() for _ in kept]
    following = [
        asyncio.create_task(_receive(one, before, until, event))
        for one, event in zip(kept, ready, strict=True)
    ]
    for event in ready:
        await event.wait()
    print(READY, flush=True)
    told = await asyncio.gather(*following)
    print(json.dumps([pair for one in told for pair in one]))


if __name__ == "__main__":
    before, until, *files = sys.argv[1:]
    asyncio.run(_run(int(before), int(until), [Credentials.load(Path(one)) for one in files]))
