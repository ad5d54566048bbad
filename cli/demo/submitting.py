"""Submitting: many lanes at a time, in order within a lane, each write with a verified receipt."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from cli.demo.writes import Lane
from client.errors import ClientError
from client.receipt import Receipt

CONNECTIONS = 48
"""Writes under way at a time. Each waits for the checkpoint that covers it, so fewer leave the
log's group commit half empty; more only wait longer."""


async def submit(
    lanes: Sequence[Lane], taken: Callable[[Receipt], None], connections: int = CONNECTIONS
) -> None:
    """Submit all writes of all lanes.

    Args:
        lanes: Writes to do in order, independent of other lanes.
        taken: Told of each verified receipt.
        connections: Lanes that are worked on at a time.

    Raises:
        ClientError: The first write that the server refused or did not prove.
    """
    # Long lanes first, so that none is left over when all others are done.
    waiting = deque(sorted(lanes, key=len, reverse=True))

    async def work() -> None:
        while waiting:
            for write in waiting.popleft():
                try:
                    taken(await write.author.client.submit(write.path, write.draft))
                except ClientError as error:
                    error.add_note(f"{write.draft.topic} {write.draft.stream}")
                    raise

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(connections, len(lanes))):
                workers.create_task(work())
    except ExceptionGroup as failures:
        # One refusal ends the step; the other lanes were cancelled for it.
        raise failures.exceptions[0] from None
