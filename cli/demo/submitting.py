"""Submitting, in order within a lane: one by one with receipts, or many under one signature."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from cli.demo.actors import Author
from cli.demo.writes import Lane, Write
from client.bulk import Verdict
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


BATCH_LINES = 500
"""Writes under one signature, as a clinic brings the history of its children."""


async def submit_in_batches(lanes: Sequence[Lane], taken: Callable[[int], None]) -> None:
    """Submit all writes of all lanes, each author's in batches, one batch of each at a time.

    Args:
        lanes: Writes to do in order, independent of other lanes.
        taken: Told how many writes a batch has brought into the log.

    Raises:
        ClientError: The first write that the server refused, or did not prove where it was asked.
    """
    waiting = [deque(lane) for lane in lanes if lane]
    while waiting:
        batches = _next_batches(waiting)
        try:
            async with asyncio.TaskGroup() as authors:
                for author, writes in batches.items():
                    authors.create_task(_submit_batch(author, writes, taken))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        waiting = [lane for lane in waiting if lane]


def _next_batches(waiting: Sequence[deque[Write]]) -> dict[Author, list[Write]]:
    """Take from the head of each lane what one author wrote, for that author's batch."""
    batches: defaultdict[Author, list[Write]] = defaultdict(list)
    for lane in waiting:
        author = lane[0].author
        batch = batches[author]
        while lane and lane[0].author is author and len(batch) < BATCH_LINES:
            batch.append(lane.popleft())
    return {author: batch for author, batch in batches.items() if batch}


async def _submit_batch(
    author: Author, writes: Sequence[Write], taken: Callable[[int], None]
) -> None:
    origin = author.client.caller.trust.origin
    signed = author.key.sign_batch(origin, [write.draft for write in writes])
    verdicts = await author.client.submit_batch(signed)
    for write, verdict in zip(writes, verdicts, strict=True):
        if verdict.problem is not None:
            verdict.problem.add_note(f"{write.draft.topic} {write.draft.stream}")
            raise verdict.problem
    last: Verdict = max(verdicts, key=lambda verdict: verdict.position)
    # The tree under the receipt of its last line holds the whole batch; the offline verification
    # at the end looks at every line.
    await author.client.receipt(last.receipt, signed[verdicts.index(last)])
    taken(len(writes))
